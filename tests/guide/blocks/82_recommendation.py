# lines 3116-3141: Groq > Prompt Caching > Recommendation
# ✅ RECOMMENDED: Universal approach
messages = [
    {
        "role": "system",
        "content": [
            {
                "type": "text",
                "text": "Your system prompt here",
                "cache_control": {"type": "ephemeral"}  # Add everywhere
            }
        ]
    },
    {
        "role": "user",
        "content": [
            {
                "type": "text", 
                "text": "Your question here",
                "cache_control": {"type": "ephemeral"}  # Add everywhere
            }
        ]
    }
]

# This format works optimally with ALL providers
response = completion(model="any-provider/model", messages=messages)
