# lines 1585-1614: Groq > Advanced Features > 1. Streaming Responses
from litellm import completion

def stream_chat(model, message):
    """Stream responses in real-time"""
    response = completion(
        model=model,
        messages=[{"role": "user", "content": message}],
        stream=True,
        stream_options={"include_usage": True}  # Include token usage in stream
    )
    
    print(f"Streaming from {model}:")
    full_response = ""
    
    for chunk in response:
        if chunk.choices[0].delta.content is not None:
            content = chunk.choices[0].delta.content
            print(content, end="", flush=True)
            full_response += content
        
        # Check for usage information in the final chunk
        if hasattr(chunk, 'usage') and chunk.usage:
            print(f"\n[Tokens used: {chunk.usage.total_tokens}]")
    
    print("\n")
    return full_response

# Try streaming with different providers
stream_chat("gpt-4", "Explain quantum computing in simple terms")
stream_chat("anthropic/claude-3-sonnet-20240229", "Write a haiku about AI")
