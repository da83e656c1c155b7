# lines 1260-1281: Groq > Embedding Models > Provider-Specific Embedding Features
# OpenAI - Dimension reduction
response = embedding(
    model="text-embedding-3-large",
    input="Your text",
    dimensions=512  # Reduce from 3072 to 512 dimensions
)

# Cohere - Input type specification
response = embedding(
    model="cohere/embed-multilingual-v3.0",
    input=["Query text", "Document text"],
    input_type="search_query",  # Optimize for search queries
    encoding_format="float"     # or "base64"
)

# Vertex AI - Multimodal embeddings
response = embedding(
    model="vertex_ai/textembedding-gecko@003",
    input="Your text here",
    vertex_ai_project="your-project-id",
    vertex_ai_location="us-central1"
)
