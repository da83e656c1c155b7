# lines 2221-2241: Groq > Summary > 6. Reproducible Outputs
def reproducible_generation(prompt, model="gpt-4"):
    """Generate reproducible responses using seed"""
    response = completion(
        model=model,
        messages=[{"role": "user", "content": prompt}],
        seed=42,  # Fixed seed for reproducibility
        temperature=0.7,
        max_tokens=100
    )
    
    return {
        "response": response.choices[0].message.content,
        "seed": 42,
        "model": model,
        "fingerprint": getattr(response, 'system_fingerprint', 'N/A')
    }

# Generate the same response multiple times
for i in range(3):
    result = reproducible_generation("Write a creative opening line for a story")
    print(f"Attempt {i+1}: {result['response']}")
