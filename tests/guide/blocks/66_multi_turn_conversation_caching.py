# lines 2377-2430: Groq > Prompt Caching > Multi-Turn Conversation Caching
def multi_turn_caching():
    """Cache conversation context across turns"""
    
    # Initial conversation with cached context
    messages = [
        {
            "role": "system",
            "content": [
                {
                    "type": "text",
                    "text": "You are a helpful assistant with access to this large knowledge base: " +
                           "Large knowledge base content..." * 300,
                    "cache_control": {"type": "ephemeral"}  # Cache knowledge base
                }
            ]
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "text",
                    "text": "What is the main topic?",
                    "cache_control": {"type": "ephemeral"}  # Cache this turn for follow-ups
                }
            ]
        }
    ]
    
    response1 = completion(
        model="anthropic/claude-3-5-sonnet-20240620",
        messages=messages
    )
    
    # Add response to conversation
    messages.append({
        "role": "assistant", 
        "content": response1.choices[0].message.content
    })
    
    # Follow-up question (benefits from cached context)
    messages.append({
        "role": "user",
        "content": "Can you elaborate on that?"
    })
    
    response2 = completion(
        model="anthropic/claude-3-5-sonnet-20240620",
        messages=messages  # Previous context is cached
    )
    
    return response1, response2

# Subsequent calls benefit from caching
response1, response2 = multi_turn_caching()
