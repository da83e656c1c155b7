"""OpenAI's shapes: what a call returns, whole or chunk by chunk, and how it came about."""

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
from .records import Details, Record, Unread, convert, decode_details
from .route import Attempt, Route

__all__ = [
    "Answer",
    "Attempt",
    "ChatCompletion",
    "ChatCompletionChunk",
    "Choice",
    "ChunkChoice",
    "Delta",
    "DeltaFunction",
    "DeltaToolCall",
    "Details",
    "Function",
    "Message",
    "Record",
    "Route",
    "ToolCall",
    "Unread",
    "Usage",
    "convert",
    "decode_details",
    "request_id",
]
