# lines 156-159: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Cerebras
response = completion(
    model="cerebras/llama3.1-70b",  # Ultra-fast inference
    messages=[{"role": "user", "content": "Hello!"}]
)
