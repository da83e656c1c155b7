# lines 2113-2125: Groq > Multimodal Embeddings
from litellm import embedding

# Vertex AI multimodal embeddings
response = embedding(
    model="vertex_ai/multimodalembedding@001",
    input=[
        "A description of the image",
        "data:image/jpeg;base64,..."  # Base64 image
    ]
)

print("Text embedding:", response.data[0]['embedding'])
print("Image embedding:", response.data[1]['embedding'])
