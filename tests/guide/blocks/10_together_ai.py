# lines 148-151: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Together AI
response = completion(
    model="together_ai/meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo",
    messages=[{"role": "user", "content": "Hello!"}]
)
