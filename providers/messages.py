"""What every wire format needs to know about OpenAI-shaped messages."""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..exceptions import BadRequestError
from ..schemas import Record
from .base import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROLES = frozenset({"assistant", "developer", "function", "system", "tool", "user"})
_ROLE_IS_WRONG = f"has the role {{!r}}; it must be one of {', '.join(sorted(ROLES))}"


TEXTS = frozenset({"text", "refusal"})
"""Types of parts that are text, under a key of the same name."""

THOUGHTS = frozenset({"thinking", "redacted_thinking"})
"""Parts that Anthropic's models put into their answers."""


class DataURL(NamedTuple):
    """The parts of a ``data:`` URL; `data` stays base64."""

    media_type: str
    data: str


EVERYWHERE = ("user", "assistant", "system")
"""Roles that every provider has, in one way or another. A tuple: what is looked for may be a
list."""


def chat(messages: Any, *, stream: bool, ask_usage: bool) -> Call:
    """A chat from a caller's messages, still without parameters.

    Raises:
        BadRequestError: names the message that is wrong, and what it should be.
    """
    characters = 0
    if type(messages) is list and messages:
        for message in messages:
            if type(message) is not dict or len(message) != 2:
                break
            text = message.get("content")
            if type(text) is not str or message.get("role") not in EVERYWHERE:
                break
            characters += len(text)
        else:  # nearly all calls are of this kind
            if message["role"] != "assistant":
                plain = list(messages)
                return Call(
                    plain, stream=stream, ask_usage=ask_usage, plain=plain, characters=characters
                )
    return Call(normalise_messages(messages), stream=stream, ask_usage=ask_usage)


def normalise_messages(messages: Any) -> list[dict[str, Any]]:
    """Plain dictionaries from dictionaries, our own messages or other SDKs' message objects.

    Raises:
        BadRequestError: names the message that is wrong, and what it should be.
    """
    if isinstance(messages, str | bytes | Mapping) or not hasattr(messages, "__iter__"):
        raise BadRequestError(
            f"messages must be a list of messages, not {type(messages).__name__}; "
            'write [{"role": "user", "content": "…"}]',
            param="messages",
        )
    plain: list[dict[str, Any]] = []
    for message in messages:
        if type(message) is not dict:
            message = _plain_message(message, len(plain))  # noqa: PLW2901
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            raise _wrong(len(plain), _ROLE_IS_WRONG.format(role))
        content = message.get("content")
        if type(content) is not str and content is not None:
            _check_parts(len(plain), content)
        plain.append(message)
    if not plain:
        raise BadRequestError("messages is empty; at least one is needed", param="messages")
    return plain


def _plain_message(message: Any, position: int) -> dict[str, Any]:
    if isinstance(message, Record):
        return message.model_dump(exclude_none=True)
    if isinstance(message, Mapping):
        return dict(message)
    dump = getattr(message, "model_dump", None)
    if callable(dump):
        plain: dict[str, Any] = dump(exclude_none=True)
        return plain
    raise _wrong(position, f"is {message!r:.60}, not a dictionary with role and content")


def _check_parts(position: int, content: Any) -> None:
    if not isinstance(content, list | tuple):
        raise _wrong(position, f"has content of type {type(content).__name__}; "
                     "it must be text or a list of content parts")  # fmt: skip
    for part in content:
        if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
            raise _wrong(position, f"has a content part {part!r:.60}; "
                         'each must be like {"type": "text", "text": "…"}')  # fmt: skip


def _wrong(position: int, what: str) -> BadRequestError:
    return BadRequestError(f"messages[{position}] {what}", param=f"messages[{position}]")


def parts_of(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The message's content as a list of parts, empty text and None giving none.

    An answer that was refused has its `refusal` in the place of content.
    """
    content = message.get("content") or message.get("refusal")
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def text_of(message: Mapping[str, Any]) -> str:
    """The message's text, parts joined, refusals among them; what is not text is left out."""
    content = message.get("content") or message.get("refusal")
    if isinstance(content, str):
        return content
    return "".join(part.get(part["type"]) or "" for part in content or () if part["type"] in TEXTS)


def image_url_of(part: Mapping[str, Any]) -> str:
    """The URL of an `image_url` part, in either spelling.

    Raises:
        BadRequestError: the part has none.
    """
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str) or not url:
        raise BadRequestError(
            f'an image part has no URL: {part!r:.80}; write {{"image_url": {{"url": "…"}}}}'
        )
    return url


def parse_data_url(url: str) -> DataURL | None:
    """The parts of a base64 ``data:`` URL, None if it is another kind of URL.

    Raises:
        BadRequestError: it is a data URL but not base64, or not decodable.
    """
    if not url.startswith("data:"):
        return None
    head, comma, data = url[5:].partition(",")
    if not comma or not head.endswith(";base64"):
        raise BadRequestError(f"{url[:40]!r}… is not a base64 data URL (data:TYPE;base64,DATA)")
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise BadRequestError(f"{url[:40]!r}… holds no valid base64: {error}") from error
    return DataURL(head.removesuffix(";base64").split(";")[0], data)


def called_function(call: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of a call of a tool.

    Raises:
        BadRequestError: it does not name a function.
    """
    function = call.get("function")
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(name, str) or not name:
        raise BadRequestError(
            f'a tool call has no function: {call!r:.80}; write {{"id": "…", "type": "function", '
            '"function": {"name": "…", "arguments": "…"}}',
            param="messages",
        )
    return name, arguments_of(function or {})


def arguments_of(function: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call as an object.

    Text that is no JSON object was another model's mistake; it is kept under a name that says so,
    so that the conversation can go on.
    """
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        return arguments
    try:
        decoded = msgspec.json.decode(arguments) if arguments else {}
    except (msgspec.DecodeError, TypeError, RecursionError):
        decoded = arguments
    if decoded is None:
        return {}
    return decoded if isinstance(decoded, dict) else {"invalid_arguments": arguments}


def fold_system(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For models without a system role: system messages become the user's."""
    return [
        {**message, "role": "user"} if message["role"] in ("system", "developer") else message
        for message in messages
    ]


def name_function_calls(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages with old function calls and results as tool calls, by ids made up here."""
    if not any("function_call" in message or message["role"] == "function" for message in messages):
        return messages
    converted = []
    ids: dict[str, str] = {}
    for position, message in enumerate(messages):
        made_up = f"call_function_{position}"
        if message.get("function_call"):
            ids[message["function_call"]["name"]] = made_up
            call = {"id": made_up, "type": "function", "function": message["function_call"]}
            converted.append({**message, "tool_calls": [call]})
        elif message["role"] == "function":
            identifier = ids.get(message.get("name") or "", made_up)
            converted.append({**message, "role": "tool", "tool_call_id": identifier})
        else:
            converted.append(message)
    return converted


def new_id(prefix: str) -> str:
    """An id for what a provider leaves without one, such as ``call_…`` for a tool call."""
    return f"{prefix}{uuid.uuid4().hex[:24]}"
