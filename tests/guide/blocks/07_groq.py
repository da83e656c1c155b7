# lines 117-120: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Groq
response = completion(
    model="groq/llama3-8b-8192",  # or mixtral-8x7b-32768
    messages=[{"role": "user", "content": "Hello!"}]
)
