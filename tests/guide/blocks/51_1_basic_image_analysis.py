# lines 1791-1841: Groq > Vision Examples > 1. Basic Image Analysis
import base64
from litellm import completion

def encode_image(image_path):
    """Encode image to base64"""
    with open(image_path, "rb") as image_file:
        return base64.b64encode(image_file.read()).decode('utf-8')

def analyze_image(model, image_path, question):
    """Analyze images with vision models"""
    base64_image = encode_image(image_path)
    
    response = completion(
        model=model,
        messages=[
            {
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
            }
        ],
        max_tokens=300
    )
    
    return response.choices[0].message.content

# Try with different latest providers (2025 models)
providers = [
    "gpt-4.1-turbo",                             # OpenAI 2025 - 1.05M context
    "gpt-4.1-nano",                              # OpenAI 2025 - Most cost-effective vision  
    "anthropic/claude-4-sonnet-20250514",       # Anthropic 2025 - Computer use
    "vertex_ai/gemini-2.5-pro",                 # Google 2025 - Audio/video support
    "vertex_ai/llama-4-scout-17b",              # Meta 2025 - 10M context
    "amazon-nova/nova-pro",                      # Amazon 2025 - Enterprise
    "lambda/llama3.2-11b-vision",               # Lambda - Most affordable ($0.015/1K)
    "nscale/qwen2.5-coder-3b-instruct"          # NSScale - Ultra-low-cost ($0.01/1K)
]

for provider in providers:
    try:
        result = analyze_image(provider, "image.jpg", "What's in this image?")
        print(f"✅ {provider}: {result}\n")
    except Exception as e:
        print(f"❌ {provider} failed: {e}\n")
