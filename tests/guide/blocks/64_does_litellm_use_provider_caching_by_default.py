# lines 2308-2322: Groq > Prompt Caching > Does LiteLLM Use Provider Caching by Default?
from litellm import completion

# This automatically benefits from provider-specific caching
# No special configuration needed for implicit caching
response = completion(
    model="gpt-4",
    messages=[{"role": "user", "content": "Hello!"}]
)

# For providers with implicit caching, repeated identical requests
# will be served from cache automatically
response2 = completion(
    model="gpt-4", 
    messages=[{"role": "user", "content": "Hello!"}]  # Same request = cached
)
