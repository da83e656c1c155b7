# lines 1388-1413: Groq > Image Generation > Image Generation with Custom Parameters
def generate_image_variations(prompt, styles=["vivid", "natural"]):
    """Generate multiple style variations of the same prompt"""
    results = []
    
    for style in styles:
        response = image_generation(
            model="dall-e-3",
            prompt=prompt,
            size="1024x1024",
            quality="hd",
            style=style,
            n=1
        )
        
        results.append({
            "style": style,
            "url": response.data[0].url,
            "revised_prompt": response.data[0].revised_prompt  # DALL-E's interpretation
        })
    
    return results

# Generate variations
variations = generate_image_variations("A cyberpunk cityscape at night")
for var in variations:
    print(f"Style: {var['style']} - URL: {var['url']}")
