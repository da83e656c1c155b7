# lines 1329-1351: Groq > Image Generation > DALL-E Models
from litellm import image_generation

# DALL-E 3 (latest)
response = image_generation(
    model="dall-e-3",
    prompt="A futuristic city with flying cars",
    size="1024x1024",  # "1792x1024", "1024x1792"
    quality="hd",      # "standard" or "hd"
    style="vivid",     # "vivid" or "natural"
    n=1                # Number of images
)

# Access generated image
image_url = response.data[0].url
print(f"Generated image: {image_url}")

# DALL-E 2 (cost-effective)
response = image_generation(
    model="dall-e-2",
    prompt="A sunset over mountains",
    size="512x512",    # "256x256", "512x512", "1024x1024"
    n=2                # Generate multiple variations
)
