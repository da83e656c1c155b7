"""
Prompt caching, as far as it is one thing for all providers: where breakpoints stand.

    asked for    `cache_control` on a message, a content part or a tool, as callers write it
    by rule      `cache_control_injection_points`: a :class:`Point` for each place
    unasked      ``model_info={"caching": "explicit"}``: :func:`explicit_points` finds the places

All of them end as `cache_control` in OpenAI's shape, which each wire format turns into what its
provider knows, or leaves out. What breakpoints are and cost:
https://docs.claude.com/en/docs/build-with-claude/prompt-caching
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from ..exceptions import BadRequestError
from .messages import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .base import Call

EPHEMERAL: Mapping[str, Any] = {"type": "ephemeral"}
MOST = 4
"""Breakpoints that Anthropic, Bedrock and Alibaba take in one request."""

SECONDS = 300.0
"""How long a cache lasts if nothing is said, as Anthropic has it."""
HOUR = 3600.0

LEAST_TOKENS: tuple[tuple[re.Pattern[str], int], ...] = tuple(
    (re.compile(pattern), tokens)
    for pattern, tokens in (
        (r"claude.*(?:opus-4[-.][5-7]|haiku-4[-.]5)", 4096),
        (r"claude.*opus-5", 512),
        (r"claude.*(?:haiku-3|3[-.]5-haiku|3-haiku|sonnet-4[-.]6)", 2048),
        (r"gemini-1", 32_768),
        (r"gemini-2\.5", 2048),
        (r"gemini-", 4096),
        (r"", 1024),
    )
)
"""The shortest prefix that a model caches, by its name; read from the top."""

BYTES_PER_TOKEN = 4
"""For estimates: English text, and in UTF-8 about right for Chinese and Japanese too."""
TOKENS_OF_MEDIA = 258
"""The least that an image or document counts for."""

ROLES_OF_THE_CALLER = frozenset({"function", "tool", "user"})
SYSTEM_ROLES = frozenset({"developer", "system"})

_TTL = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": HOUR}
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Point(NamedTuple):
    """A place for a breakpoint.

    Attributes:
        location: ``message``, or ``tool_config`` for the end of the tools.
        role: every message of this role.
        position: the message here; negative ones count from the end.
        control: the `cache_control` to put there.
    """

    location: Literal["message", "tool_config"]
    role: str | None = None
    position: int | None = None
    control: Mapping[str, Any] = EPHEMERAL

    def chooses(self, at: int, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the message at this position is one of those meant."""
        if self.location != "message":
            return False
        if self.position is not None:
            return at in (self.position, self.position + len(messages))
        return bool(messages[at]["role"] == self.role)


Caching = tuple[Point, ...] | Literal["explicit"]
"""Where breakpoints are put: at these points, or where they do most good."""


def read_points(value: Any) -> tuple[Point, ...]:
    """LiteLLM's `cache_control_injection_points`, checked.

    Raises:
        BadRequestError: it has another shape; says which.
    """
    if not isinstance(value, list | tuple):
        raise _wrong_point(value)
    return tuple(_read_point(entry) for entry in value)


def _read_point(entry: Any) -> Point:
    match entry:
        case Point():
            return entry
        case {"location": "tool_config"}:
            return Point("tool_config", control=_control(entry))
        case {"location": "message", "index": int(index)} if not isinstance(index, bool):
            return Point("message", position=index, control=_control(entry))
        case {"location": "message", "index": str(index)} if re.fullmatch(r"-?\d+", index):
            return Point("message", position=int(index), control=_control(entry))
        case {"location": "message", "role": str(role)}:
            return Point("message", role=role, control=_control(entry))
    raise _wrong_point(entry)


