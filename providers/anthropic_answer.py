"""
Claude's answers in OpenAI's shape, and its errors as exceptions.

https://docs.claude.com/en/api/messages and …/errors. Text, calls of tools and thinking have
their places in a message. An answer with other blocks (searches of the web, code that ran)
keeps all of them as `content_blocks`, so that it can go back into `messages` complete.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import (
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    Timeout,
)
from ..schemas import ChatCompletion, Choice, Details, Function, Message, ToolCall, Usage
from .anthropic_tools import JSON_TOOL
from .errors import UNREADABLE, ErrorDetails, make_error, read_error
from .messages import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import Call, Target

FINISH_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
}

ERROR_TYPES: dict[str, type[APIError]] = {
    "api_error": InternalServerError,
    "authentication_error": AuthenticationError,
    "billing_error": PermissionDeniedError,
    "invalid_request_error": BadRequestError,
    "not_found_error": NotFoundError,
    "overloaded_error": OverloadedError,
    "permission_error": PermissionDeniedError,
    "rate_limit_error": RateLimitError,
    "request_too_large": RequestTooLargeError,
    "timeout_error": Timeout,
}
"""Types of errors; in a stream they are all there is to go by."""

ERROR_TEXTS: tuple[tuple[re.Pattern[str], type[APIError]], ...] = (
    (
        re.compile(
            r"prompt is too long|input is too long|exceeds? (?:the )?context (?:limit|window)"
        ),
        ContextWindowExceededError,
    ),
    (re.compile(r"content filtering policy|usage policy"), ContentPolicyViolationError),
    (re.compile(r"credit balance is too low"), PermissionDeniedError),
)
"""Bad requests that are told apart by their words only."""

USAGE_FIELDS = frozenset({"cache_creation", "input_tokens", "output_tokens"})
"""Counts that have a place in OpenAI's usage; others are kept as they are."""

PLAIN_BLOCKS = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_TOOL_FIELDS = frozenset({"type", "id", "name", "input"})


class Block(msgspec.Struct, gc=False):
    """One content block, checked as far as it is read."""

    type: str
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    citations: list[dict[str, Any]] | None = None


class Answer(msgspec.Struct, gc=False):
    """A whole answer, checked as far as it is read."""

    content: list[Block]
    id: str = ""
    type: str = "message"
    role: str = "assistant"
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None


def parse_answer(body: bytes, call: Call, target: Target) -> ChatCompletion:
    """A whole answer.

    Raises:
        APIError: it is an error after all, or cannot be understood.
    """
    try:
        raw = msgspec.json.decode(body)
        answer = msgspec.convert(raw, Answer)
    except UNREADABLE as error:
        raise unreadable(target, body, str(error)) from error
    message = convert_message(answer.content, raw["content"], call)
    reason = finish_reason(answer.stop_reason, message)
    completion = ChatCompletion(
        id=answer.id,
        created=int(time.time()),
        model=answer.model or target.model,
        choices=[Choice(message=message, finish_reason=reason)],
        usage=None if answer.usage is None else convert_usage(answer.usage),
    )
    completion._extra = {
        name: value for name, value in raw.items() if name not in Answer.__struct_fields__
    }
    completion.choices[0]._extra = stop_fields(
        answer.stop_reason, answer.stop_sequence, answer.stop_details
    )
    return completion


def convert_message(blocks: list[Block], raw: list[dict[str, Any]], call: Call) -> Message:
    """The content blocks as one message; `raw` are the same blocks with all their fields."""
    prefix = prefix_of(call)
    texts: list[str] = []
    thoughts: list[str] = []
    thinking: list[dict[str, Any]] = []
    calls: list[ToolCall] = []
    citations: list[dict[str, Any]] = []
    for block, fields in zip(blocks, raw, strict=True):
        match block.type:
            case "text":
                start = len(prefix) + sum(map(len, texts))
                texts.append(block.text or "")
                citations += place_citations(block.citations, start, start + len(texts[-1]))
            case "thinking" | "redacted_thinking":
                thinking.append(fields)
                thoughts.append(block.thinking or "")
            case "tool_use" if block.name == JSON_TOOL and wants_json(call):
                texts = [encode_input(fields.get("input"))]  # words around it would spoil the JSON
            case "tool_use":
                calls.append(convert_tool_use(block, fields))
    message = Message(
        content=prefix + "".join(texts) if texts else None,
        reasoning_content="".join(thoughts) or None,
        thinking_blocks=thinking or None,
        annotations=convert_citations(citations) or None,
        tool_calls=calls or None,
    )
    if wants_function_call(call) and calls:
        message.function_call, message.tool_calls = calls[0].function, None
    message._extra = message_fields(raw, citations)
    return message


def message_fields(blocks: list[dict[str, Any]], citations: list[dict[str, Any]]) -> dict[str, Any]:
    """What a message holds beyond OpenAI's fields."""
    fields: dict[str, Any] = {"citations": citations} if citations else {}
    if any(block.get("type") not in PLAIN_BLOCKS for block in blocks):
        fields["content_blocks"] = blocks
    return fields


