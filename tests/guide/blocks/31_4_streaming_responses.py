# lines 1032-1048: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Practical Examples > 4. Streaming Responses
def stream_response(model, message):
    """Stream responses from any provider"""
    response = completion(
        model=model,
        messages=[{"role": "user", "content": message}],
        stream=True
    )
    
    print(f"Streaming from {model}:")
    for chunk in response:
        if chunk.choices[0].delta.content is not None:
            print(chunk.choices[0].delta.content, end="", flush=True)
    print("\n")

# Stream from different providers
stream_response("gpt-4", "Tell me about the history of AI")
stream_response("anthropic/claude-3-sonnet-20240229", "Tell me about the history of AI")
