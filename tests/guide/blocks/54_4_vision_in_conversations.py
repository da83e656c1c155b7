# lines 1910-1960: Groq > Vision Examples > 4. Vision in Conversations
def vision_conversation():
    """Multi-turn conversation with images"""
    messages = []
    
    while True:
        user_input = input("\nEnter text (or 'image:path' to add image, 'quit' to exit): ")
        
        if user_input.lower() == 'quit':
            break
        
        if user_input.startswith('image:'):
            # Add image to conversation
            image_path = user_input[6:]  # Remove 'image:' prefix
            base64_image = encode_image(image_path)
            
            messages.append({
                "role": "user",
                "content": [
                    {"type": "text", "text": "Please analyze this image"},
                    {
                        "type": "image_url",
                        "image_url": {
                            "url": f"data:image/jpeg;base64,{base64_image}"
                        }
                    }
                ]
            })
        else:
            # Add text message
            messages.append({
                "role": "user",
                "content": user_input
            })
        
        # Get AI response
        response = completion(
            model="gpt-4o",
            messages=messages,
            max_tokens=300
        )
        
        ai_response = response.choices[0].message.content
        messages.append({
            "role": "assistant",
            "content": ai_response
        })
        
        print(f"AI: {ai_response}")

# Run vision conversation
# vision_conversation()
