# lines 994-1026: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Practical Examples > 3. Automatic Fallback
def resilient_completion(message, providers=None):
    """Try multiple providers until one succeeds"""
    if providers is None:
        providers = [
            "gpt-4",
            "anthropic/claude-3-sonnet-20240229",
            "vertex_ai/gemini-1.5-pro",
            "cohere/command-r-plus"
        ]
    
    for provider in providers:
        try:
            response = completion(
                model=provider,
                messages=[{"role": "user", "content": message}]
            )
            return {
                "provider": provider,
                "response": response.choices[0].message.content,
                "success": True
            }
        except Exception as e:
            print(f"Failed with {provider}: {e}")
            continue
    
    return {"success": False, "error": "All providers failed"}

# This will try providers in order until one succeeds
result = resilient_completion("What is the capital of France?")
print(f"Success: {result['success']}")
if result['success']:
    print(f"Provider: {result['provider']}")
    print(f"Response: {result['response']}")
