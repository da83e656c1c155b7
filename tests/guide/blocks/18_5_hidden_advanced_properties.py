# lines 416-439: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > Provider-Specific Properties > **5. Hidden/Advanced Properties**
# Message-level properties (not in standard docs)
message = {
    "role": "user",
    "content": "Hello",
    "name": "John",                    # Optional: speaker name
    "reasoning_effort": "high",        # Anthropic: thinking intensity
    "cache_control": {"type": "ephemeral"},  # Anthropic: caching
}

# Model-specific capabilities check
from litellm import supports_reasoning, get_model_info

# Check if model supports reasoning
if supports_reasoning("anthropic/claude-3-7-sonnet-20250219"):
    # Use reasoning features
    response = completion(
        model="anthropic/claude-3-7-sonnet-20250219",
        messages=[...],
        reasoning_effort="medium"
    )

# Get detailed model info
model_info = get_model_info("gpt-4")
print(model_info["supports_assistant_prefill"])  # Check capabilities
