# lines 2847-2875: Groq > Prompt Caching > Global Caching Configuration > 5. Environment-Based Cache Configuration
import os
from litellm import completion

# Configure default caching behavior
CACHING_CONFIG = {
    "anthropic": {"default_cache": True, "cache_system_messages": True},
    "vertex_ai": {"default_cache": True, "cache_long_messages": True},
    "gemini": {"default_cache": True, "cache_tools": True},
    # OpenAI, Azure, Cohere, etc. use implicit caching (always on)
}

def configured_completion(model, messages, **kwargs):
    """Completion with configured caching defaults"""
    
    provider = model.split('/')[0] if '/' in model else model.split('-')[0]
    cache_config = CACHING_CONFIG.get(provider, {})
    
    if cache_config.get("default_cache", False):
        # Apply caching based on configuration
        if cache_config.get("cache_system_messages", False):
            messages = auto_cache_system_messages(messages)
        
        if cache_config.get("cache_long_messages", False):
            messages = auto_cache_long_messages(messages)
    
    return completion(model=model, messages=messages, **kwargs)

# Use configured completion everywhere
response = configured_completion("anthropic/claude-3-sonnet", messages)
