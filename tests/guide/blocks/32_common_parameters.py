# lines 1085-1099: Groq > Common Parameters
response = completion(
    model="any-provider/model",
    messages=[{"role": "user", "content": "Hello!"}],
    
    # Standard parameters that work everywhere
    temperature=0.7,        # Controls randomness (0-1)
    max_tokens=1000,        # Maximum response length
    top_p=0.9,             # Nucleus sampling
    stream=False,          # Enable streaming
    stop=["END"],          # Stop sequences
    
    # Provider-specific parameters are also supported
    frequency_penalty=0.1,  # OpenAI specific
    presence_penalty=0.1,   # OpenAI specific
)
