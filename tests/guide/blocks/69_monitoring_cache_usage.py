# lines 2506-2544: Groq > Prompt Caching > Monitoring Cache Usage
def monitor_cache_usage(model, messages):
    """Monitor caching effectiveness"""
    
    response = completion(model=model, messages=messages)
    
    cache_info = {
        "total_tokens": 0,
        "cached_tokens": 0,
        "cache_hit_rate": 0,
        "cost_savings": 0
    }
    
    if response.usage:
        cache_info["total_tokens"] = response.usage.total_tokens
        
        # Check for cached tokens (Anthropic format)
        if hasattr(response.usage, 'prompt_tokens_details'):
            details = response.usage.prompt_tokens_details
            if isinstance(details, dict) and 'cached_tokens' in details:
                cache_info["cached_tokens"] = details['cached_tokens']
                cache_info["cache_hit_rate"] = (
                    cache_info["cached_tokens"] / response.usage.prompt_tokens * 100
                    if response.usage.prompt_tokens > 0 else 0
                )
        
        # Estimate cost savings (cached tokens typically cost 75% less)
        if cache_info["cached_tokens"] > 0:
            cache_info["cost_savings"] = cache_info["cached_tokens"] * 0.75
    
    return response, cache_info

# Example usage
response, cache_stats = monitor_cache_usage(
    "anthropic/claude-3-5-sonnet-20240620",
    [{"role": "user", "content": "Hello!"}]
)

print(f"Cache hit rate: {cache_stats['cache_hit_rate']:.1f}%")
print(f"Tokens saved: {cache_stats['cached_tokens']}")
