"""
Context caching: the beginning of a prompt is stored at Google under a name, once, and calls say
the name: https://ai.google.dev/api/caching and
https://cloud.google.com/vertex-ai/generative-ai/docs/context-cache/context-cache-overview.

What is stored goes from the start to the end of the first run of messages with `cache_control`,
with the tools and all system messages, which a call that names a cache may not repeat. It is paid
for by the hour, so it lasts only as long as the breakpoint says (five minutes if it says nothing),
and nothing is stored that is below the model's minimum or would change with every call.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from .base import ContextCache, NewCache, Request
from .caching import (
    ROLES_OF_THE_CALLER,
    SECONDS,
    SYSTEM_ROLES,
    control_of,
    has_breakpoints,
    is_marked,
    least_tokens,
    seconds_of,
    tokens_of,
)
from .errors import unreadable
from .openai_service import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..schemas import Usage
    from .base import Call, Target

CACHES = re.compile(r"(?:models/)?gemini-(?:1\.5|[2-9]|\d\d)(?!.*-(?:audio|image|live|tts))")
"""Models that can be given a cache."""

STORED = ("contents", "systemInstruction", "tools", "toolConfig")
"""Fields of a request that can be stored."""

_STUDIO = re.compile(r"(?P<base>.+)/(?P<model>models/[^/]+)")
_VERTEX = re.compile(
    r"(?P<base>.+/(?P<place>projects/[^/]+/locations/[^/]+))/(?P<model>publishers/.+)"
)


class Cut(NamedTuple):
    """A call in two: what is stored, and what is said each time."""

    head: Call
    tail: Call
    seconds: float


class Place(NamedTuple):
    """Where a model's caches are created, and the model's full name there."""

    url: str
    model: str


class _Counts(msgspec.Struct, rename="camel"):
    total_token_count: int = 0


class _Created(msgspec.Struct, rename="camel"):
    name: str
    usage_metadata: _Counts = msgspec.field(default_factory=_Counts)


_decode = msgspec.json.Decoder(_Created).decode


def place_of(url: str) -> Place | None:
    """The place for a model's address; None where there are no caches, as for tuned models."""
    vertex = _VERTEX.fullmatch(url)
    if vertex:
        model = f"{vertex['place']}/{vertex['model']}"
        return Place(f"{vertex['base']}/cachedContents", model)
    studio = None if "/publishers/" in url else _STUDIO.fullmatch(url)
    return Place(f"{studio['base']}/cachedContents", studio["model"]) if studio else None


def cut(call: Call, model: str) -> Cut | None:
    """The call in two; None if its breakpoints leave nothing that is worth storing."""
    if not (CACHES.match(model) and has_breakpoints(call)):
        return None
    messages = call.messages
    end = end_of_prefix(messages)
    head, tail = messages[:end], messages[end:]
    if not tail or any(message["role"] in SYSTEM_ROLES for message in tail):
        return None
    size = tokens_of(call.params.get("tools")) + sum(tokens_of(m.get("content")) for m in head)
    if size < least_tokens(model):
        return None
    controls = [control for message in head if (control := control_of(message))]
    seconds = seconds_of(controls[-1]) if controls else SECONDS
    return Cut(
        replace(call, messages=head, cache=None), replace(call, messages=tail, cache=None), seconds
    )


def end_of_prefix(messages: Sequence[Mapping[str, Any]]) -> int:
    """How many messages are stored: something is left to be said, results stay with their calls.

    An answer ends the run: behind it conversations grow, and each turn would be stored anew. Where
    only tools are marked, the system messages at the start go with them.
    """
    end = next((at for at, message in enumerate(messages) if is_marked(message)), None)
    if end is None:
        end = 0
        while end < len(messages) and messages[end]["role"] in SYSTEM_ROLES:
            end += 1
    else:
        end += 1
        while end < len(messages) and _goes_on(messages[end]):
            end += 1
    end = min(end, len(messages) - 1)
    while end and messages[end]["role"] in ROLES_OF_THE_CALLER - {"user"}:
        end -= 1
    return end


def _goes_on(message: Mapping[str, Any]) -> bool:
    return is_marked(message) and message["role"] != "assistant"


def new_cache(
    found: Cut, body: Mapping[str, Any], place: Place, secret: str, headers: Mapping[str, str]
) -> NewCache:
    """How the head of a call is stored; `body` is what it would be as a request of its own."""
    stored = {name: body[name] for name in STORED if name in body}
    if all(message["role"] in SYSTEM_ROLES for message in found.head.messages):
        stored.pop("contents", None)
    content = {"model": place.model, **stored}
    identity = encode({"url": place.url, "secret": secret, **content})
    return NewCache(
        key=hashlib.sha256(identity).hexdigest(),
        request=Request(place.url, headers, encode({**content, "ttl": f"{found.seconds:.0f}s"})),
        seconds=found.seconds,
    )


def with_cache(body: dict[str, Any], name: str) -> dict[str, Any]:
    """The body of the tail of a call, with the name of what comes before."""
    left = {
        field: value for field, value in body.items() if field not in STORED or field == "contents"
    }
    return {**left, "cachedContent": name}


def parse_cache(body: bytes, target: Target) -> ContextCache:
    """The cache that has been created.

    Raises:
        APIResponseValidationError: it has no name.
    """
    try:
        created = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise unreadable(target, body, "it is no cached content") from None
    return ContextCache(created.name, created.usage_metadata.total_token_count)


def count_written(usage: Usage | None, cache: ContextCache | None) -> Usage | None:
    """The usage with what this call has stored beforehand, which is paid for like any prompt."""
    if usage is None or cache is None or not cache.written:
        return usage
    usage.prompt_tokens += cache.written
    usage.total_tokens += cache.written
    usage.cache_creation_input_tokens = cache.written
    if usage.prompt_tokens_details is not None:
        usage.prompt_tokens_details["cache_creation_tokens"] = cache.written
    return usage
