# lines 71-85: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Google (Vertex AI)
# Set up Google Cloud credentials first
os.environ["VERTEXAI_PROJECT"] = "your-project-id"
os.environ["VERTEXAI_LOCATION"] = "us-central1"

# Latest Google Gemini models (2025)
response = completion(
    model="vertex_ai/gemini-2.5-pro",  # Latest 2025: 1M context, multimodal, reasoning
    messages=[{"role": "user", "content": "Hello!"}]
)

# 2024/2025 models
response = completion(
    model="vertex_ai/gemini-2.0-flash",  # Fast, cost-effective, 1M context
    messages=[{"role": "user", "content": "Hello!"}]
)
