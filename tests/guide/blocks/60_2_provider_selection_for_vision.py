# lines 2150-2159: Groq > Best Practices for Vision > 2. **Provider Selection for Vision**
def select_vision_provider(task_type):
    """Select best provider for vision task"""
    providers = {
        "detailed_analysis": "gpt-4o",  # Best for detailed descriptions
        "creative": "anthropic/claude-3-sonnet-20240229",  # Good for creative analysis
        "technical": "vertex_ai/gemini-1.5-pro",  # Good for technical details
        "fast": "gpt-4o",  # Fastest response
        "cost_effective": "vertex_ai/gemini-1.5-flash"  # Most cost-effective
    }
    return providers.get(task_type, "gpt-4o")
