# lines 3155-3168: Groq > Tips & Best Practices > 2. **Test Provider Availability**
def test_provider(model):
    try:
        response = completion(
            model=model,
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=10
        )
        return True
    except:
        return False

providers_to_test = ["gpt-4", "anthropic/claude-3-haiku-20240307", "vertex_ai/gemini-1.5-flash"]
available_providers = [p for p in providers_to_test if test_provider(p)]
print("Available providers:", available_providers)
