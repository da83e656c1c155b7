# lines 169-222: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Complete Feature Reference > Core Parameters
from litellm import completion

response = completion(
    # Required
    model="gpt-4",                    # Model to use
    messages=[...],                   # List of message objects
    
    # Text Generation Control
    temperature=0.7,                  # Randomness (0-2, default: 1)
    max_tokens=1000,                  # Max response tokens
    max_completion_tokens=1000,       # Alternative to max_tokens
    top_p=0.9,                       # Nucleus sampling (0-1)
    n=1,                             # Number of completions
    stop=["END", "\n\n"],            # Stop sequences
    presence_penalty=0.0,            # Penalize new tokens (-2 to 2)
    frequency_penalty=0.0,           # Penalize frequent tokens (-2 to 2)
    logit_bias={"50256": -100},      # Modify token probabilities
    seed=42,                         # Reproducible outputs
    
    # Response Format
    response_format={"type": "json_object"},  # JSON mode
    stream=False,                    # Enable streaming
    stream_options={"include_usage": True},  # Streaming options
    
    # Advanced Features
    tools=[...],                     # Function calling tools
    tool_choice="auto",              # Tool selection: "auto", "none", or specific tool
    parallel_tool_calls=True,        # Enable parallel tool execution
    functions=[...],                 # Legacy function calling (deprecated)
    function_call="auto",            # Legacy function control (deprecated)
    
    # Logging & Debugging
    logprobs=True,                   # Return token probabilities
    top_logprobs=3,                  # Number of top logprobs
    user="user123",                  # User identifier
    
    # API Configuration
    timeout=30,                      # Request timeout (seconds)
    api_key="custom-key",            # Override API key
    base_url="https://custom.api",   # Custom API base
    api_version="2023-12-01",        # API version
    
    # LiteLLM Specific
    force_timeout=60,                # Force timeout
    verbose=True,                    # Enable debug logging
    logger_fn=custom_logger,         # Custom logging function
    extra_body={"metadata": {...}},  # Additional request data
    
    # Specialized Features
    web_search_options={"search_context_size": "medium"},  # Web search
    prompt_id="my-prompt-123",       # Prompt management
    prompt_variables={"name": "John"},  # Prompt variables
    prompt_version=1,                # Prompt version
)
