"""
Answers of the Converse API in OpenAI's shape.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

Text, calls of tools and reasoning have their places in a message. An answer with other blocks
(tools that ran at AWS, cited text, images) keeps all of them as `converse_content`, so that it
can go back into `messages` complete. Metrics and traces are fields of the answer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import ChatCompletion, Choice, Function, Message, ToolCall, Usage
from . import anthropic_answer
from .anthropic_answer import (
    convert_citations,
    encode_input,
    place_citations,
    prefix_of,
    wants_function_call,
    wants_json,
)
from .anthropic_tools import JSON_TOOL
from .bedrock_errors import MALFORMED, unreadable
from .bedrock_messages import ORIGINAL, texts_of
from .bedrock_tools import original_names
from .messages import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import Call, Target

FINISH_REASONS = {
    "content_filtered": "content_filter",
    "end_turn": "stop",
    "guardrail_intervened": "content_filter",
    "malformed_model_output": "stop",
    "malformed_tool_use": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
}

COUNTS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_input_tokens": "cacheReadInputTokens",
    "cache_creation_input_tokens": "cacheWriteInputTokens",
}
"""Anthropic's names of counts, which are OpenAI's for caches, and Bedrock's."""

COUNTED = frozenset(
    {*COUNTS.values(), "totalTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"}
)
"""Counts that have a place in OpenAI's usage; others are kept as they are."""

PLAIN = frozenset({"reasoningContent", "text"})
SERVER_TOOL = "server_tool_use"
"""The type of a tool call that AWS has run already."""


class ToolUse(msgspec.Struct, gc=False):
    """A call of a tool."""

    name: str
    tool_use_id: str = msgspec.field(name="toolUseId")
    type: str | None = None


class Cited(msgspec.Struct, gc=False):
    """Text with what it cites."""

    content: list[dict[str, Any]] | None = None
    citations: list[dict[str, Any]] | None = None


class Block(msgspec.Struct, gc=False):
    """One content block, checked as far as it is read."""

    text: str | None = None
    toolUse: ToolUse | None = None  # noqa: N815
    reasoningContent: dict[str, Any] | None = None  # noqa: N815
    citationsContent: Cited | None = None  # noqa: N815


class Said(msgspec.Struct, gc=False):
    """What the model said."""

    content: list[Block] | None = None
    role: str = "assistant"


class Output(msgspec.Struct, gc=False):
    """The message of an answer."""

    message: Said


class Answer(msgspec.Struct, gc=False):
    """A whole answer, checked as far as it is read."""

    output: Output
    stop_reason: str | None = msgspec.field(name="stopReason", default=None)
    usage: dict[str, Any] | None = None
    service_tier: dict[str, Any] | None = msgspec.field(name="serviceTier", default=None)


def parse_answer(body: bytes, call: Call, target: Target) -> ChatCompletion:
    """A whole answer.

    Raises:
        APIError: it is an error after all, or cannot be understood.
    """
    try:
        raw = msgspec.json.decode(body)
        answer = msgspec.convert(raw, Answer)
        blocks = raw["output"]["message"].get("content") or []
        message = convert_message(answer.output.message.content or [], blocks, call)
    except MALFORMED as error:
        raise unreadable(target, body, str(error)) from error
    usage = None
    if answer.usage is not None:
        usage = convert_usage(answer.usage, reasoned=bool(message.thinking_blocks))
    completion = ChatCompletion(
        id=new_id("chatcmpl-"),
        created=int(time.time()),
        model=target.model,
        choices=[Choice(message=message, finish_reason=finish_reason(answer.stop_reason, message))],
        usage=usage,
        service_tier=(answer.service_tier or {}).get("type"),
    )
    completion._extra = {
        name: value for name, value in raw.items() if name not in ("output", "stopReason", "usage")
    }
    if answer.stop_reason:
        completion.choices[0]._extra = {"native_finish_reason": answer.stop_reason}
    return completion


