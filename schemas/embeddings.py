"""
Embeddings in OpenAI's shape.

    EmbeddingResponse ── data: [Embedding ── embedding: list[float] or base64]
                      └─ usage: Usage, None where the provider has not counted

https://platform.openai.com/docs/api-reference/embeddings/object
"""

from __future__ import annotations

from typing import Any

from .chat import Answer, Usage
from .records import Record, private


class Embedding(Record, kw_only=True):
    """The vector of one input.

    `embedding` is a list of numbers, or with ``encoding_format="base64"`` their text: little-endian
    floats of 32 bits. `index` is the place of the input.
    """

    object: str = "embedding"
    index: int = 0
    embedding: list[float] | str
    _extra: Any = private("extra")


class EmbeddingResponse(Answer, kw_only=True):
    """The vectors of one call, in the order of its inputs."""

    object: str = "list"
    data: list[Embedding]
    model: str = ""
    usage: Usage | None = None
