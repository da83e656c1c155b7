# lines 1374-1382: Groq > Image Generation > Azure Image Generation
# Azure DALL-E
response = image_generation(
    model="azure/dall-e-3",
    prompt="Abstract art with vibrant colors",
    size="1024x1024",
    api_key="your-azure-key",
    api_base="https://your-resource.openai.azure.com",
    api_version="2024-02-01"
)
