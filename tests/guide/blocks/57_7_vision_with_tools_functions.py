# lines 2055-2105: Groq > Vision Examples > 7. Vision with Tools/Functions
import json

def image_analysis_with_tools():
    """Combine vision with function calling"""
    
    tools = [
        {
            "type": "function",
            "function": {
                "name": "save_image_analysis",
                "description": "Save image analysis results",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "objects": {"type": "array", "items": {"type": "string"}},
                        "colors": {"type": "array", "items": {"type": "string"}},
                        "mood": {"type": "string"},
                        "description": {"type": "string"}
                    },
                    "required": ["objects", "description"]
                }
            }
        }
    ]
    
    response = completion(
        model="gpt-4o",
        messages=[{
            "role": "user",
            "content": [
                {
                    "type": "text", 
                    "text": "Analyze this image and save the results using the save_image_analysis function"
                },
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/jpeg;base64,..."}
                }
            ]
        }],
        tools=tools,
        tool_choice="auto"
    )
    
    if response.choices[0].message.tool_calls:
        tool_call = response.choices[0].message.tool_calls[0]
        analysis_data = json.loads(tool_call.function.arguments)
        print("Image Analysis Results:", analysis_data)
        
        # Continue conversation with tool result
        # ... (tool execution logic)
