"""
Messages for Claude: https://docs.claude.com/en/api/messages.

OpenAI's messages become turns of content blocks: system messages move out, neighbours of one
role become one turn, tool results belong to the user, the user speaks first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import BadRequestError, UnsupportedParamsError
from .anthropic_media import convert_media
from .caching import control_of, marked, unmark
from .messages import THOUGHTS, called_function, name_function_calls, parts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import File

PLACEHOLDER = "."
"""What the user says where the API wants a user's turn and there is none: blank is refused."""

FOREIGN_PARTS = frozenset({"input_audio", "video_url"})
"""Parts of OpenAI's that Claude has no blocks for."""

_INVALID = re.compile(r"[^a-zA-Z0-9_-]")


class Prompt(NamedTuple):
    """The messages of a call in Anthropic's shape."""

    system: list[dict[str, Any]]
    turns: list[dict[str, Any]]


def convert_messages(messages: list[dict[str, Any]], files: Mapping[str, File]) -> Prompt:
    """The messages as system blocks and alternating turns.

    Raises:
        BadRequestError: a message holds something that Claude cannot read.
    """
    system: list[dict[str, Any]] = []
    turns: list[dict[str, Any]] = []
    for message in name_function_calls(messages):
        match message["role"]:
            case "system" | "developer":
                system += convert_system(message)
            case "assistant":
                _add(turns, "assistant", convert_assistant(message, files))
            case "tool":
                _add(turns, "user", [convert_tool_result(message, files)])
            case _:
                _add(turns, "user", with_cache_control(message, convert_parts(message, files)))
    return Prompt(system, _complete(turns))


def _add(turns: list[dict[str, Any]], role: str, blocks: list[dict[str, Any]]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    elif blocks:
        turns.append({"role": role, "content": blocks})


def _complete(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Turns as the API insists: results before text, no blank at the end, the user first."""
    for turn in turns:
        if turn["role"] == "user":
            turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    if turns and turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if last["type"] == "text":
            turns[-1]["content"][-1] = {**last, "text": last["text"].rstrip()}
    if not turns or turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": PLACEHOLDER}]})
    return turns


def convert_system(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A system message as text blocks.

    Raises:
        BadRequestError: it holds something else than text.
    """
    blocks = []
    for part in parts_of(message):
        if part["type"] != "text":
            raise BadRequestError(
                f"a {message['role']} message holds a part of type {part['type']!r}; "
                "Claude's system prompt is text only: put it into a user message",
                param="messages",
            )
        blocks += convert_text(part)
    return with_cache_control(message, blocks)


def convert_assistant(
    message: Mapping[str, Any], files: Mapping[str, File]
) -> list[dict[str, Any]]:
    """What the model said before: thinking first, then text, then calls of tools."""
    original = message.get("content_blocks")
    if original and _text_of_blocks(original) == text_of(message):
        kept = [block for block in original if block.get("type") != "text" or block.get("text")]
        return with_cache_control(message, kept)
    parts = convert_parts(message, files)
    thinking: list[dict[str, Any]] = []
    if not any(part["type"] in THOUGHTS for part in parts):
        thinking = [
            block
            for part in message.get("thinking_blocks") or ()
            for block in convert_thinking(part)
        ]
    calls = [convert_tool_call(call) for call in message.get("tool_calls") or ()]
    return with_cache_control(message, [*thinking, *parts, *calls])


def _text_of_blocks(blocks: Iterable[Mapping[str, Any]]) -> str:
    return "".join(block.get("text") or "" for block in blocks if block.get("type") == "text")


def convert_parts(message: Mapping[str, Any], files: Mapping[str, File]) -> list[dict[str, Any]]:
    """The content of a message as blocks; blank text is left out, for the API refuses it."""
    return [block for part in parts_of(message) for block in convert_part(part, files)]


def convert_part(part: Mapping[str, Any], files: Mapping[str, File]) -> list[dict[str, Any]]:
    """One content part as a block, or none; blocks in Anthropic's own shape stay as they are.

    Raises:
        BadRequestError: Claude cannot read it.
    """
    match part["type"]:
        case "text":
            return convert_text(part)
        case "refusal":
            return convert_text({"text": part.get("refusal")})
        case "image_url" | "file":
            block = convert_media(part, files)
            return [{**block, **_kept(part, "cache_control", "citations", "title", "context")}]
        case "thinking" | "redacted_thinking":
            return convert_thinking(part)
        case kind if kind in FOREIGN_PARTS:
            raise UnsupportedParamsError(
                f"Claude cannot read a part of type {kind!r}: send text, images or documents",
                param="messages",
            )
        case _:
            return [dict(part)]


def convert_text(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A text block, or none if the text is blank."""
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        return []
    return [{"type": "text", "text": text, **_kept(part, "cache_control", "citations")}]


def convert_thinking(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A block of thinking; none if it is not signed, for then it is not Anthropic's."""
    if part.get("type") == "redacted_thinking" and part.get("data"):
        return [{"type": "redacted_thinking", "data": part["data"]}]
    if part.get("type") == "thinking" and part.get("signature"):
        text = part.get("thinking") or ""
        return [{"type": "thinking", "thinking": text, "signature": part["signature"]}]
    return []


def convert_tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call of a tool as a block.

    Raises:
        BadRequestError: it does not name a function.
    """
    name, arguments = called_function(call)
    identifier = convert_tool_id(call.get("id"))
    return {"type": "tool_use", "id": identifier, "name": name, "input": arguments}


def convert_tool_id(identifier: Any) -> str:
    """The id with the characters that Anthropic takes; the same for a call and its result."""
    return _INVALID.sub("_", str(identifier or "")) or "toolu_unnamed"


def convert_tool_result(message: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """A tool's result as a block; texts and images stay apart."""
    content = message.get("content")
    result = {
        "type": "tool_result",
        "tool_use_id": convert_tool_id(message.get("tool_call_id")),
        "content": content if isinstance(content, str) else convert_parts(message, files),
        **_kept(message, "is_error"),
    }
    if control := control_of(message):  # breakpoints end blocks, not what is inside of them
        result["cache_control"] = control
        for place in marked([] if isinstance(content, str) else [result["content"]]):
            unmark(place)
    return result


def with_cache_control(
    message: Mapping[str, Any], blocks: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The blocks, the last that can be cached carrying the message's `cache_control`."""
    control = message.get("cache_control")
    if control:
        for position in reversed(range(len(blocks))):
            if blocks[position]["type"] not in THOUGHTS:
                blocks[position] = {"cache_control": control, **blocks[position]}
                break
    return blocks


def _kept(part: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: part[name] for name in names if part.get(name) is not None}
