# lines 1357-1368: Groq > Image Generation > Stable Diffusion Models
# Stability AI models via Bedrock
response = image_generation(
    model="bedrock/stability.stable-diffusion-xl-v1",
    prompt="A serene lake surrounded by mountains",
    width=1024,
    height=1024,
    steps=50,              # Inference steps
    cfg_scale=7.0,         # Prompt adherence
    aws_access_key_id="your-key",
    aws_secret_access_key="your-secret",
    aws_region_name="us-east-1"
)
