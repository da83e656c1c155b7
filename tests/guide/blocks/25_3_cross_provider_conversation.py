# lines 672-718: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Multi-Turn Conversations > 3. Cross-Provider Conversation
def multi_provider_conversation():
    """Conversation that switches between providers"""
    providers = [
        "gpt-4",
        "anthropic/claude-3-sonnet-20240229", 
        "vertex_ai/gemini-1.5-pro"
    ]
    current_provider = 0
    
    messages = []
    
    print("Multi-provider conversation started!")
    print("Commands: 'switch' to change provider, 'quit' to exit")
    
    while True:
        current_model = providers[current_provider]
        print(f"\nCurrent provider: {current_model}")
        
        user_input = input("You: ")
        
        if user_input.lower() == 'quit':
            break
        elif user_input.lower() == 'switch':
            current_provider = (current_provider + 1) % len(providers)
            print(f"Switched to: {providers[current_provider]}")
            continue
        
        messages.append({"role": "user", "content": user_input})
        
        try:
            response = completion(
                model=current_model,
                messages=messages,
                temperature=0.7
            )
            
            ai_response = response.choices[0].message.content
            messages.append({"role": "assistant", "content": ai_response})
            
            print(f"Assistant ({current_model}): {ai_response}")
            
        except Exception as e:
            print(f"Error with {current_model}: {e}")
            print("Trying next provider...")
            current_provider = (current_provider + 1) % len(providers)

multi_provider_conversation()