def convert_message(blocks: list[Block], raw: list[dict[str, Any]], call: Call) -> Message:
    """The content blocks as one message; `raw` are the same blocks with all their fields."""
    names = original_names(call.params)
    prefix = prefix_of(call)
    texts: list[str] = []
    thinking: list[dict[str, Any]] = []
    calls: list[ToolCall] = []
    citations: list[dict[str, Any]] = []
    for block, fields in zip(blocks, raw, strict=True):
        use = block.toolUse
        if use is not None and use.name == JSON_TOOL and wants_json(call):
            texts = [encode_input(fields["toolUse"].get("input"))]  # words around it spoil JSON
        elif use is not None and use.type != SERVER_TOOL:
            calls.append(convert_tool_use(use, fields["toolUse"], names))
        elif block.reasoningContent is not None:
            thinking.append(convert_reasoning(block.reasoningContent))
        else:
            start = len(prefix) + sum(map(len, texts))
            texts += texts_of(fields)
            end = len(prefix) + sum(map(len, texts))
            if block.citationsContent is not None:
                citations += place_citations(block.citationsContent.citations, start, end)
    message = Message(
        content=prefix + "".join(texts) if any(texts) else None,
        reasoning_content="".join(block.get("thinking", "") for block in thinking) or None,
        thinking_blocks=thinking or None,
        annotations=convert_annotations(citations),
        tool_calls=calls or None,
    )
    if wants_function_call(call) and calls:
        message.function_call, message.tool_calls = calls[0].function, None
    message._extra = message_fields(raw, citations)
    return message


def convert_tool_use(use: ToolUse, fields: Mapping[str, Any], names: Mapping[str, str]) -> ToolCall:
    """A call of a tool, under the caller's name for it."""
    return ToolCall(
        id=use.tool_use_id,
        function=Function(
            name=names.get(use.name, use.name), arguments=encode_input(fields.get("input"))
        ),
    )


def convert_reasoning(content: Mapping[str, Any]) -> dict[str, Any]:
    """A block of reasoning in the shape that goes back into `thinking_blocks`."""
    if "redactedContent" in content:
        return {"type": "redacted_thinking", "data": content["redactedContent"]}
    text = content.get("reasoningText") or {}
    block = {"type": "thinking", "thinking": text.get("text") or ""}
    if text.get("signature"):
        block["signature"] = text["signature"]
    return block


def convert_annotations(citations: Iterable[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """OpenAI's annotations for the citations that point to the web."""
    return (
        convert_citations(
            {**citation, **web}
            for citation in citations
            if (web := (citation.get("location") or {}).get("web"))
        )
        or None
    )


def message_fields(blocks: list[dict[str, Any]], citations: list[dict[str, Any]]) -> dict[str, Any]:
    """What a message holds beyond OpenAI's fields."""
    fields: dict[str, Any] = {"citations": citations} if citations else {}
    if not all(is_plain(block) for block in blocks):
        fields[ORIGINAL] = blocks
    return fields


def is_plain(block: Mapping[str, Any]) -> bool:
    """Whether OpenAI's shape has a place for all of a block."""
    if "toolUse" in block:
        return bool(block["toolUse"].get("type") != SERVER_TOOL)
    return block.keys() <= PLAIN


def convert_usage(usage: Mapping[str, Any], *, reasoned: bool) -> Usage:
    """Usage as OpenAI counts: `prompt_tokens` includes what was read from or put into the cache.

    How many tokens were `reasoned` is not told, so the text's are not known then either.
    """
    counts = {name: usage.get(native) for name, native in COUNTS.items()}
    converted = anthropic_answer.convert_usage(counts)
    converted._extra = {name: value for name, value in usage.items() if name not in COUNTED}
    if reasoned:
        converted.completion_tokens_details = None
    return converted


def finish_reason(native: str | None, message: Message) -> str | None:
    """OpenAI's word for the reason to end; an answer given by the JSON tool is no call."""
    if native is None:
        return None
    reason = FINISH_REASONS.get(native, "stop")
    if reason == "tool_calls" and not message.tool_calls:
        return "function_call" if message.function_call else "stop"
    return reason
