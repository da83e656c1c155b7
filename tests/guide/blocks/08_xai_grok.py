# lines 125-135: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > xAI (Grok)
# Latest Grok models (2025)
response = completion(
    model="xai/grok-3",  # Latest 2025: Grok-3, reasoning, multimodal
    messages=[{"role": "user", "content": "Hello!"}]
)

# Grok models with vision
response = completion(
    model="xai/grok-2-vision-1212",  # Vision capabilities
    messages=[{"role": "user", "content": "Hello!"}]
)
