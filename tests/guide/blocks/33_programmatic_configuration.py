# lines 1105-1113: Groq > Programmatic Configuration
import litellm

# Set API keys programmatically
litellm.openai_key = "sk-..."
litellm.anthropic_key = "sk-ant-..."
litellm.cohere_key = "..."

# Or use the general api_key (tries all providers)
litellm.api_key = "your-key"
