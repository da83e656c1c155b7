# lines 1224-1254: Groq > Embedding Models > Text Embeddings
from litellm import embedding

# OpenAI embeddings
response = embedding(
    model="text-embedding-3-large",  # Latest OpenAI: 3072 dimensions
    input=["Hello world", "How are you?"],
    dimensions=1024  # Optional: reduce dimensions
)

# Access embeddings
embeddings = response.data[0]['embedding']  # First text embedding
print(f"Embedding dimensions: {len(embeddings)}")

# Azure OpenAI embeddings
response = embedding(
    model="azure/text-embedding-ada-002",
    input="Your text here"
)

# Cohere embeddings
response = embedding(
    model="cohere/embed-english-v3.0",
    input="Your text here",
    input_type="search_query"  # or "search_document", "classification"
)

# Voyage AI embeddings
response = embedding(
    model="voyage/voyage-large-2",
    input="Your text here"
)
