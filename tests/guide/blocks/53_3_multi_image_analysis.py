# lines 1875-1904: Groq > Vision Examples > 3. Multi-Image Analysis
def analyze_multiple_images(model, image_paths, question):
    """Analyze multiple images at once"""
    content = [{"type": "text", "text": question}]
    
    # Add each image to content
    for image_path in image_paths:
        base64_image = encode_image(image_path)
        content.append({
            "type": "image_url",
            "image_url": {
                "url": f"data:image/jpeg;base64,{base64_image}"
            }
        })
    
    response = completion(
        model=model,
        messages=[{"role": "user", "content": content}],
        max_tokens=500
    )
    
    return response.choices[0].message.content

# Compare multiple images
images = ["image1.jpg", "image2.jpg", "image3.jpg"]
result = analyze_multiple_images(
    "gpt-4o", 
    images, 
    "Compare these images and describe the differences"
)
print(result)
