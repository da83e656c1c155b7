# lines 2579-2599: Groq > Prompt Caching > Best Practices for Caching > 3. Strategic Cache Points in Conversations
# ✅ Cache at strategic conversation points
messages = [
    # Cache initial context
    {"role": "system", "content": [...], "cache_control": {"type": "ephemeral"}},
    
    # Regular conversation
    {"role": "user", "content": "Question 1"},
    {"role": "assistant", "content": "Answer 1"},
    
    # Cache before expensive operations
    {
        "role": "user", 
        "content": [
            {
                "type": "text",
                "text": "Now analyze this complex data...",
                "cache_control": {"type": "ephemeral"}  # Cache before analysis
            }
        ]
    }
]
