# lines 3175-3189: Groq > Tips & Best Practices > 3. **Provider-Specific Features**
# OpenAI-specific parameters
response = completion(
    model="gpt-4",
    messages=[{"role": "user", "content": "Hello"}],
    functions=[...],           # Function calling
    function_call="auto",      # Function calling mode
    response_format={"type": "json_object"}  # JSON mode
)

# Anthropic-specific parameters
response = completion(
    model="anthropic/claude-3-sonnet-20240229",
    messages=[{"role": "user", "content": "Hello"}],
    system="You are a helpful assistant"  # System message for Claude
)
