# lines 2551-2561: Groq > Prompt Caching > Best Practices for Caching > 1. Cache Long, Stable Content
# ✅ Good for caching
system_prompt = {
    "role": "system",
    "content": [
        {
            "type": "text",
            "text": "Long, stable instructions or context documents...",
            "cache_control": {"type": "ephemeral"}
        }
    ]
}
