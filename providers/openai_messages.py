"""
Messages and tools as a server of OpenAI's format takes them: without what its schema lacks.

https://platform.openai.com/docs/api-reference/chat/create. Callers put back what other providers
answered, and strict servers refuse fields, roles and parts that they do not know. What a server
knows is its :class:`Dialect`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import UnsupportedParamsError
from .caching import marked, surplus, unmark
from .messages import THOUGHTS, image_url_of, name_function_calls, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import File

MESSAGE_KEYS = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})
"""Message fields that every server of the format knows; a row's `message_keys` adds its own."""

ROLES = frozenset({"assistant", "system", "tool", "user"})
"""The same for roles; a row's `roles` adds its own."""

OPENAI_KEYS = frozenset({"audio", "function_call", "refusal"})
OPENAI_ROLES = frozenset({"developer", "function"})
"""What OpenAI itself knows beyond these."""

TOOL_CALL_KEYS = frozenset({"id", "type", "function"})

GOOGLE_KEYS = frozenset({"extra_content"})
"""Where Google's servers put a thought's signature, which must come back with the tool call."""

LONGEST_ID = 40
"""Characters of a tool call's id that OpenAI takes; vLLM makes longer ones."""

DATED = re.compile(r"_20\d{6}$")
"""Tools of Anthropic's own end in a date: ``computer_20250124``."""


class Dialect(NamedTuple):
    """What a server of OpenAI's format knows of messages.

    Attributes:
        provider: whom errors name.
        keys: fields of a message.
        call_keys: fields of a tool call.
        roles: of the six that there are.
        media: types of parts besides text; None if that is not known, and all are sent.
        flat: whether content without media must be one text.
    """

    provider: str
    keys: frozenset[str]
    call_keys: frozenset[str]
    roles: frozenset[str]
    media: frozenset[str] | None
    flat: bool


def convert_messages(
    messages: list[dict[str, Any]], dialect: Dialect, files: Mapping[str, File]
) -> list[dict[str, Any]]:
    """The messages in a server's dialect.

    Cache breakpoints, where they mean something, stand on content parts, and there are few.

    Raises:
        UnsupportedParamsError: a part is of a type that the server does not know.
    """
    if "function" not in dialect.roles:
        messages = name_function_calls(messages)
    converted = [
        convert_message(message, f"messages[{position}]", dialect, files)
        for position, message in enumerate(messages)
    ]
    converted = show_results(converted, flat=dialect.flat)
    if "cache_control" in dialect.keys:
        converted = [move_breakpoint(message) for message in converted]
        contents = [kept["content"] for kept in converted if type(kept.get("content")) is list]
        for place in surplus([], marked(contents)):
            unmark(place)
    return converted


def convert_message(
    message: Mapping[str, Any], place: str, dialect: Dialect, files: Mapping[str, File]
) -> dict[str, Any]:
    """One message in a server's dialect; `place` says which in an error."""
    kept = {
        name: value
        for name, value in message.items()
        if name in dialect.keys and (value is not None or name == "content")
    }
    role = message["role"]
    if role == "developer" and role not in dialect.roles:
        kept["role"] = "system"
    elif role == "tool":
        kept.pop("name", None)
    content = message.get("content")
    if isinstance(content, list | tuple):
        kept["content"] = convert_parts(message, place, dialect, files)
    elif content is None and message.get("refusal") and "refusal" not in dialect.keys:
        kept["content"] = message["refusal"]
    if message.get("prefix") and "partial" in dialect.keys:
        kept["partial"] = True  # Moonshot's and Alibaba's word
    if kept.get("tool_calls"):
        kept["tool_calls"] = [convert_tool_call(call, dialect) for call in kept["tool_calls"]]
    if kept.get("tool_call_id"):
        kept["tool_call_id"] = convert_tool_id(kept["tool_call_id"])
    return kept


