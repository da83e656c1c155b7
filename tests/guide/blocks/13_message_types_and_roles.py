# lines 230-263: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Complete Feature Reference > Message Types and Roles
messages = [
    # 1. SYSTEM ROLE - Sets context/behavior for the AI
    {
        "role": "system",
        "content": "You are a helpful AI assistant specialized in Python programming."
    },
    
    # 2. USER ROLE - Human input/questions
    {
        "role": "user", 
        "content": "How do I create a list in Python?"
    },
    
    # 3. ASSISTANT ROLE - AI responses
    {
        "role": "assistant",
        "content": "You can create a list in Python using square brackets: my_list = [1, 2, 3]"
    },
    
    # 4. TOOL ROLE - Function/tool call results
    {
        "role": "tool",
        "tool_call_id": "call_123",
        "name": "get_weather",
        "content": '{"temperature": 72, "condition": "sunny"}'
    },
    
    # 5. FUNCTION ROLE - Legacy function call results (deprecated)
    {
        "role": "function",
        "name": "get_current_weather",
        "content": '{"location": "Boston", "temperature": "72", "unit": "fahrenheit"}'
    }
]
