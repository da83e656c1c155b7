"""
Answers that are nearly OpenAI's: the slow way for what the typed decoder refuses.

Servers that claim to speak OpenAI's format send null where a list belongs, numbers as text,
arguments as objects, content as a list of parts. Each oddity is put right here, on plain
dictionaries, and only after the fast way has failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import ChatCompletion, ChatCompletionChunk, convert
from .errors import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..exceptions import APIError
    from ..schemas import Choice, ChunkChoice, Delta, Message, Record

    Unreadable = Callable[[bytes, str], APIError]


def completion(body: bytes, unreadable: Unreadable) -> ChatCompletion:
    """A whole answer from a body that is nearly one; raises what `unreadable` makes of others."""
    answer = _mend(body, unreadable, "message")
    if not answer["choices"]:
        raise unreadable(body, "it has no choices")
    try:
        return convert(answer, ChatCompletion)
    except UNREADABLE as error:
        raise unreadable(body, str(error)) from error


def chunk(payload: bytes, unreadable: Unreadable) -> ChatCompletionChunk:
    """A chunk from an event that is nearly one; raises what `unreadable` makes of others."""
    answer = _mend(payload, unreadable, "delta")
    try:
        return convert(answer, ChatCompletionChunk)
    except UNREADABLE as error:
        raise unreadable(payload, str(error)) from error


def error_status(body: bytes) -> int | None:
    """The status named by a 2xx body that is an error after all, 500 if none; None: no error."""
    try:
        answer = msgspec.json.decode(body)
    except UNREADABLE:
        return None
    if not isinstance(answer, dict):
        return None
    if not answer.get("error") and answer.get("object") != "error":
        return None
    inner = answer["error"] if isinstance(answer.get("error"), dict) else answer
    for name in ("status_code", "raw_status_code", "status", "code"):
        status: int = _cast(inner.get(name), int)
        if 400 <= status < 600:
            return status
    return 500


def _mend(body: bytes, unreadable: Unreadable, part: str) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except UNREADABLE as error:
        raise unreadable(body, str(error)) from error
    if not isinstance(answer, dict) or ("choices" not in answer and "usage" not in answer):
        raise unreadable(body, "it has no choices")
    if answer.get("error") and not answer.get("choices"):
        raise unreadable(body, "it is an error")
    for name, kind in (("id", str), ("model", str), ("object", str), ("created", int)):
        answer[name] = _cast(answer.get(name), kind)
    for name in ("system_fingerprint", "service_tier"):
        if answer.get(name) is not None:
            answer[name] = str(answer[name])
    answer["usage"] = _mend_usage(answer.get("usage"))
    answer["choices"] = [
        _mend_choice(choice, position, part)
        for position, choice in enumerate(_dictionaries(answer.get("choices")))
    ]
    return answer


def _dictionaries(value: Any) -> list[dict[str, Any]]:
    """The dictionaries in what should be a list of them."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _cast(value: Any, kind: type) -> Any:
    try:
        return kind(value) if value is not None else kind()
    except (OverflowError, TypeError, ValueError):
        return kind()


def _mend_usage(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    counts = {
        name: _cast(usage.get(name), int)
        for name in ("prompt_tokens", "completion_tokens", "total_tokens")
    }
    details = {
        name: value
        for name, value in usage.items()
        if name not in counts and (isinstance(value, dict) or not name.endswith("_details"))
    }
    counts["total_tokens"] = (
        counts["total_tokens"] or counts["prompt_tokens"] + counts["completion_tokens"]
    )
    return {**details, **counts}


def _mend_choice(choice: dict[str, Any], position: int, part: str) -> dict[str, Any]:
    inner = choice.get(part)
    inner = dict(inner) if isinstance(inner, dict) else {}
    if part == "message":
        inner["role"] = inner.get("role") or "assistant"
        if "text" in choice and inner.get("content") is None:
            inner["content"] = choice["text"]
    content = inner.get("content")
    if isinstance(content, list):
        inner.update(_join_parts(content))
    elif content is not None and not isinstance(content, str):
        inner["content"] = msgspec.json.encode(content).decode()
    calls = enumerate(_dictionaries(inner.get("tool_calls")))
    inner["tool_calls"] = [_mend_tool_call(call, number, part) for number, call in calls] or None
    reason = choice.get("finish_reason")
    return {
        **choice,
        "index": choice["index"] if isinstance(choice.get("index"), int) else position,
        part: inner,
        "finish_reason": None if reason is None else str(reason),
        "logprobs": choice.get("logprobs") if isinstance(choice.get("logprobs"), dict) else None,
    }


def _join_parts(content: list[Any]) -> dict[str, Any]:
    """Text and reasoning of a content list (reasoning models of Mistral and Databricks)."""
    text, thinking = [], []
    for part in content:
        if isinstance(part, str):
            text.append(part)
        elif not isinstance(part, dict):
            continue
        elif part.get("type") in ("thinking", "reasoning"):
            inner = part.get("thinking") or part.get("summary")
            parts = inner if isinstance(inner, list) else [inner]
            thinking.append(_join_parts(parts)["content"] or "")
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    joined: dict[str, Any] = {"content": "".join(text) or None}
    if thinking:
        joined["reasoning_content"] = "".join(thinking)
    return joined


def _mend_tool_call(call: dict[str, Any], number: int, part: str) -> dict[str, Any]:
    function = dict(call["function"]) if isinstance(call.get("function"), dict) else {}
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        function["arguments"] = msgspec.json.encode(arguments).decode()
    elif arguments is None and part == "message":
        function["arguments"] = ""
    mended = {**call, "function": function, "type": call.get("type") or "function"}
    if part == "delta":
        mended["index"] = call["index"] if isinstance(call.get("index"), int) else number
    if part == "message" or call.get("id") is not None:
        mended["id"] = str(call.get("id") or "")
    return mended


def keep_extras(
    choice: Choice | ChunkChoice, inner: Message | Delta, body: bytes, position: int
) -> None:
    """Keep the unknown fields of one of several choices, which the lazy look-up cannot find."""
    answer = msgspec.json.decode(body.decode("utf-8", "replace"))
    raw = _dictionaries(answer["choices"])[position]
    choice._extra = _undeclared(raw, choice)
    said = raw.get("message") or raw.get("delta")
    inner._extra = _undeclared(said, inner)
    calls = said.get("tool_calls") if isinstance(said, dict) else None
    for call, fields in zip(inner.tool_calls or (), calls or (), strict=False):
        call._extra = _undeclared(fields, call)


def _undeclared(raw: Any, record: Record) -> dict[str, Any]:
    if not isinstance(raw, dict):
        return {}
    declared = record.__struct_fields__
    return {name: value for name, value in raw.items() if name not in declared}


def adopt_reasoning(record: Message | Delta) -> None:
    """Read reasoning from where Groq, OpenRouter and others put it."""
    reasoning = record._extras().get("reasoning")
    if isinstance(reasoning, str) and reasoning:
        record.reasoning_content = record.reasoning_content or reasoning
