# lines 1146-1161: Groq > Cost Tracking
from litellm import completion_cost

response = completion(
    model="gpt-4",
    messages=[{"role": "user", "content": "Hello!"}]
)

# Calculate cost for the response
cost = completion_cost(completion_response=response)
print(f"Cost: ${cost:.6f}")

# Track usage
if response.usage:
    print(f"Prompt tokens: {response.usage.prompt_tokens}")
    print(f"Completion tokens: {response.usage.completion_tokens}")
    print(f"Total tokens: {response.usage.total_tokens}")
