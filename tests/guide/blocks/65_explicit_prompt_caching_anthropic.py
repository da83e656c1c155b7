# lines 2330-2369: Groq > Prompt Caching > Explicit Prompt Caching (Anthropic)
def anthropic_caching_example():
    """Anthropic explicit prompt caching"""
    
    # Cache system context (long instructions, documents, etc.)
    response = completion(
        model="anthropic/claude-3-5-sonnet-20240620",
        messages=[
            {
                "role": "system",
                "content": [
                    {
                        "type": "text",
                        "text": "You are an AI assistant tasked with analyzing legal documents."
                    },
                    {
                        "type": "text",
                        "text": "Here is the full text of a complex legal agreement: " + 
                               "Very long document content here..." * 400,
                        "cache_control": {"type": "ephemeral"}  # Cache this expensive content
                    }
                ]
            },
            {
                "role": "user",
                "content": "What are the key terms and conditions?"
            }
        ]
    )
    
    # Check cache usage in response
    if response.usage:
        print(f"Total tokens: {response.usage.total_tokens}")
        if hasattr(response.usage, 'prompt_tokens_details'):
            cached_tokens = response.usage.prompt_tokens_details.get('cached_tokens', 0)
            print(f"Cached tokens: {cached_tokens}")
    
    return response

# Run example
result = anthropic_caching_example()
