# lines 56-66: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Anthropic
# Latest Anthropic Claude models (2025)
response = completion(
    model="anthropic/claude-4-sonnet-20250514",  # Latest 2025: claude-4-opus, claude-4-sonnet, claude-3-7-sonnet
    messages=[{"role": "user", "content": "Hello!"}]
)

# 2024 models (still current)
response = completion(
    model="anthropic/claude-3-5-sonnet-20241022",  # or claude-3-5-haiku-20241022
    messages=[{"role": "user", "content": "Hello!"}]
)
