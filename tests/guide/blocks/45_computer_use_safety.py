# lines 1512-1541: Groq > Computer Use > Computer Use Safety
# Always implement safety measures
def safe_computer_use(prompt, model="anthropic/claude-3-5-sonnet-20241022"):
    """Computer use with safety constraints"""
    
    safety_prompt = f"""
    {prompt}
    
    SAFETY CONSTRAINTS:
    - Only interact with approved applications
    - Do not access sensitive files or data
    - Confirm destructive actions before proceeding
    - Respect privacy and security boundaries
    """
    
    response = completion(
        model=model,
        messages=[{"role": "user", "content": safety_prompt}],
        tools=[{
            "type": "computer_20241022",
            "name": "computer",
            "display_width_px": 1920,
            "display_height_px": 1080
        }],
        tool_choice="auto"
    )
    
    return response

# Safe computer use
result = safe_computer_use("Help me organize my desktop files")
