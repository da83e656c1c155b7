"""
OpenAI's embeddings, from the server's side: https://platform.openai.com/docs/api-reference/embeddings.

A vector follows from its input alone, so that equal inputs are equal and others are not.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING, Any

from .reply import as_json

if TYPE_CHECKING:
    from .reply import Question, Reply

PATH = "/embeddings"
DIMENSIONS = 8
"""The size of a vector, unless the request says."""

MOST_INPUTS = 2048


def problem(question: Question) -> str | None:
    """What OpenAI would refuse about the body, None if nothing."""
    inputs = inputs_of(question)
    if not inputs or not all(inputs):
        return "'$.input' is invalid. Please check the API reference."
    if len(inputs) > MOST_INPUTS:
        return f"Invalid 'input': maximum of {MOST_INPUTS} inputs, but {len(inputs)} were given."
    return None


def embeddings(reply: Reply, question: Question) -> dict[str, Any]:
    """The body of an answer: one vector for each input."""
    inputs = inputs_of(question)
    size = question.body.get("dimensions") or DIMENSIONS
    as_text = question.body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": packed(vector(one, size)) if as_text else vector(one, size),
        }
        for index, one in enumerate(inputs)
    ]
    tokens = reply.prompt_tokens
    if tokens is None:
        tokens = sum(len(one.split()) if isinstance(one, str) else len(one) for one in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": question.model, "usage": usage}


def inputs_of(question: Question) -> list[Any]:
    """The inputs one by one; a list of tokens is one."""
    given = question.body.get("input") or []
    if isinstance(given, str) or (given and isinstance(given[0], int)):
        return [given]
    return list(given)


def vector(one: Any, size: int) -> list[float]:
    """Numbers between -1 and 1 that follow from an input, exact in 32 bits."""
    digest = hashlib.shake_128(as_json(one).encode()).digest(size)
    return [byte / 128 - 1 for byte in digest]


def packed(numbers: list[float]) -> str:
    """The numbers as little-endian floats of 32 bits, in base64."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
