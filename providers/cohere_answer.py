"""
What Cohere answers, in OpenAI's shape.

    {"id", "finish_reason", "usage": {"tokens", "billed_units", "cached_tokens"}, "logprobs",
     "message": {"content": [text or thinking …], "tool_calls", "tool_plan", "citations"}}

`tool_plan` and `citations` stay as they are in the message's `provider_specific_fields`, the
`billed_units` in the answer's; citations of sources with an address are OpenAI's annotations
too. Errors (https://docs.cohere.com/reference/errors) are ``{"message", "id"}``, sometimes with
an `error_type`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import (
    APIConnectionError,
    BadRequestError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
)
from ..schemas import ChatCompletion, Choice, Details, Function, Message, ToolCall, Usage
from .errors import UNREADABLE, ErrorDetails, make_error, read_error, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..exceptions import APIError
    from .base import Target

FINISH_REASONS = {
    "COMPLETE": "stop",
    "ERROR_LIMIT": "length",
    "ERROR_TOXIC": "content_filter",
    "MAX_TOKENS": "length",
    "STOP_SEQUENCE": "stop",
    "TIMEOUT": "length",
    "TOOL_CALL": "tool_calls",
}
"""Cohere's reasons to end. An answer cut by its limit of time is one cut short; one that ended
in an ``ERROR`` is no answer at all."""

STATUSES: Mapping[int, type[APIError]] = {
    498: ContentPolicyViolationError,
    499: APIConnectionError,
}
"""Cohere's own: a deny-listed token in request or answer; a request cancelled on its way."""

READ_FIELDS = frozenset({"finish_reason", "id", "logprobs", "message", "usage"})
READ_MESSAGE_FIELDS = frozenset({"content", "role", "tool_calls"})


class Block(msgspec.Struct, gc=False):
    """A content block."""

    type: str = "text"
    text: str | None = None
    thinking: str | None = None


class CohereFunction(msgspec.Struct, gc=False):
    """The function of a call, or a piece of it."""

    name: str | None = None
    arguments: str | None = None


class CohereToolCall(msgspec.Struct, gc=False):
    """One call of a tool, or a piece of it."""

    id: str | None = None
    function: CohereFunction = msgspec.field(default_factory=CohereFunction)


class Logprob(msgspec.Struct, gc=False):
    """A piece of text, the tokens it consists of, and how probable each was."""

    text: str = ""
    token_ids: list[int] = []
    logprobs: list[float] = []


class CohereMessage(msgspec.Struct):
    """The message of an answer."""

    content: list[Block] | None = None
    tool_calls: list[CohereToolCall] | None = None
    citations: list[dict[str, Any]] | None = None


class CohereAnswer(msgspec.Struct):
    """A whole answer."""

    message: CohereMessage
    id: str = ""
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    logprobs: list[Logprob] | None = None


def convert_completion(body: bytes, target: Target) -> ChatCompletion:
    """A whole answer.

    Raises:
        APIResponseValidationError: the body is none.
        InternalServerError: the generation failed.
    """
    try:
        raw = msgspec.json.decode(body)
        answer = msgspec.convert(raw, CohereAnswer)
    except UNREADABLE as error:
        raise unreadable(target, body, str(error)) from error
    message = convert_message(answer.message, raw["message"])
    finish = convert_finish_reason(answer.finish_reason, bool(message.tool_calls))
    if finish == "error":
        raise failed(target, body, str(raw.get("error") or "no message"))
    choice = Choice(
        message=message,
        finish_reason=finish,
        logprobs=convert_logprobs(answer.logprobs),
        _extra=finish_fields(answer.finish_reason),
    )
    return ChatCompletion(
        id=answer.id,
        created=int(time.time()),
        model=target.model,
        choices=[choice],
        usage=convert_usage(answer.usage),
        _extra={**_rest(raw, READ_FIELDS), **bill_fields(answer.usage)},
    )


def convert_message(message: CohereMessage, raw: dict[str, Any]) -> Message:
    """The content blocks as one message; `raw` is the same with all its fields."""
    blocks = message.content or []
    texts, starts, length = [], {}, 0
    for index, block in enumerate(blocks):
        starts[index] = length
        if block.text is not None:
            texts.append(block.text)
            length += len(block.text)
    calls = [
        ToolCall(
            id=call.id or "",
            function=Function(
                name=call.function.name or "", arguments=call.function.arguments or "{}"
            ),
        )
        for call in message.tool_calls or ()
    ]
    return Message(
        content="".join(texts) if texts else None,
        reasoning_content="".join(block.thinking or "" for block in blocks) or None,
        tool_calls=calls or None,
        annotations=convert_citations(message.citations or (), starts) or None,
        _extra=_rest(raw, READ_MESSAGE_FIELDS),
    )


