# lines 582-622: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Multi-Turn Conversations > 1. Basic Multi-Turn Chat
from litellm import completion

def chat_conversation():
    """Interactive multi-turn conversation"""
    conversation_history = []
    
    print("AI Assistant: Hello! How can I help you today?")
    
    while True:
        # Get user input
        user_input = input("\nYou: ")
        if user_input.lower() in ['quit', 'exit', 'bye']:
            print("AI Assistant: Goodbye!")
            break
        
        # Add user message to history
        conversation_history.append({
            "role": "user", 
            "content": user_input
        })
        
        # Get AI response
        response = completion(
            model="gpt-4",
            messages=conversation_history,
            temperature=0.7,
            max_tokens=150
        )
        
        ai_response = response.choices[0].message.content
        
        # Add AI response to history
        conversation_history.append({
            "role": "assistant",
            "content": ai_response
        })
        
        print(f"AI Assistant: {ai_response}")

# Run the conversation
chat_conversation()
