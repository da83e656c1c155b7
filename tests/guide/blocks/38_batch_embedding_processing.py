# lines 1287-1308: Groq > Embedding Models > Batch Embedding Processing
def batch_embed_documents(texts, model="text-embedding-3-small", batch_size=100):
    """Process large document collections efficiently"""
    all_embeddings = []
    
    for i in range(0, len(texts), batch_size):
        batch = texts[i:i + batch_size]
        
        response = embedding(
            model=model,
            input=batch
        )
        
        batch_embeddings = [item['embedding'] for item in response.data]
        all_embeddings.extend(batch_embeddings)
        
        print(f"Processed {min(i + batch_size, len(texts))}/{len(texts)} documents")
    
    return all_embeddings

# Process large document collection
documents = ["Document 1 text...", "Document 2 text..."]  # Your documents
embeddings = batch_embed_documents(documents)
