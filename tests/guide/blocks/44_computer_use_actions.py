# lines 1468-1497: Groq > Computer Use > Computer Use Actions
# Available computer actions
computer_tools = [
    {
        "type": "computer_20241022",
        "name": "computer",
        "display_width_px": 1920,
        "display_height_px": 1080,
        "display_number": 1
    }
]

# Claude can:
# - Take screenshots
# - Click on elements
# - Type text
# - Scroll pages
# - Navigate applications
# - Read screen content

response = completion(
    model="anthropic/claude-3-5-sonnet-20241022",
    messages=[
        {
            "role": "user",
            "content": "Please open a web browser and search for 'LiteLLM documentation'"
        }
    ],
    tools=computer_tools,
    tool_choice="auto"
)
