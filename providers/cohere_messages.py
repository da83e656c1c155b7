"""
Messages for Cohere: https://docs.cohere.com/v2/docs/chat-api.

The roles are OpenAI's; fields and content parts are only those of Cohere's schema. What a
reasoning model thought and planned (`reasoning_content`, `tool_plan`) goes back to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..exceptions import BadRequestError, UnsupportedParamsError
from .messages import THOUGHTS, image_url_of, name_function_calls, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Mapping[str, tuple[str, ...]] = {
    "assistant": ("text",),
    "system": ("text",),
    "tool": ("text", "document"),
    "user": ("text", "image_url"),
}
"""The content parts that each role's messages may hold."""


def convert_messages(messages: list[dict[str, Any]], *, reasons: bool) -> list[dict[str, Any]]:
    """The messages as Cohere has them; `reasons` says whether the model takes thoughts back.

    Raises:
        BadRequestError: a message lacks something.
        UnsupportedParamsError: a message holds what Cohere cannot take; names it.
    """
    return [
        convert_message(message, f"messages[{position}]", reasons)
        for position, message in enumerate(name_function_calls(messages))
    ]


def convert_message(message: dict[str, Any], place: str, reasons: bool) -> dict[str, Any]:
    """One message; `place` says which in an error."""
    match message["role"]:
        case "assistant":
            return convert_assistant(message, place, reasons)
        case "tool":
            if not message.get("tool_call_id"):
                raise BadRequestError(
                    f"{place} is a tool's answer without the tool_call_id of the call it answers",
                    param=place,
                )
            content = convert_content(message, "tool", place)
            return {"role": "tool", "tool_call_id": message["tool_call_id"], "content": content}
        case "developer":
            return {"role": "system", "content": convert_content(message, "system", place)}
        case role:
            return {"role": role, "content": convert_content(message, role, place)}


def convert_assistant(message: dict[str, Any], place: str, reasons: bool) -> dict[str, Any]:
    """What the model said before: its thoughts, its text, its calls of tools."""
    content = message.get("content") or message.get("refusal")
    thought = message.get("reasoning_content") if reasons else None
    if thought or isinstance(content, list):
        content = [{"type": "thinking", "thinking": thought}] if thought else []
        content += [
            convert_part(part, "assistant", place)
            for part in parts_of(message)
            if part["type"] not in THOUGHTS
        ]
    converted: dict[str, Any] = {"role": "assistant"}
    if message.get("tool_calls"):
        converted["tool_calls"] = [convert_tool_call(call) for call in message["tool_calls"]]
        if message.get("tool_plan"):
            converted["tool_plan"] = message["tool_plan"]
    if content or "tool_calls" not in converted:
        converted["content"] = content or ""
    return converted


def convert_tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """One call of a tool, its arguments as JSON text."""
    function = call["function"]
    arguments = function.get("arguments") or "{}"
    if not isinstance(arguments, str):
        arguments = msgspec.json.encode(arguments).decode()
    return {
        "id": call.get("id"),
        "type": "function",
        "function": {"name": function.get("name"), "arguments": arguments},
    }


def convert_content(message: Mapping[str, Any], role: str, place: str) -> Any:
    """The content of a message: text as it is, parts in Cohere's shape.

    Raises:
        UnsupportedParamsError: a part is of a kind that this role cannot hold.
    """
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    return [convert_part(part, role, place) for part in content]


def convert_part(part: Mapping[str, Any], role: str, place: str) -> dict[str, Any]:
    """One content part without other providers' annotations."""
    kind = part["type"]
    if kind == "refusal":
        return {"type": "text", "text": part.get("refusal") or ""}
    if kind not in KINDS[role]:
        raise UnsupportedParamsError(
            f"{place} has a part of type {kind!r}; with Cohere a message of the {role} takes "
            f"{' and '.join(KINDS[role])} only",
            param=place,
        )
    match kind:
        case "image_url":
            image = part["image_url"] if isinstance(part.get("image_url"), dict) else {}
            detail = {"detail": image["detail"]} if image.get("detail") else {}
            return {"type": "image_url", "image_url": {"url": image_url_of(part), **detail}}
        case "document":
            return {"type": "document", "document": part.get("document")}
    return {"type": "text", "text": part.get("text") or ""}
