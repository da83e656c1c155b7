# lines 2566-2574: Groq > Prompt Caching > Best Practices for Caching > 2. Cache Tool Definitions
# ✅ Cache expensive tool schemas
complex_tool = {
    "type": "function",
    "function": {
        "name": "complex_analysis",
        "description": "Extensive tool description...",
        "cache_control": {"type": "ephemeral"}  # Cache the tool definition
    }
}
