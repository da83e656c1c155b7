# lines 2164-2204: Groq > Best Practices for Vision > 3. **Error Handling for Vision**
def robust_vision_analysis(image_path, question, fallback_providers=None):
    """Vision analysis with fallback providers"""
    if fallback_providers is None:
        fallback_providers = [
            "gpt-4o",
            "anthropic/claude-3-sonnet-20240229",
            "vertex_ai/gemini-1.5-pro"
        ]
    
    base64_image = encode_image(image_path)
    
    for provider in fallback_providers:
        try:
            response = completion(
                model=provider,
                messages=[{
                    "role": "user",
                    "content": [
                        {"type": "text", "text": question},
                        {
                            "type": "image_url",
                            "image_url": {
                                "url": f"data:image/jpeg;base64,{base64_image}"
                            }
                        }
                    ]
                }],
                max_tokens=300
            )
            
            return {
                "provider": provider,
                "result": response.choices[0].message.content,
                "success": True
            }
            
        except Exception as e:
            print(f"Provider {provider} failed: {e}")
            continue
    
    return {"success": False, "error": "All vision providers failed"}