def _control(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    control = entry.get("control") or EPHEMERAL
    if not isinstance(control, Mapping):
        raise _wrong_point(entry)
    return control


def _wrong_point(value: Any) -> BadRequestError:
    return BadRequestError(
        f"cache_control_injection_points holds {value!r:.80}; write a list of "
        '{"location": "message", "role": "system"}, {"location": "message", "index": -1} or '
        '{"location": "tool_config"}',
        param="cache_control_injection_points",
    )


def with_breakpoints(call: Call, caching: Caching, model: str) -> Call:
    """The call with `cache_control` where it is wanted; the caller's messages stay as they are.

    `explicit` adds none where the caller has placed any.
    """
    if caching == "explicit":
        caching = () if has_breakpoints(call) else explicit_points(call, model)
    if not caching:
        return call
    messages = [
        _marked_message(message, position, call.messages, caching)
        for position, message in enumerate(call.messages)
    ]
    params = call.params
    tools = params.get("tools")
    for point in caching:
        if point.location == "tool_config" and tools and isinstance(tools[-1], dict):
            params = {**params, "tools": [*tools[:-1], _marked(tools[-1], point)]}
    return replace(call, messages=messages, params=params)


def _marked_message(
    message: dict[str, Any],
    position: int,
    messages: Sequence[dict[str, Any]],
    points: Sequence[Point],
) -> dict[str, Any]:
    for point in points:
        if point.chooses(position, messages):
            parts = parts_of(message)
            return message if parts and "cache_control" in parts[-1] else _marked(message, point)
    return message


def _marked(item: dict[str, Any], point: Point) -> dict[str, Any]:
    return {"cache_control": dict(point.control), **item}


def has_breakpoints(call: Call) -> bool:
    """Whether the caller has placed any."""
    tools = call.params.get("tools") or ()
    return any(is_marked(message) for message in call.messages) or any(
        tool.get("cache_control") or (tool.get("function") or {}).get("cache_control")
        for tool in tools
        if isinstance(tool, dict)
    )


def is_marked(message: Mapping[str, Any]) -> bool:
    """Whether a message, or a part of it, carries `cache_control`."""
    if message.get("cache_control"):
        return True
    content = message.get("content")
    return type(content) is list and any(part.get("cache_control") for part in content)


def control_of(message: Mapping[str, Any]) -> Any:
    """The `cache_control` of a message, or else of its last part that has one."""
    controls = [part["cache_control"] for part in parts_of(message) if part.get("cache_control")]
    return message.get("cache_control") or (controls[-1] if controls else None)


def explicit_points(call: Call, model: str) -> tuple[Point, ...]:
    """The places where breakpoints do most good, as far as the prefixes are long enough.

    They are the end of the tools, the system prompt, a long first message (a document that is
    asked about), and the last message before the newest turn of the user's: at most four.
    """
    least = least_tokens(model)
    messages = call.messages
    newest = start_of_newest_turn(messages)
    size = tools = tokens_of(call.params.get("tools"))
    points = [Point("tool_config")] if tools >= least else []
    systems = [at for at in range(newest) if messages[at]["role"] in SYSTEM_ROLES]
    first = next((at for at in range(newest) if messages[at]["role"] == "user"), None)
    for position in range(newest):
        own = tokens_of(messages[position].get("content"))
        size += own
        wanted = (
            position == newest - 1
            or position == (systems[-1] if systems else None)
            or (position == first and own >= least)
        )
        if wanted and size >= least:
            points.append(Point("message", position=position))
    return tuple(points)


def start_of_newest_turn(messages: Sequence[Mapping[str, Any]]) -> int:
    """The position of the first message behind the model's last answer, prefills aside."""
    position = len(messages)
    while position and messages[position - 1]["role"] not in ROLES_OF_THE_CALLER:
        position -= 1
    if not position:  # nobody has asked anything: all of it is the newest turn
        return 0
    while position and messages[position - 1]["role"] in ROLES_OF_THE_CALLER:
        position -= 1
    return position


def least_tokens(model: str) -> int:
    """The shortest prefix that the model caches."""
    return next(tokens for pattern, tokens in LEAST_TOKENS if pattern.search(model.lower()))


def tokens_of(content: Any) -> int:
    """About how many tokens some content or tools are, from their bytes."""
    if not content:
        return 0
    if isinstance(content, str):
        return len(content.encode("utf-8", "replace")) // BYTES_PER_TOKEN
    sizes = (
        tokens_of(item["text"])
        if isinstance(item, Mapping) and isinstance(item.get("text"), str)
        else TOKENS_OF_MEDIA
        if isinstance(item, Mapping) and ("image_url" in item or "file" in item)
        else len(_encode(item)) // BYTES_PER_TOKEN
        for item in content
    )
    return sum(sizes)


def seconds_of(control: Any) -> float:
    """How long a `cache_control` wants to be kept: ``{"ttl": "1h"}``, ``"300s"`` or a number."""
    ttl = control.get("ttl") if isinstance(control, Mapping) else None
    found = _TTL.fullmatch(str(ttl).strip()) if ttl is not None else None
    return float(found[1]) * _UNITS[found[2]] if found else SECONDS


def plain_control(control: Any) -> dict[str, Any]:
    """A `cache_control` as Anthropic takes it: of its kind, for five minutes or an hour."""
    known = dict(control) if isinstance(control, Mapping) else {}
    known["type"] = EPHEMERAL["type"]
    ttl = known.pop("ttl", None)
    if ttl is not None:
        known["ttl"] = "1h" if seconds_of(control) >= HOUR else "5m"
    return known


class Place(NamedTuple):
    """A block that carries a breakpoint: its list and its position there."""

    blocks: list[Any]
    position: int


def marked(lists: Iterable[list[Any]], key: str = "cache_control") -> list[Place]:
    """Where breakpoints stand in these lists of blocks."""
    return [
        Place(blocks, position)
        for blocks in lists
        for position, block in enumerate(blocks)
        if block.get(key)
    ]


def unmark(place: Place) -> None:
    """Put a block without its breakpoint into the place of the one with it."""
    block = place.blocks[place.position]
    kept = {name: value for name, value in block.items() if name != "cache_control"}
    place.blocks[place.position] = kept


def surplus(head: Sequence[Place], rest: Sequence[Place]) -> list[Place]:
    """The breakpoints beyond those that are taken, which are left out.

    The newest stay, since what they end can be found again next time, and the last of the
    `head` (tools and system prompt), which many conversations share.
    """
    places = [*head, *rest]
    if len(places) <= MOST:
        return []
    if len(rest) < MOST:
        return places[:-MOST]
    return [*head[:-1], *(rest[: -(MOST - 1)] if head else rest[:-MOST])]
