# lines 3034-3094: Groq > Prompt Caching > Conversation Class with Universal Caching
class UniversalCachingChat:
    """Chat class that adds cache_control to everything"""
    
    def __init__(self, model, system_prompt=None):
        self.model = model
        self.messages = []
        
        if system_prompt:
            self.messages.append({
                "role": "system",
                "content": [
                    {
                        "type": "text",
                        "text": system_prompt,
                        "cache_control": {"type": "ephemeral"}  # Cache system prompt
                    }
                ]
            })
    
    def send_message(self, user_message):
        """Send message with universal cache_control"""
        
        # Add user message with cache_control
        self.messages.append({
            "role": "user",
            "content": [
                {
                    "type": "text", 
                    "text": user_message,
                    "cache_control": {"type": "ephemeral"}  # Cache all user messages
                }
            ]
        })
        
        # Get response (cache_control is handled per provider)
        response = completion(model=self.model, messages=self.messages)
        
        # Add assistant response to conversation
        assistant_message = response.choices[0].message.content
        self.messages.append({
            "role": "assistant",
            "content": [
                {
                    "type": "text",
                    "text": assistant_message,
                    "cache_control": {"type": "ephemeral"}  # Cache responses too
                }
            ]
        })
        
        return assistant_message

# Usage - same code works with any provider
openai_chat = UniversalCachingChat("gpt-4", "You are a helpful assistant.")
anthropic_chat = UniversalCachingChat("anthropic/claude-3-sonnet", "You are a helpful assistant.")
gemini_chat = UniversalCachingChat("vertex_ai/gemini-1.5-pro", "You are a helpful assistant.")

# All conversations use optimal caching for their respective providers
openai_response = openai_chat.send_message("Hello!")      # Implicit caching
anthropic_response = anthropic_chat.send_message("Hello!") # Explicit caching  
gemini_response = gemini_chat.send_message("Hello!")      # Context caching
