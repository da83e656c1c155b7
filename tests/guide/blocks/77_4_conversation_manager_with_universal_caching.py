# lines 2764-2839: Groq > Prompt Caching > Global Caching Configuration > 4. Conversation Manager with Universal Caching
class CachingConversationManager:
    """Manages conversations with optimal caching for all providers"""
    
    def __init__(self):
        self.conversations = {}
        
        # Provider caching capabilities
        self.explicit_cache_providers = {
            "anthropic/", "claude-", "vertex_ai/", "gemini/"
        }
    
    def _optimize_messages_for_caching(self, messages, model):
        """Add cache controls based on provider capabilities"""
        
        supports_explicit = any(
            provider in model for provider in self.explicit_cache_providers
        )
        
        if not supports_explicit:
            return messages  # Implicit caching providers
        
        optimized = []
        for i, msg in enumerate(messages):
            if msg["role"] == "system":
                # Always cache system messages
                optimized.append(self._add_cache_control(msg))
            elif (msg["role"] == "user" and 
                  len(msg.get("content", "")) > 500):  # Cache long user messages
                optimized.append(self._add_cache_control(msg))
            elif (i > 0 and i % 10 == 0):  # Cache every 10th message as checkpoint
                optimized.append(self._add_cache_control(msg))
            else:
                optimized.append(msg)
        
        return optimized
    
    def _add_cache_control(self, message):
        """Add cache_control to a message"""
        if isinstance(message["content"], str):
            return {
                "role": message["role"],
                "content": [
                    {
                        "type": "text",
                        "text": message["content"],
                        "cache_control": {"type": "ephemeral"}
                    }
                ]
            }
        return message  # Already structured
    
    def send_message(self, conversation_id, model, messages):
        """Send message with optimal caching"""
        
        # Optimize messages for the specific provider
        optimized_messages = self._optimize_messages_for_caching(messages, model)
        
        # Make the completion call
        response = completion(model=model, messages=optimized_messages)
        
        # Store conversation state
        self.conversations[conversation_id] = {
            "messages": optimized_messages,
            "model": model,
            "last_response": response
        }
        
        return response

# Usage across all providers with optimal caching
manager = CachingConversationManager()

# All these will use optimal caching for their respective providers
openai_response = manager.send_message("conv1", "gpt-4", messages)
anthropic_response = manager.send_message("conv2", "anthropic/claude-3-sonnet", messages)  
gemini_response = manager.send_message("conv3", "vertex_ai/gemini-pro", messages)
