# lines 140-143: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Fireworks AI
response = completion(
    model="fireworks_ai/llama-v3p1-70b-instruct",  # Fast inference
    messages=[{"role": "user", "content": "Hello!"}]
)
