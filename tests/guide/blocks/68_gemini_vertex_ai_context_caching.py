# lines 2476-2498: Groq > Prompt Caching > Gemini/Vertex AI Context Caching
def gemini_caching_example():
    """Gemini context caching"""
    
    response = completion(
        model="vertex_ai/gemini-1.5-pro",
        messages=[
            {
                "role": "system",
                "content": "Large system context...",
                "cache_control": {"type": "ephemeral"}  # Cache for Gemini
            },
            {
                "role": "user",
                "content": "What's the summary?"
            }
        ],
        vertex_ai_project="your-project-id",
        vertex_ai_location="us-central1"
    )
    
    return response

result = gemini_caching_example()
