# lines 2438-2468: Groq > Prompt Caching > Tool Definition Caching
def cached_tool_definitions():
    """Cache tool definitions for repeated use"""
    
    tools = [
        {
            "type": "function",
            "function": {
                "name": "analyze_document",
                "description": "Analyze legal documents with extensive context and examples...",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "document_type": {"type": "string"},
                        # ... complex schema
                    }
                },
                "cache_control": {"type": "ephemeral"}  # Cache tool definition
            }
        }
    ]
    
    response = completion(
        model="anthropic/claude-3-5-sonnet-20240620",
        messages=[{"role": "user", "content": "Analyze this contract"}],
        tools=tools,
        tool_choice="auto"
    )
    
    return response

result = cached_tool_definitions()
