# lines 2604-2609: Groq > Prompt Caching > Best Practices for Caching > 4. Don't Cache Dynamic Content
# ❌ Don't cache frequently changing content
dynamic_content = {
    "role": "user",
    "content": f"Current time: {datetime.now()}",  # Changes every call
    # Don't add cache_control here
}
