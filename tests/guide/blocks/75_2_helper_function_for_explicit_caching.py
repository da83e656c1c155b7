# lines 2656-2710: Groq > Prompt Caching > Global Caching Configuration > 2. Helper Function for Explicit Caching
def smart_completion(model, messages, **kwargs):
    """Completion with automatic caching for supported providers"""
    
    # Providers that support explicit caching
    explicit_cache_providers = [
        "anthropic/", "claude-", 
        "vertex_ai/", "gemini/", "gemini-"
    ]
    
    # Check if provider supports explicit caching
    supports_explicit_cache = any(
        model.startswith(provider) or provider.replace("/", "") in model 
        for provider in explicit_cache_providers
    )
    
    if supports_explicit_cache:
        # Auto-add cache_control to system messages and long content
        enhanced_messages = []
        
        for msg in messages:
            if msg["role"] == "system":
                # Cache system messages automatically
                if isinstance(msg["content"], str):
                    enhanced_msg = {
                        "role": "system",
                        "content": [
                            {
                                "type": "text", 
                                "text": msg["content"],
                                "cache_control": {"type": "ephemeral"}
                            }
                        ]
                    }
                else:
                    # Already structured content - add cache_control to long text
                    enhanced_msg = msg.copy()
                    if isinstance(msg["content"], list):
                        for item in enhanced_msg["content"]:
                            if (item.get("type") == "text" and 
                                len(item.get("text", "")) > 1000):  # Cache long content
                                item["cache_control"] = {"type": "ephemeral"}
                
                enhanced_messages.append(enhanced_msg)
            else:
                enhanced_messages.append(msg)
        
        return completion(model=model, messages=enhanced_messages, **kwargs)
    else:
        # For implicit caching providers, use as-is
        return completion(model=model, messages=messages, **kwargs)

# Usage - automatically optimized for each provider
response1 = smart_completion("gpt-4", messages)                    # Implicit caching
response2 = smart_completion("anthropic/claude-3-sonnet", messages)  # Auto cache_control added
response3 = smart_completion("vertex_ai/gemini-pro", messages)     # Auto cache_control added
