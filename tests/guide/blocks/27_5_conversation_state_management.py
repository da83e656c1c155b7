# lines 835-923: LiteLLM: OpenAI-Compatible API Calls to Multiple Providers > Multi-Turn Conversations > 5. Conversation State Management
class ConversationManager:
    """Manage conversation state across multiple sessions"""
    
    def __init__(self, model="gpt-4", max_history=20):
        self.model = model
        self.max_history = max_history
        self.conversations = {}  # session_id -> messages
    
    def start_session(self, session_id, system_prompt=None):
        """Start a new conversation session"""
        messages = []
        if system_prompt:
            messages.append({"role": "system", "content": system_prompt})
        
        self.conversations[session_id] = {
            "messages": messages,
            "created_at": datetime.now(),
            "total_tokens": 0
        }
        return session_id
    
    def send_message(self, session_id, user_message, **kwargs):
        """Send a message in a session"""
        if session_id not in self.conversations:
            raise ValueError(f"Session {session_id} not found")
        
        conversation = self.conversations[session_id]
        messages = conversation["messages"]
        
        # Add user message
        messages.append({"role": "user", "content": user_message})
        
        # Trim conversation if too long
        if len(messages) > self.max_history:
            # Keep system message if present
            system_msgs = [msg for msg in messages if msg["role"] == "system"]
            other_msgs = [msg for msg in messages if msg["role"] != "system"]
            messages = system_msgs + other_msgs[-self.max_history:]
            conversation["messages"] = messages
        
        # Get AI response
        response = completion(
            model=self.model,
            messages=messages,
            **kwargs
        )
        
        ai_message = response.choices[0].message.content
        messages.append({"role": "assistant", "content": ai_message})
        
        # Update token count
        if response.usage:
            conversation["total_tokens"] += response.usage.total_tokens
        
        return ai_message
    
    def get_conversation_summary(self, session_id):
        """Get conversation statistics"""
        if session_id not in self.conversations:
            return None
        
        conversation = self.conversations[session_id]
        return {
            "message_count": len(conversation["messages"]),
            "total_tokens": conversation["total_tokens"],
            "created_at": conversation["created_at"],
            "duration": datetime.now() - conversation["created_at"]
        }

# Example usage
manager = ConversationManager(model="gpt-4")

# Start multiple sessions
session1 = manager.start_session("user123", "You are a helpful coding assistant.")
session2 = manager.start_session("user456", "You are a creative writing helper.")

# Have conversations
response1 = manager.send_message(session1, "How do I sort a list in Python?")
print(f"Session 1: {response1}")

response2 = manager.send_message(session2, "Write a short story about a robot.")
print(f"Session 2: {response2}")

# Continue conversations
response1b = manager.send_message(session1, "What about sorting in reverse order?")
print(f"Session 1 (continued): {response1b}")

# Check stats
print("Session 1 stats:", manager.get_conversation_summary(session1))
