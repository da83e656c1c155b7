# lines 2897-2967: Groq > Prompt Caching > Universal Cache Control: Adding cache_control to ALL Providers
def universal_caching_approach():
    """Add cache_control to ALL providers - LiteLLM handles compatibility"""
    
    # Universal message format with cache_control
    messages = [
        {
            "role": "system",
            "content": [
                {
                    "type": "text",
                    "text": "You are a helpful assistant with extensive knowledge.",
                    "cache_control": {"type": "ephemeral"}  # ✅ Add to ALL providers
                }
            ]
        },
        {
            "role": "user", 
            "content": [
                {
                    "type": "text",
                    "text": "What is machine learning?",
                    "cache_control": {"type": "ephemeral"}  # ✅ Add everywhere
                }
            ]
        }
    ]
    
    # This works with ALL providers:
    
    # ✅ Anthropic - Uses cache_control (explicit caching)
    anthropic_response = completion(
        model="anthropic/claude-3-sonnet-20240229",
        messages=messages
    )
    
    # ✅ OpenAI - Ignores cache_control, uses implicit caching  
    openai_response = completion(
        model="gpt-4",
        messages=messages
    )
    
    # ✅ Gemini - Uses cache_control (explicit caching)
    gemini_response = completion(
        model="vertex_ai/gemini-1.5-pro",
        messages=messages,
        vertex_ai_project="your-project",
        vertex_ai_location="us-central1"
    )
    
    # ✅ Azure - Ignores cache_control, uses implicit caching
    azure_response = completion(
        model="azure/gpt-4",
        messages=messages
    )
    
    # ✅ Cohere - Ignores cache_control, uses implicit caching  
    cohere_response = completion(
        model="cohere/command-r-plus",
        messages=messages
    )
    
    return {
        "anthropic": anthropic_response,
        "openai": openai_response, 
        "gemini": gemini_response,
        "azure": azure_response,
        "cohere": cohere_response
    }

# Run with all providers
results = universal_caching_approach()
