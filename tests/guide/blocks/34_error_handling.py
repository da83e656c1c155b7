# lines 1119-1140: Groq > Error Handling
from litellm.exceptions import RateLimitError, APIError, AuthenticationError

def safe_completion(model, messages):
    try:
        response = completion(model=model, messages=messages)
        return response.choices[0].message.content
    
    except AuthenticationError:
        return "Error: Invalid API key"
    
    except RateLimitError:
        return "Error: Rate limit exceeded, try again later"
    
    except APIError as e:
        return f"API Error: {str(e)}"
    
    except Exception as e:
        return f"Unexpected error: {str(e)}"

# Safe usage
result = safe_completion("gpt-4", [{"role": "user", "content": "Hello!"}])
print(result)
