"""OpenAI's shapes: what a call returns, whole or chunk by chunk, and how it came about."""

from .audio import Speech, Transcription
from .chat import (
    Answer,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Delta,
    DeltaFunction,
    DeltaToolCall,
    Function,
    Message,
    ToolCall,
    Usage,
    request_id,
)
from .embeddings import Embedding, EmbeddingResponse
from .images import Image, ImageResponse, ImageUsage
from .moderation import Categories, Moderation, ModerationResult
from .records import Details, Record, Unread, convert, decode_details
from .rerank import RerankDocument, RerankMeta, RerankResponse, RerankResult, RerankUnits
from .route import Attempt, Route
from .text import TextChoice, TextCompletion

__all__ = [
    "Answer",
    "Attempt",
    "Categories",
    "ChatCompletion",
    "ChatCompletionChunk",
    "Choice",
    "ChunkChoice",
    "Delta",
    "DeltaFunction",
    "DeltaToolCall",
    "Details",
    "Embedding",
    "EmbeddingResponse",
    "Function",
    "Image",
    "ImageResponse",
    "ImageUsage",
    "Message",
    "Moderation",
    "ModerationResult",
    "Record",
    "RerankDocument",
    "RerankMeta",
    "RerankResponse",
    "RerankResult",
    "RerankUnits",
    "Route",
    "Speech",
    "TextChoice",
    "TextCompletion",
    "ToolCall",
    "Transcription",
    "Unread",
    "Usage",
    "convert",
    "decode_details",
    "request_id",
]
