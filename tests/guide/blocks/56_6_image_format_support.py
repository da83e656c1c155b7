# lines 2022-2049: Groq > Vision Examples > 6. Image Format Support
def test_image_formats():
    """Test different image formats"""
    
    # Supported formats
    formats = {
        "JPEG": "data:image/jpeg;base64,",
        "PNG": "data:image/png;base64,", 
        "GIF": "data:image/gif;base64,",
        "WebP": "data:image/webp;base64,",
        "SVG": "data:image/svg+xml;base64,"
    }
    
    for format_name, prefix in formats.items():
        try:
            # Test with encoded image
            response = completion(
                model="gpt-4o",
                messages=[{
                    "role": "user",
                    "content": [
                        {"type": "text", "text": f"What format is this {format_name} image?"},
                        {"type": "image_url", "image_url": {"url": prefix + "..."}}
                    ]
                }]
            )
            print(f"{format_name}: Supported ✅")
        except Exception as e:
            print(f"{format_name}: Error - {e}")
