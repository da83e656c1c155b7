# lines 336-351: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > Provider-Specific Properties > **2. System Message Limitations**
# Models without system message support
unsupported_models = [
    "google/gemma",
    "replicate/llama-2-7b-chat", 
    # many open-source models
]

# LiteLLM handles this automatically, but you can configure:
response = completion(
    model="custom/my-model",
    messages=[
        {"role": "system", "content": "You are helpful"},  # Gets converted to user message
        {"role": "user", "content": "Hello"}
    ],
    supports_system_message=False  # Force conversion
)
