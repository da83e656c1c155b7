# lines 2718-2756: Groq > Prompt Caching > Global Caching Configuration > 3. Router-Level Caching Strategy
from litellm import Router

# Router with caching-optimized configurations
router = Router(
    model_list=[
        # OpenAI - implicit caching (always on)
        {
            "model_name": "gpt-4",
            "litellm_params": {"model": "gpt-4"},
            "model_info": {"caching": "implicit"}
        },
        
        # Anthropic - explicit caching configuration
        {
            "model_name": "claude-sonnet",
            "litellm_params": {"model": "anthropic/claude-3-sonnet-20240229"},
            "model_info": {"caching": "explicit"}
        },
        
        # Gemini - explicit caching configuration  
        {
            "model_name": "gemini-pro",
            "litellm_params": {
                "model": "vertex_ai/gemini-1.5-pro",
                "vertex_ai_project": "your-project",
                "vertex_ai_location": "us-central1"
            },
            "model_info": {"caching": "explicit"}
        }
    ],
    # Router handles caching optimization automatically
    routing_strategy="lowest-latency"  # Benefits from cached responses
)

# Router automatically uses optimal caching for each provider
response = router.completion(
    model="claude-sonnet", 
    messages=[{"role": "user", "content": "Hello!"}]
)
