# lines 931-948: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Practical Examples > 1. Easy Model Switching
def chat_with_model(model_name, user_message):
    """Chat with any LLM provider using the same function"""
    response = completion(
        model=model_name,
        messages=[{"role": "user", "content": user_message}]
    )
    return response.choices[0].message.content

# Use the same function with different providers
user_msg = "Explain quantum computing in simple terms"

openai_answer = chat_with_model("gpt-4", user_msg)
anthropic_answer = chat_with_model("anthropic/claude-3-sonnet-20240229", user_msg)
google_answer = chat_with_model("vertex_ai/gemini-1.5-pro", user_msg)

print("OpenAI:", openai_answer)
print("Anthropic:", anthropic_answer)
print("Google:", google_answer)
