# lines 297-328: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Provider Compatibility & Limitations > Provider-Specific Properties > **1. Anthropic-Specific Properties**
# Assistant prefill (guide response start)
{
    "role": "assistant", 
    "content": "{",  # Prefill JSON start
    "prefix": True  # LiteLLM-specific flag for Anthropic
}

# Cache control for cost optimization
{
    "role": "user",
    "content": [
        {
            "type": "text",
            "text": "Long document content...",
            "cache_control": {"type": "ephemeral"}  # Anthropic prompt caching
        }
    ]
}

# Reasoning/thinking blocks (Claude 3.7+)
{
    "role": "assistant",
    "content": "The answer is Paris.",
    "reasoning_content": "Let me think about this...",  # Reasoning process
    "thinking_blocks": [                                      # Structured thinking
        {
            "type": "thinking",
            "thinking": "The user is asking about France's capital...",
            "signature": "base64_encoded_signature"
        }
    ]
}
