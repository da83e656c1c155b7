# lines 1549-1577: Groq > Reranking Models
from litellm import rerank

# Cohere reranking
response = rerank(
    model="cohere/rerank-english-v3.0",
    query="What is machine learning?",
    documents=[
        "Machine learning is a subset of AI",
        "Python is a programming language", 
        "Deep learning uses neural networks",
        "Statistics is used in data analysis"
    ],
    top_n=2  # Return top 2 most relevant
)

# Access reranked results
for result in response.results:
    print(f"Rank: {result.index}, Score: {result.relevance_score}")
    print(f"Document: {result.document.text}\n")

# Amazon Titan reranking (via Bedrock)
response = rerank(
    model="bedrock/amazon.rerank-v1:0",
    query="Python programming tutorials",
    documents=[...],
    aws_access_key_id="your-key",
    aws_secret_access_key="your-secret",
    aws_region_name="us-east-1"
)