def convert_tool_call(call: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """A call of a tool without what the server does not know of it."""
    kept = {name: value for name, value in call.items() if name in dialect.call_keys}
    if kept.get("id"):
        kept["id"] = convert_tool_id(kept["id"])
    return kept


def convert_tool_id(identifier: str) -> str:
    """An id that is not too long, the same for a call and its result."""
    if len(identifier) <= LONGEST_ID:
        return identifier
    return f"call_{hashlib.blake2b(identifier.encode(), digest_size=12).hexdigest()}"


def convert_parts(
    message: Mapping[str, Any], place: str, dialect: Dialect, files: Mapping[str, File]
) -> list[dict[str, Any]] | str | None:
    """A message's content parts, or its text where the server wants no parts for it."""
    parts = [
        convert_part(part, place, dialect, files)
        for part in message["content"]
        if part["type"] not in THOUGHTS
    ]
    if not parts:
        return None if message.get("tool_calls") else ""
    if dialect.flat and all(part["type"] == "text" for part in parts):
        return text_of({"content": parts})
    return parts


def convert_part(
    part: Mapping[str, Any], place: str, dialect: Dialect, files: Mapping[str, File]
) -> dict[str, Any]:
    """One content part in OpenAI's spelling, without other providers' annotations.

    Raises:
        UnsupportedParamsError: the server does not know this type.
    """
    converted = dict(part)
    kind = converted["type"]
    if "cache_control" not in dialect.keys:
        converted.pop("cache_control", None)
    if kind == "refusal" and "refusal" not in dialect.keys:
        return {"type": "text", "text": converted.get("refusal") or ""}
    if dialect.media is not None and kind not in dialect.media | {"text", "refusal"}:
        raise UnsupportedParamsError(
            f"{place} has a part of type {kind!r}; "
            f"{dialect.provider} takes {', '.join(sorted(dialect.media | {'text'}))}",
            llm_provider=dialect.provider,
            param=place,
        )
    if kind == "image_url":
        image = converted["image_url"] if isinstance(converted.get("image_url"), dict) else {}
        url = image_url_of(part)
        if dialect.media is not None:
            check_image(url, place, dialect)
        detail = {"detail": image["detail"]} if "detail" in image else {}
        converted["image_url"] = {"url": url, **detail}
    elif kind == "file" and isinstance(converted.get("file"), dict):
        converted["file"] = convert_file(converted["file"], files)
    return converted


def check_image(url: str, place: str, dialect: Dialect) -> None:
    """Refuse images that providers of this format cannot open; data goes to them unread.

    Raises:
        UnsupportedParamsError: it is a drawing (SVG), or lies where they do not go.
    """
    drawing = url.startswith("data:image/svg")
    if drawing or url.partition("://")[0] in ("gs", "s3"):
        what = "an SVG drawing" if drawing else f"an image at {url!r:.60}"
        raise UnsupportedParamsError(
            f"{place} has {what}, which {dialect.provider} does not open; "
            "send PNG, JPEG, GIF or WebP by https or data URL",
            llm_provider=dialect.provider,
            param=place,
        )


def convert_file(file: Mapping[str, Any], files: Mapping[str, File]) -> dict[str, Any]:
    """A file without its `format`; one that lies on the web as data, if it has been fetched."""
    converted = {name: value for name, value in file.items() if name != "format"}
    fetched = files.get(converted.get("file_id") or "")
    if fetched is not None:
        url = converted.pop("file_id")
        data = base64.b64encode(fetched.data).decode()
        converted["file_data"] = f"data:{fetched.media_type};base64,{data}"
        converted.setdefault("filename", url.partition("?")[0].rpartition("/")[2] or "file")
    return converted


def urls_of_files(messages: Iterable[Mapping[str, Any]]) -> list[str]:
    """Where `file` parts say by `file_id` that they lie on the web."""
    return [
        part["file"]["file_id"]
        for message in messages
        if isinstance(message.get("content"), list | tuple)
        for part in message["content"]
        if part["type"] == "file"
        and isinstance(part.get("file"), dict)
        and str(part["file"].get("file_id")).startswith(("http://", "https://"))
    ]


def show_results(messages: list[dict[str, Any]], *, flat: bool) -> list[dict[str, Any]]:
    """The messages with what tools show apart from what they say.

    A tool's message is text; images among the results follow them in a message of the user's.
    """
    shown: list[dict[str, Any]] = []
    pending: list[dict[str, Any]] = []
    for message in messages:
        if pending and message["role"] != "tool":
            shown.append({"role": "user", "content": pending})
            pending = []
        content = message.get("content")
        if message["role"] == "tool" and isinstance(content, list):
            texts = [part for part in content if part["type"] == "text"]
            pending = pending + [part for part in content if part["type"] != "text"]
            said = texts if texts and not flat else text_of(message)
            message = {**message, "content": said}  # noqa: PLW2901
        shown.append(message)
    if pending:
        shown.append({"role": "user", "content": pending})
    return shown


def move_breakpoint(message: dict[str, Any]) -> dict[str, Any]:
    """The message with its own breakpoint on its last part."""
    control = message.get("cache_control")
    if control is None:
        return message
    moved = {name: value for name, value in message.items() if name != "cache_control"}
    content = message.get("content")
    if content and isinstance(content, str):
        moved["content"] = [{"type": "text", "text": content, "cache_control": control}]
    elif content:
        moved["content"] = [*content[:-1], {"cache_control": control, **content[-1]}]
    return moved


def is_foreign(tool: Mapping[str, Any]) -> bool:
    """Whether a tool is another provider's own, which no server of this format knows."""
    return "input_schema" not in tool and (
        not isinstance(tool.get("type"), str) or DATED.search(tool["type"]) is not None
    )


def convert_tools(tools: Iterable[Mapping[str, Any]], *, strict: bool) -> list[dict[str, Any]]:
    """Tools without cache annotations, and without `strict` where the provider lacks it.

    Functions as Anthropic and OpenAI's Responses write them are functions here too.

    Raises:
        UnsupportedParamsError: a tool is another provider's own.
    """
    return [convert_tool(tool, strict=strict) for tool in tools]


def convert_tool(tool: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """One tool; see :func:`convert_tools`."""
    if is_foreign(tool):
        raise UnsupportedParamsError(
            f"the tool {dict(tool)!r:.80} is another provider's own; leave it out, or pass "
            "drop_params=True to have it left out",
            param="tools",
        )
    plain = {name: value for name, value in tool.items() if name != "cache_control"}
    if "input_schema" in plain:
        plain["parameters"] = plain.pop("input_schema")
        plain["type"] = "function"
    function = plain.get("function")
    if plain["type"] == "function" and function is None:
        function = {name: value for name, value in plain.items() if name != "type"}
        plain = {"type": "function"}
    if isinstance(function, dict):
        unknown = ("cache_control",) if strict else ("cache_control", "strict")
        kept = {name: value for name, value in function.items() if name not in unknown}
        plain["function"] = kept
    return plain
