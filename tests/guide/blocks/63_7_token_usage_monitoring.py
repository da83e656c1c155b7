# lines 2247-2284: Groq > Summary > 7. Token Usage Monitoring
from litellm import completion_cost

def monitored_completion(model, messages, **kwargs):
    """Completion with detailed monitoring"""
    response = completion(
        model=model,
        messages=messages,
        **kwargs
    )
    
    # Calculate costs
    cost = completion_cost(completion_response=response)
    
    # Compile monitoring data
    monitoring_data = {
        "response": response.choices[0].message.content,
        "model": response.model,
        "usage": {
            "prompt_tokens": response.usage.prompt_tokens if response.usage else 0,
            "completion_tokens": response.usage.completion_tokens if response.usage else 0,
            "total_tokens": response.usage.total_tokens if response.usage else 0
        },
        "cost": cost,
        "finish_reason": response.choices[0].finish_reason
    }
    
    return monitoring_data

# Example usage
result = monitored_completion(
    model="gpt-4",
    messages=[{"role": "user", "content": "Explain machine learning"}],
    max_tokens=200
)

print(f"Response: {result['response']}")
print(f"Cost: ${result['cost']:.6f}")
print(f"Tokens: {result['usage']['total_tokens']}")
