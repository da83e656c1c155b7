# lines 724-829: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Multi-Turn Conversations > 4. Conversation with Function Calling
import json
from datetime import datetime

def get_current_time():
    """Get the current time"""
    return datetime.now().strftime("%Y-%m-%d %H:%M:%S")

def get_weather(location):
    """Mock weather function"""
    return f"The weather in {location} is sunny, 72°F"

def conversation_with_tools():
    """Multi-turn conversation with function calling"""
    
    tools = [
        {
            "type": "function",
            "function": {
                "name": "get_current_time",
                "description": "Get the current date and time",
                "parameters": {"type": "object", "properties": {}}
            }
        },
        {
            "type": "function", 
            "function": {
                "name": "get_weather",
                "description": "Get weather for a location",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "location": {"type": "string", "description": "City name"}
                    },
                    "required": ["location"]
                }
            }
        }
    ]
    
    available_functions = {
        "get_current_time": get_current_time,
        "get_weather": get_weather,
    }
    
    messages = [
        {
            "role": "system", 
            "content": "You are a helpful assistant with access to current time and weather information."
        }
    ]
    
    print("Assistant with tools ready! Ask about time or weather.")
    
    while True:
        user_input = input("\nYou: ")
        if user_input.lower() == 'quit':
            break
        
        messages.append({"role": "user", "content": user_input})
        
        # Get initial response
        response = completion(
            model="gpt-4",
            messages=messages,
            tools=tools,
            tool_choice="auto"
        )
        
        response_message = response.choices[0].message
        messages.append(response_message)
        
        # Check if model wants to call functions
        if response_message.tool_calls:
            print("Assistant is using tools...")
            
            # Execute each tool call
            for tool_call in response_message.tool_calls:
                function_name = tool_call.function.name
                function_args = json.loads(tool_call.function.arguments)
                
                # Call the function
                function_response = available_functions[function_name](**function_args)
                
                # Add function response to messages
                messages.append({
                    "tool_call_id": tool_call.id,
                    "role": "tool",
                    "name": function_name,
                    "content": str(function_response)
                })
            
            # Get final response with function results
            final_response = completion(
                model="gpt-4",
                messages=messages
            )
            
            final_message = final_response.choices[0].message.content
            messages.append({"role": "assistant", "content": final_message})
            print(f"Assistant: {final_message}")
            
        else:
            # Regular response without function calls
            print(f"Assistant: {response_message.content}")

conversation_with_tools()
