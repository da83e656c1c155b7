# lines 357-385: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > Provider-Specific Properties > **3. Function Calling Compatibility**
# Modern approach (widely supported)
tools = [
    {
        "type": "function",
        "function": {
            "name": "get_weather", 
            "description": "Get weather",
            "parameters": {...}
        }
    }
]

# Tool response message
{
    "role": "tool",
    "tool_call_id": "call_123",
    "name": "get_weather", 
    "content": '{"temp": 72}'
}

# Legacy approach (limited support)
functions = [{"name": "get_weather", "parameters": {...}}]  # Deprecated

# Function response (legacy)
{
    "role": "function",
    "name": "get_weather",
    "content": '{"temp": 72}'
}
