# lines 628-666: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Multi-Turn Conversations > 2. Conversation with System Context
def chat_with_context(system_prompt, model="gpt-4"):
    """Chat with persistent system context"""
    messages = [
        {"role": "system", "content": system_prompt}
    ]
    
    print(f"Starting conversation with {model}")
    print("System context:", system_prompt)
    print("-" * 50)
    
    while True:
        user_input = input("\nUser: ")
        if user_input.lower() == 'quit':
            break
        
        # Add user message
        messages.append({"role": "user", "content": user_input})
        
        # Get response
        response = completion(
            model=model,
            messages=messages,
            temperature=0.8
        )
        
        ai_response = response.choices[0].message.content
        messages.append({"role": "assistant", "content": ai_response})
        
        print(f"Assistant: {ai_response}")
        
        # Optional: Show token usage
        if response.usage:
            print(f"[Tokens used: {response.usage.total_tokens}]")

# Example usage
chat_with_context(
    "You are a Python programming tutor. Always provide practical examples and explain concepts clearly.",
    model="gpt-4"
)
