# lines 523-544: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > **Best Practices for Provider Compatibility**
# Assistant with tool calls
{
    "role": "assistant",
    "content": "Let me check the weather for you.",
    "tool_calls": [
        {
            "id": "call_123",
            "type": "function", 
            "function": {
                "name": "get_weather",
                "arguments": '{"location": "Boston"}'
            }
        }
    ]
}

# Assistant prefill (Anthropic only)
{
    "role": "assistant", 
    "content": "{",  # Start JSON response
    "prefix": True  # LiteLLM-specific flag
}
