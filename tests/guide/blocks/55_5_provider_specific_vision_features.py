# lines 1966-2016: Groq > Vision Examples > 5. Provider-Specific Vision Features
def provider_specific_vision():
    """Demonstrate provider-specific vision capabilities"""
    
    # OpenAI - Detailed image analysis
    openai_response = completion(
        model="gpt-4o",
        messages=[{
            "role": "user",
            "content": [
                {"type": "text", "text": "Analyze this image in detail, including colors, objects, composition, and mood"},
                {"type": "image_url", "image_url": {"url": "path/to/image.jpg"}}
            ]
        }],
        max_tokens=500
    )
    
    # Anthropic - Image with specific format request
    anthropic_response = completion(
        model="anthropic/claude-3-sonnet-20240229",
        messages=[{
            "role": "user", 
            "content": [
                {"type": "text", "text": "Describe this image"},
                {
                    "type": "image_url",
                    "image_url": {
                        "url": "data:image/jpeg;base64,...",
                        "format": "image/jpeg"  # Anthropic supports format specification
                    }
                }
            ]
        }]
    )
    
    # Google Vertex AI - Gemini with image
    vertex_response = completion(
        model="vertex_ai/gemini-1.5-pro",
        messages=[{
            "role": "user",
            "content": [
                {"type": "text", "text": "What's in this image?"},
                {"type": "image_url", "image_url": {"url": "gs://bucket/image.jpg"}}  # GCS URL support
            ]
        }]
    )
    
    return {
        "openai": openai_response.choices[0].message.content,
        "anthropic": anthropic_response.choices[0].message.content, 
        "vertex": vertex_response.choices[0].message.content
    }