def convert_tool_use(block: Block, fields: Mapping[str, Any]) -> ToolCall:
    """A call of a tool; fields of Anthropic's own (`caller`) are kept."""
    return ToolCall(
        id=block.id or "",
        function=Function(name=block.name or "", arguments=encode_input(fields.get("input"))),
        provider_specific_fields=tool_fields(fields),
    )


def tool_fields(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of a call that OpenAI's shape has no place for."""
    return {name: value for name, value in fields.items() if name not in _TOOL_FIELDS} or None


def encode_input(value: Any) -> str:
    """A tool's input as JSON text."""
    return msgspec.json.encode({} if value is None else value).decode()


def place_citations(
    citations: Iterable[dict[str, Any]] | None, start: int, end: int
) -> list[dict[str, Any]]:
    """Citations with the stretch of the message that they stand behind."""
    return [{**citation, "start_index": start, "end_index": end} for citation in citations or ()]


def convert_citations(citations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """OpenAI's annotations for the citations that point to the web."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "url": citation["url"],
                "title": citation.get("title") or "",
                "start_index": citation["start_index"],
                "end_index": citation["end_index"],
            },
        }
        for citation in citations
        if citation.get("url")
    ]


def convert_usage(usage: Mapping[str, Any]) -> Usage:
    """Usage as OpenAI counts: `prompt_tokens` includes what was read from or put into the cache."""
    plain, answered = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    written = _count(usage, "cache_creation_input_tokens")
    read = _count(usage, "cache_read_input_tokens")
    prompt = plain + written + read
    details = usage.get("output_tokens_details") or {}
    completion = Details(text_tokens=answered)
    if isinstance(details, dict) and details.get("thinking_tokens") is not None:
        completion["reasoning_tokens"] = thought = _count(details, "thinking_tokens")
        completion["text_tokens"] -= thought
    prompt_details = Details(cached_tokens=read, cache_creation_tokens=written, text_tokens=plain)
    if usage.get("cache_creation"):
        prompt_details["cache_creation_token_details"] = usage["cache_creation"]
    converted = Usage(
        prompt_tokens=prompt,
        completion_tokens=answered,
        total_tokens=prompt + answered,
        prompt_tokens_details=prompt_details,
        completion_tokens_details=completion,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=read,
    )
    converted._extra = {
        name: value
        for name, value in usage.items()
        if name not in USAGE_FIELDS and name not in Usage.__struct_fields__
    }
    return converted


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


def finish_reason(native: str | None, message: Message) -> str | None:
    """OpenAI's word for the reason to end; an answer given by the JSON tool is no call."""
    if native is None:
        return None
    reason = FINISH_REASONS.get(native, "stop")
    if reason == "tool_calls" and not message.tool_calls:
        return "function_call" if message.function_call else "stop"
    return reason


def stop_fields(
    reason: str | None, sequence: str | None, details: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Why the answer ended, in Anthropic's words."""
    fields = {
        "native_finish_reason": reason,
        "stop_sequence": sequence,
        "stop_details": details,
    }
    return {name: value for name, value in fields.items() if value is not None}


def wants_json(call: Call) -> bool:
    """Whether the answer may come as the JSON tool's input."""
    wanted = call.params.get("response_format") or {}
    return wanted.get("type") in ("json_object", "json_schema")


def wants_function_call(call: Call) -> bool:
    """Whether the caller wrote OpenAI's old `functions` and expects a `function_call`."""
    return bool(call.params.get("functions"))


def prefix_of(call: Call) -> str:
    """The caller's beginning of the answer (`prefix: true`), which a whole answer repeats."""
    last = call.messages[-1]
    return text_of(last).rstrip() if last["role"] == "assistant" and last.get("prefix") else ""


def make_messages_error(
    target: Target, status: int, headers: Mapping[str, str], body: bytes
) -> APIError:
    """The exception for an error, as an HTTP answer or (status 200) inside a stream."""
    details = read_error(body)
    kind = classify(status, details)
    error = make_error(target, status, headers, body, details=details, kind=kind)
    if error.request_id is None:
        error.request_id = _request_id(body)
    return error


def classify(status: int, details: ErrorDetails) -> type[APIError] | None:
    """The class that the error's type or, for bad requests, its words ask for."""
    kind = ERROR_TYPES.get(details.type or "")
    if status in (400, 413) or kind is BadRequestError:
        for pattern, precise in ERROR_TEXTS:
            if pattern.search(details.message.lower()):
                return precise
    if status >= 300 and kind in (BadRequestError, InternalServerError):
        return None  # the status is more precise
    return kind or (None if status >= 300 else InternalServerError)


def unreadable(target: Target, body: bytes, reason: str) -> APIError:
    """The exception for a 2xx body or event that is an error after all, or makes no sense."""
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        raw = None
    if isinstance(raw, dict) and raw.get("error"):
        return make_messages_error(target, 200, {}, body)
    text = body[:200].decode("utf-8", "replace")
    details = ErrorDetails(f"the answer cannot be understood ({reason}): {text}")
    return make_error(target, 200, {}, body, details=details, kind=APIResponseValidationError)


def _request_id(body: bytes) -> str | None:
    try:
        raw = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    found = raw.get("request_id") if isinstance(raw, dict) else None
    return found if isinstance(found, str) else None
