# lines 105-112: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Examples > Azure OpenAI
os.environ["AZURE_API_KEY"] = "your-azure-key"
os.environ["AZURE_API_BASE"] = "https://your-resource.openai.azure.com"
os.environ["AZURE_API_VERSION"] = "2023-12-01-preview"

response = completion(
    model="azure/your-deployment-name",
    messages=[{"role": "user", "content": "Hello!"}]
)
