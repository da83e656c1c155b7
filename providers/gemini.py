"""
Google's Gemini, as AI Studio serves it: https://ai.google.dev/api/generate-content.

The format has parts of its own, which know nothing of addresses and keys and so serve Vertex
AI as well:

    gemini_messages.py   the conversation        gemini_answer.py   what comes back
    gemini_media.py      images, files, audio    gemini_stream.py   … in pieces
    gemini_params.py     generationConfig        gemini_errors.py   what went wrong
    gemini_tools.py      tools                   gemini_wire.py     … as it stands there
    gemini_schema.py     schemas of tools        gemini_caching.py  caches made beforehand
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .base import Request
from .catalog import find_key, from_environment
from .gemini_answer import convert_answer
from .gemini_caching import cut, new_cache, parse_cache, place_of, with_cache
from .gemini_errors import convert_error
from .gemini_media import Media, highest_resolution
from .gemini_messages import convert_messages
from .gemini_params import THINKS_IN_LEVELS, convert_params
from .gemini_stream import GeminiDecoder
from .messages import fold_system
from .openai_service import encode
from .params import leave_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, ContextCache, Credential, NewCache, Target

HOST = "https://generativelanguage.googleapis.com"
VERSION = "v1beta"
KEY_ENV = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
BASE_ENV = ("GEMINI_API_BASE",)

VERTEX_ONLY = "enterpriseWebSearch"
"""A tool of Google's that Vertex AI alone has."""

NO_SYSTEM = re.compile(r"(?:models/)?gemma-[123]")
"""Models without system instructions."""

METHOD = re.compile(r":(?:(?:streamG|g)enerateContent|(?:batchE|e)mbedContents?|predict)$")


class GeminiAdapter:
    """Chat completions for one model of AI Studio."""

    credential: Credential | None = None

    def __init__(self, target: Target) -> None:
        key = find_key(target, KEY_ENV)
        target = replace(target, api_key=key)
        self.target: Target = target
        self.url: str = model_url(target)
        self.headers: dict[str, str] = {
            "Content-Type": "application/json",
            "x-goog-api-key": key,
            **target.headers,
        }

    def files(self, call: Call) -> tuple[str, ...]:
        """What lies on the web and Google does not open itself; see :meth:`Adapter.files`."""
        return Media().urls(call.messages)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        body, dropped = convert_call(call, self.target)
        tools = [tool for tool in body.get("tools", ()) if VERTEX_ONLY not in tool]
        if len(tools) < len(body.get("tools", ())):
            refused = {"tools": f"the tool {VERTEX_ONLY}"}
            dropped += leave_out(refused, self.target, drop=call.drop_params)
            body["tools"] = tools
        return self.request(chat_method(call), body, call, dropped)

    def request(
        self, method: str, body: Mapping[str, Any], call: Call, dropped: tuple[str, ...] = ()
    ) -> Request:
        """The request to a method of the model."""
        headers = {**self.headers, **call.extra_headers} if call.extra_headers else self.headers
        return Request(f"{self.url}:{method}", headers, encode(body), dropped)

    def new_cache(self, call: Call) -> NewCache | None:
        """What can be stored of a call; see :meth:`CachingAdapter.new_cache`."""
        return find_cache(call, self.target, self.url, self.headers)

    def parse_cache(self, body: bytes) -> ContextCache:
        """The cache; see :meth:`CachingAdapter.parse_cache`."""
        return parse_cache(body, self.target)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return convert_answer(body, self.target, call.cache)

    def decoder(self, call: Call) -> GeminiDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return GeminiDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


def model_url(target: Target) -> str:
    """The model's address, from a base that may be a host, a version below it, or all of it."""
    base = target.api_base or from_environment(BASE_ENV) or HOST
    base = METHOD.sub("", base.partition("?")[0].rstrip("/"))
    if re.search(r"/(?:models|tunedModels)/[^/]+$", base):
        return base
    if not re.search(r"/v\d+(?:(?:alpha|beta)\d*)?$", base):
        base = f"{base}/{target.api_version or VERSION}"
    named = re.match(r"(?:models|tunedModels)/", target.model)
    return f"{base}/{target.model}" if named else f"{base}/models/{target.model}"


def chat_method(call: Call) -> str:
    """The model's method that answers a chat, whole or as a stream."""
    return "streamGenerateContent?alt=sse" if call.stream else "generateContent"


def convert_call(
    call: Call, target: Target, *, opens_urls: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body of a request, and the names of parameters left out.

    With `opens_urls` the endpoint fetches public URLs itself.

    Raises:
        BadRequestError: something cannot be expressed in this format.
        UnsupportedParamsError: a parameter asks for what Gemini cannot do.
    """
    cache = call.cache
    found = cut(call, target.model) if cache else None
    call = found.tail if found else call
    recent = THINKS_IN_LEVELS.match(target.model) is not None
    media = Media(call.files, opens_urls=opens_urls, part_resolution=recent)
    messages = fold_system(call.messages) if NO_SYSTEM.match(target.model) else call.messages
    body = convert_messages(messages, media, sign=recent)
    params, dropped = convert_params(call, target)
    body.update(params)
    resolution = None if recent else highest_resolution(call.messages)
    if resolution:
        config = body.get("generationConfig", {})
        body["generationConfig"] = {"mediaResolution": resolution, **config}
    body = merge(body, call.extra_body or {})
    return (with_cache(body, cache.name) if cache and found else body), dropped


def find_cache(
    call: Call, target: Target, url: str, headers: Mapping[str, str], *, opens_urls: bool = False
) -> NewCache | None:
    """What can be stored of a call to the model at this address; None: nothing worth it."""
    place = place_of(url)
    found = cut(call, target.model) if place else None
    if place is None or found is None:
        return None
    body, _ = convert_call(found.head, target, opens_urls=opens_urls)
    if "cachedContent" in body:  # the caller keeps caches of its own
        return None
    return new_cache(
        found, body, place, target.api_key or "", {**headers, **(call.extra_headers or {})}
    )


def merge(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The body with more laid over it, objects inside objects included."""
    merged = dict(body)
    for name, value in extra.items():
        inner = merged.get(name)
        if isinstance(inner, dict) and isinstance(value, dict):
            merged[name] = merge(inner, value)
        else:
            merged[name] = value
    return merged
