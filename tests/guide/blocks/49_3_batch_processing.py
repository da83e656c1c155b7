# lines 1655-1692: Groq > Advanced Features > 3. Batch Processing
from litellm import batch_completion

def process_multiple_prompts(model, prompts):
    """Process multiple prompts in batch"""
    messages_list = [
        [{"role": "user", "content": prompt}] 
        for prompt in prompts
    ]
    
    responses = batch_completion(
        model=model,
        messages=messages_list,
        temperature=0.7,
        max_tokens=100
    )
    
    results = []
    for i, response in enumerate(responses):
        results.append({
            "prompt": prompts[i],
            "response": response.choices[0].message.content,
            "tokens": response.usage.total_tokens if response.usage else "N/A"
        })
    
    return results

# Example usage
prompts = [
    "What is the capital of France?",
    "Explain photosynthesis briefly",
    "Write a short joke"
]

results = process_multiple_prompts("gpt-3.5-turbo", prompts)
for result in results:
    print(f"Q: {result['prompt']}")
    print(f"A: {result['response']}")
    print(f"Tokens: {result['tokens']}\n")
