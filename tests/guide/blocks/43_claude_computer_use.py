# lines 1433-1460: Groq > Computer Use > Claude Computer Use
from litellm import completion

# Latest Claude models with computer use
response = completion(
    model="anthropic/claude-3-5-sonnet-20241022",  # Computer use enabled
    messages=[
        {
            "role": "user",
            "content": "Take a screenshot and describe what you see on the screen"
        }
    ],
    tools=[
        {
            "type": "computer_20241022",
            "name": "computer",
            "display_width_px": 1920,
            "display_height_px": 1080,
            "display_number": 1
        }
    ],
    tool_choice="auto"
)

# Check if Claude wants to use computer
if response.choices[0].message.tool_calls:
    for tool_call in response.choices[0].message.tool_calls:
        print(f"Computer action: {tool_call.function.name}")
        print(f"Parameters: {tool_call.function.arguments}")
