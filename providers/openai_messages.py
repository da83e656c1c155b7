"""
Messages and tools as a server of OpenAI's format takes them: without what its schema lacks.

Callers put back what other providers answered, and strict servers refuse fields they do not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .messages import image_url_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MESSAGE_KEYS = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"}
)
"""Message fields of OpenAI's schema; a row's `message_keys` adds its own."""

TOOL_CALL_KEYS = frozenset({"id", "type", "function"})

GOOGLE_KEYS = frozenset({"extra_content"})
"""Where Google's servers put a thought's signature, which must come back with the tool call."""


def convert_message(
    message: dict[str, Any], known: frozenset[str], known_of_calls: frozenset[str]
) -> dict[str, Any]:
    """One message without the fields and content parts that the provider's schema lacks."""
    kept = {name: value for name, value in message.items() if name in known}
    if isinstance(message.get("content"), list | tuple):
        kept["content"] = [
            convert_part(part, known)
            for part in message["content"]
            if part["type"] not in ("thinking", "redacted_thinking")
        ]
    if kept.get("tool_calls"):
        kept["tool_calls"] = [
            {name: value for name, value in call.items() if name in known_of_calls}
            for call in kept["tool_calls"]
        ]
    return kept


def convert_part(part: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """One content part in OpenAI's spelling, without other providers' annotations."""
    converted = dict(part)
    if "cache_control" not in known:
        converted.pop("cache_control", None)
    if converted["type"] == "image_url":
        image = converted["image_url"] if isinstance(converted.get("image_url"), dict) else {}
        converted["image_url"] = {
            "url": image_url_of(part),
            **{name: image[name] for name in ("detail",) if name in image},
        }
    elif converted["type"] == "file" and isinstance(converted.get("file"), dict):
        converted["file"] = {
            name: value for name, value in converted["file"].items() if name != "format"
        }
    return converted


def convert_tools(tools: list[Any], strict: bool) -> list[Any]:
    """Tools without cache annotations, and without `strict` where the provider lacks it."""
    unknown = ("cache_control",) if strict else ("cache_control", "strict")
    converted = []
    for tool in tools:
        plain = {name: value for name, value in tool.items() if name != "cache_control"}
        if isinstance(plain.get("function"), dict):
            plain["function"] = {
                name: value for name, value in plain["function"].items() if name not in unknown
            }
        converted.append(plain)
    return converted
