# lines 954-988: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Practical Examples > 2. Provider Comparison
def compare_providers(prompt, providers):
    """Compare responses from multiple providers"""
    results = {}
    
    for provider in providers:
        try:
            response = completion(
                model=provider,
                messages=[{"role": "user", "content": prompt}]
            )
            results[provider] = {
                "response": response.choices[0].message.content,
                "tokens": response.usage.total_tokens if response.usage else "N/A"
            }
        except Exception as e:
            results[provider] = {"error": str(e)}
    
    return results

# Compare different providers
providers = [
    "gpt-4",
    "anthropic/claude-3-sonnet-20240229",
    "vertex_ai/gemini-1.5-pro",
    "cohere/command-r-plus"
]

results = compare_providers("Write a haiku about AI", providers)
for provider, result in results.items():
    print(f"\n{provider}:")
    if "error" in result:
        print(f"Error: {result['error']}")
    else:
        print(f"Response: {result['response']}")
        print(f"Tokens: {result['tokens']}")
