# lines 90-100: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Cohere
# Latest Cohere models (2025)
response = completion(
    model="cohere/command-a-03-2025",  # Latest 2025: 256K context, function calling
    messages=[{"role": "user", "content": "Hello!"}]
)

# 2024 models (still current)
response = completion(
    model="cohere/command-r-plus",  # or command-r
    messages=[{"role": "user", "content": "Hello!"}]
)
