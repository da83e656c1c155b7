# lines 445-482: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > **Compatibility Testing Function**
def test_provider_compatibility(model, test_cases):
    """Test what message types a provider supports"""
    results = {}
    
    test_messages = {
        "system": [{"role": "system", "content": "You are helpful"}],
        "basic": [{"role": "user", "content": "Hello"}],
        "prefill": [
            {"role": "user", "content": "Say 'JSON:'"}, 
            {"role": "assistant", "content": "{", "prefix": True}
        ],
        "tools": [{"role": "user", "content": "What's the weather?"}]
    }
    
    for test_name, messages in test_messages.items():
        try:
            response = completion(
                model=model, 
                messages=messages,
                max_tokens=10,
                tools=[{
                    "type": "function",
                    "function": {"name": "test", "parameters": {"type": "object"}}
                }] if test_name == "tools" else None
            )
            results[test_name] = "✅ Supported"
        except Exception as e:
            results[test_name] = f"❌ Failed: {str(e)[:50]}"
    
    return results

# Test different providers
providers = ["gpt-4", "anthropic/claude-3-sonnet", "vertex_ai/gemini-pro"]
for provider in providers:
    print(f"\n{provider}:")
    compatibility = test_provider_compatibility(provider, test_messages)
    for test, result in compatibility.items():
        print(f"  {test}: {result}")
