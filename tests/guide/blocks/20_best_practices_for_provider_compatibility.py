# lines 488-517: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > **Best Practices for Provider Compatibility**
def universal_completion(model, user_message, system_prompt=None):
    """Create provider-compatible completion calls"""
    
    # Build messages based on provider capabilities
    messages = []
    
    # Handle system message
    if system_prompt:
        # Check if provider supports system messages
        try:
            model_info = get_model_info(model)
            if model_info.get("supports_system_message", True):
                messages.append({"role": "system", "content": system_prompt})
            else:
                # Prepend to user message for unsupported providers
                user_message = f"{system_prompt}\n\nUser: {user_message}"
        except:
            # Default to including system message
            messages.append({"role": "system", "content": system_prompt})
    
    messages.append({"role": "user", "content": user_message})
    
    return completion(model=model, messages=messages)

# Usage
response = universal_completion(
    model="any-provider/model",
    user_message="Hello!",
    system_prompt="You are a helpful assistant"
)
