# lines 24-40: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Quick Start > 2. Basic Usage
from litellm import completion
import os

# Set your API keys
os.environ["OPENAI_API_KEY"] = "your-openai-key"
os.environ["ANTHROPIC_API_KEY"] = "your-anthropic-key"

# Same function, different providers
messages = [{"role": "user", "content": "Hello, how are you?"}]

# OpenAI
response = completion(model="gpt-4", messages=messages)
print(response.choices[0].message.content)

# Anthropic
response = completion(model="anthropic/claude-3-sonnet-20240229", messages=messages)
print(response.choices[0].message.content)
