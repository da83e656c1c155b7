# lines 2987-3028: Groq > Prompt Caching > Simple Universal Wrapper
def add_cache_control_to_all(messages):
    """Add cache_control to all messages for universal caching"""
    
    cached_messages = []
    
    for message in messages:
        if isinstance(message.get("content"), str):
            # Convert string content to structured format with cache_control
            cached_message = {
                "role": message["role"],
                "content": [
                    {
                        "type": "text",
                        "text": message["content"],
                        "cache_control": {"type": "ephemeral"}
                    }
                ]
            }
        elif isinstance(message.get("content"), list):
            # Add cache_control to existing structured content
            cached_message = message.copy()
            for item in cached_message["content"]:
                if item.get("type") == "text":
                    item["cache_control"] = {"type": "ephemeral"}
        else:
            cached_message = message
        
        cached_messages.append(cached_message)
    
    return cached_messages

# Usage with any provider
def universal_cached_completion(model, messages, **kwargs):
    """Completion with cache_control added to all messages"""
    cached_messages = add_cache_control_to_all(messages)
    return completion(model=model, messages=cached_messages, **kwargs)

# Works with ALL providers - each handles cache_control appropriately
response1 = universal_cached_completion("gpt-4", messages)                    # Ignored, uses implicit
response2 = universal_cached_completion("anthropic/claude-3-sonnet", messages) # Used for explicit caching  
response3 = universal_cached_completion("vertex_ai/gemini-pro", messages)     # Used for context caching
response4 = universal_cached_completion("cohere/command-r-plus", messages)   # Ignored, uses implicit
