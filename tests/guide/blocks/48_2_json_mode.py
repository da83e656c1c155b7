# lines 1620-1649: Groq > Advanced Features > 2. JSON Mode
def get_structured_response(model, prompt):
    """Get structured JSON responses"""
    response = completion(
        model=model,
        messages=[
            {
                "role": "system", 
                "content": "You are a helpful assistant that responds with valid JSON."
            },
            {
                "role": "user", 
                "content": f"{prompt}. Respond with JSON only."
            }
        ],
        response_format={"type": "json_object"},
        temperature=0.1
    )
    
    import json
    try:
        return json.loads(response.choices[0].message.content)
    except json.JSONDecodeError:
        return {"error": "Invalid JSON response", "content": response.choices[0].message.content}

# Example usage
result = get_structured_response(
    "gpt-4", 
    "List 3 benefits of renewable energy with explanations"
)
print(json.dumps(result, indent=2))
