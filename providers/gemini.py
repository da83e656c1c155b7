"""
Google's Gemini, as AI Studio serves it: https://ai.google.dev/api/generate-content.

The format has parts of its own, which know nothing of addresses and keys and so serve Vertex
AI as well:

    gemini_messages.py   the conversation        gemini_answer.py   what comes back
    gemini_media.py      images, files, audio    gemini_stream.py   … in pieces
    gemini_params.py     generationConfig        gemini_errors.py   what went wrong
    gemini_tools.py      tools                   gemini_wire.py     … as it stands there
    gemini_schema.py     schemas of tools
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .base import Request
from .catalog import find_key, from_environment
from .gemini_answer import convert_answer
from .gemini_errors import convert_error
from .gemini_media import Media, highest_resolution
from .gemini_messages import convert_messages
from .gemini_params import THINKS_IN_LEVELS, convert_params
from .gemini_stream import GeminiDecoder
from .messages import fold_system
from .openai import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Target

HOST = "https://generativelanguage.googleapis.com"
VERSION = "v1beta"
KEY_ENV = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
BASE_ENV = ("GEMINI_API_BASE",)

NO_SYSTEM = re.compile(r"(?:models/)?gemma-[123]")
"""Models without system instructions."""

METHOD = re.compile(r":(?:streamG|g)enerateContent$")


class GeminiAdapter:
    """Chat completions for one model of AI Studio."""

    credential: Credential | None = None

    def __init__(self, target: Target) -> None:
        key = find_key(target, KEY_ENV)
        self.target = target = replace(target, api_key=key)
        self.url = model_url(target)
        self.headers = {
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
        headers = {**self.headers, **call.extra_headers} if call.extra_headers else self.headers
        return Request(method_url(self.url, call.stream), headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return convert_answer(body, self.target)

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


def method_url(url: str, stream: bool) -> str:
    """The address of a model's method."""
    return f"{url}:streamGenerateContent?alt=sse" if stream else f"{url}:generateContent"


def convert_call(
    call: Call, target: Target, *, opens_urls: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body of a request, and the names of parameters left out.

    With `opens_urls` the endpoint fetches public URLs itself.

    Raises:
        BadRequestError: something cannot be expressed in this format.
        UnsupportedParamsError: a parameter asks for what Gemini cannot do.
    """
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
    return merge(body, call.extra_body or {}), dropped


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
