"""
Gemini's answers as they stand on the wire, as far as we translate them.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse. Every field may be
missing. An answer is read twice, into these types and as plain dictionaries: the types check
its shape, the dictionaries keep what the types do not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .errors import unreadable
from .gemini_errors import convert_error

if TYPE_CHECKING:
    from .base import Target


class Wire(msgspec.Struct, rename="camel", gc=False):
    """Base of what is read from the wire."""


class Blob(Wire):
    """Media as base64."""

    data: str = ""
    mime_type: str = ""


class FunctionCall(Wire):
    """A call of a function; Gemini 3 and later give it an id."""

    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class Part(Wire):
    """One part of what the model says."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None
    inline_data: Blob | None = None


class Content(Wire):
    """The model's turn."""

    parts: list[Part] | None = None


class Source(Wire):
    """A page or document that an answer rests on."""

    uri: str | None = None
    title: str | None = None


class Chunk(Wire):
    """Where a source comes from."""

    web: Source | None = None
    retrieved_context: Source | None = None
    maps: Source | None = None


class Segment(Wire):
    """A piece of the answer's text, in bytes of UTF-8."""

    start_index: int | None = None
    end_index: int | None = None


class Support(Wire):
    """Which sources a piece of the answer rests on."""

    segment: Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(Wire):
    """What a search has found."""

    grounding_chunks: list[Chunk] | None = None
    grounding_supports: list[Support] | None = None


class Token(Wire):
    """A token with its log probability."""

    token: str = ""
    log_probability: float = 0.0


class Alternatives(Wire):
    """The likeliest tokens of one step."""

    candidates: list[Token] | None = None


class Logprobs(Wire):
    """The chosen tokens and, step by step, the likeliest."""

    chosen_candidates: list[Token] | None = None
    top_candidates: list[Alternatives] | None = None


class Candidate(Wire):
    """One of the answers."""

    content: Content | None = None
    finish_reason: str | None = None
    index: int | None = None
    logprobs_result: Logprobs | None = None
    grounding_metadata: Grounding | None = None


class PromptFeedback(Wire):
    """What Google thinks of the question."""

    block_reason: str | None = None


class ModalityCount(Wire):
    """Tokens of one kind."""

    modality: str = ""
    token_count: int | None = None


class UsageMetadata(Wire):
    """Tokens as Google counts them: thoughts and the prompts of its own tools stand apart."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    cached_content_token_count: int | None = None
    total_token_count: int | None = None
    prompt_tokens_details: list[ModalityCount] | None = None
    candidates_tokens_details: list[ModalityCount] | None = None
    cache_tokens_details: list[ModalityCount] | None = None
    service_tier: str | None = None


class Response(Wire):
    """A `GenerateContentResponse`."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageMetadata | None = None
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None


Raw = dict[str, Any]
"""The same answer, or a piece of it, with everything in it."""


def read_answer(body: bytes, target: Target) -> tuple[Response, Raw]:
    """An answer twice: what we translate, typed, and everything that was sent.

    Raises:
        APIError: it is an error after all, or cannot be understood.
    """
    try:
        raw = msgspec.json.decode(body)
        if isinstance(raw, list) and len(raw) == 1:
            raw = raw[0]
        if isinstance(raw, dict) and raw.get("error"):
            raise convert_error(target, 200, {}, body)
        return msgspec.convert(raw, Response), raw
    except (ValueError, RecursionError) as error:
        raise unreadable(target, body, str(error)) from error
