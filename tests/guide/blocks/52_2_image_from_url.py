# lines 1847-1869: Groq > Vision Examples > 2. Image from URL
def analyze_image_url(model, image_url, question):
    """Analyze image from URL"""
    response = completion(
        model=model,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": question},
                    {
                        "type": "image_url",
                        "image_url": {"url": image_url}
                    }
                ]
            }
        ]
    )
    return response.choices[0].message.content

# Example with public image URL
image_url = "https://upload.wikimedia.org/wikipedia/commons/thumb/d/dd/Gfp-wisconsin-madison-the-nature-boardwalk.jpg/2560px-Gfp-wisconsin-madison-the-nature-boardwalk.jpg"
result = analyze_image_url("gpt-4o", image_url, "Describe this landscape")
print(result)
