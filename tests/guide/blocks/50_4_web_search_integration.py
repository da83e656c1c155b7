# lines 1698-1717: Groq > Advanced Features > 4. Web Search Integration
def web_enhanced_chat(query):
    """Chat with web search capabilities"""
    response = completion(
        model="openai/gpt-4o-search-preview",  # Web search enabled model
        messages=[
            {
                "role": "user",
                "content": query
            }
        ],
        web_search_options={
            "search_context_size": "medium"  # "low", "medium", "high"
        }
    )
    
    return response.choices[0].message.content

# Example usage
answer = web_enhanced_chat("What are the latest developments in AI in 2024?")
print(f"Web-enhanced answer: {answer}")
