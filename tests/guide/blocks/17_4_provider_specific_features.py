# lines 391-410: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > Provider-Specific Properties > **4. Provider-Specific Features**
# Google Vertex AI - Built-in search tools
tools = [
    {"googleSearch": {}},           # Google Search
    {"enterpriseWebSearch": {}}     # Enterprise search
]

# Anthropic - File content support
{
    "role": "user",
    "content": [
        {"type": "text", "text": "Analyze this document"},
        {"type": "file", "file": file_object}  # PDF, images, etc.
    ]
}

# Azure OpenAI - Deployment-specific models
model = "azure/my-deployment-name"  # Must match your Azure deployment

# Bedrock - AWS region-specific routing
os.environ["AWS_REGION_NAME"] = "us-east-1"  # Required for Bedrock