def convert_citations(
    citations: Iterable[Mapping[str, Any]], starts: Mapping[int, int]
) -> list[dict[str, Any]]:
    """OpenAI's annotations for citations whose source has an address.

    Citations count within their content block; `starts` says where each begins in the message.
    """
    converted = []
    for citation in citations:
        start = starts.get(_count(citation, "content_index"), 0)
        if citation.get("type", "TEXT_CONTENT") != "TEXT_CONTENT":
            continue  # it is about the plan or the thoughts, not about the content
        for source in _dictionaries(citation.get("sources")):
            page = source.get("document") or source.get("tool_output")
            if isinstance(page, dict) and isinstance(page.get("url"), str):
                place = {
                    "url": page["url"],
                    "title": page.get("title"),
                    "start_index": start + _count(citation, "start"),
                    "end_index": start + _count(citation, "end"),
                }
                converted.append({"type": "url_citation", "url_citation": place})
    return converted


def convert_finish_reason(native: str | None, has_calls: bool) -> str | None:
    """OpenAI's word for the end, ``"error"`` where it is none that a caller may see."""
    if native is None:
        return None
    reason = FINISH_REASONS.get(native, native.lower())
    return "tool_calls" if has_calls and reason == "stop" else reason


def finish_fields(native: str | None) -> dict[str, Any]:
    """Why the answer ended, in Cohere's words."""
    return {"native_finish_reason": native} if native else {}


def convert_usage(usage: Mapping[str, Any] | None) -> Usage | None:
    """Tokens; images are counted beside the prompt's other tokens, thoughts within the answer's."""
    if not usage:
        return None
    tokens = usage.get("tokens") or usage.get("billed_units")
    images, thoughts = _count(tokens, "image_tokens"), _count(tokens, "reasoning_tokens")
    prompt = _count(tokens, "input_tokens") + images
    completion = _count(tokens, "output_tokens")
    prompt_details = Details(cached_tokens=_count(usage, "cached_tokens"))
    if images:
        prompt_details["image_tokens"] = images
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=prompt_details if "cached_tokens" in usage or images else None,
        completion_tokens_details=Details(reasoning_tokens=thoughts) if thoughts else None,
    )


def bill_fields(usage: Mapping[str, Any] | None) -> dict[str, Any]:
    """What Cohere charges for, which is less than the tokens: its own prompt is free."""
    return {"billed_units": usage["billed_units"]} if usage and "billed_units" in usage else {}


def _count(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return int(value) if isinstance(value, int | float) else 0


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def convert_logprobs(items: Iterable[Logprob] | None) -> dict[str, Any] | None:
    """OpenAI's entries; where a piece of text is several tokens, their log probabilities add up."""
    if not items:
        return None
    return {
        "content": [
            {
                "token": item.text,
                "logprob": sum(item.logprobs),
                "bytes": list(item.text.encode()),
                "top_logprobs": [],
                "token_ids": item.token_ids,
            }
            for item in items
        ]
    }


def convert_error(target: Target, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
    """The exception for an error answer."""
    details = read_error(body)
    code = _error_type(body)
    kind = classify(status, code, details)
    return make_error(target, status, headers, body, details=details._replace(type=code), kind=kind)


def _error_type(body: bytes) -> str | None:
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    return str(raw["error_type"]) if isinstance(raw, dict) and raw.get("error_type") else None


def classify(status: int, code: str | None, details: ErrorDetails) -> type[APIError] | None:
    """The class that Cohere's status, code or words ask for where HTTP's status says too little."""
    said = details.message.lower()
    if status == 400 and (code == "TOO_MANY_TOKENS" or said.startswith("too many tokens")):
        asked_too_much = "max tokens must be" in said
        return BadRequestError if asked_too_much else ContextWindowExceededError
    return STATUSES.get(status)


def failed(target: Target, body: bytes, message: str) -> APIError:
    """The exception for a generation that ended in an error, at status 200."""
    details = ErrorDetails(f"the generation failed: {message}", "ERROR")
    return make_error(target, 200, {}, body, details=details, kind=InternalServerError)


def _rest(values: Mapping[str, Any], read: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in read}
