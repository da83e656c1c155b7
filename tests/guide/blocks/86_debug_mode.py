# lines 3218-3221: Groq > Troubleshooting > Debug Mode:
import litellm
litellm.set_verbose = True  # Enable debug logging

response = completion(model="gpt-4", messages=[...])
