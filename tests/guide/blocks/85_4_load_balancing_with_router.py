# lines 3196-3204: Groq > Tips & Best Practices > 4. **Load Balancing with Router**
from litellm import Router

router = Router(model_list=[
    {"model_name": "gpt-4", "litellm_params": {"model": "gpt-4"}},
    {"model_name": "gpt-4", "litellm_params": {"model": "anthropic/claude-3-sonnet-20240229"}},
])

# Router automatically distributes requests
response = router.completion(model="gpt-4", messages=[...])
