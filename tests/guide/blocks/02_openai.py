# lines 47-51: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > OpenAI
# Standard OpenAI models
response = completion(
    model="gpt-4",  # or "gpt-3.5-turbo", "gpt-4-turbo"
    messages=[{"role": "user", "content": "Hello!"}]
)
