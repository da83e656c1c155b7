"""
Anthropic's Messages API: https://docs.claude.com/en/api/messages.

    anthropic.py            the address, the key, the version, beta flags
    anthropic_body.py       parameters: `build_body`
    anthropic_messages.py   `convert_messages`; anthropic_media.py  images and documents
    anthropic_tools.py      `convert_tools`; anthropic_schema.py  schemas for structured output
    anthropic_answer.py     `parse_answer`, `convert_usage`, FINISH_REASONS, errors
    anthropic_stream.py     `MessagesDecoder`
    anthropic_models.py     what each family of models can do

Only this module knows where the API is; Claude on Vertex and Bedrock shares the others.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .anthropic_answer import make_messages_error, parse_answer
from .anthropic_body import build_body
from .anthropic_media import urls_to_fetch
from .anthropic_stream import MessagesDecoder
from .base import Request
from .catalog import find_key, from_environment
from .openai_service import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Target

BASE_URL = "https://api.anthropic.com"
BASE_ENV = ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL")
KEY_ENV = ("ANTHROPIC_API_KEY",)
TOKEN_ENV = ("ANTHROPIC_AUTH_TOKEN",)

VERSION = "2023-06-01"
BEARER_SINCE = "2026-10-21"
"""The version that moved the key to `Authorization` and dropped the sampling parameters."""

OAUTH_KEY = "sk-ant-oat"
OAUTH_BETA = "oauth-2025-04-20"


class AnthropicAdapter:
    """Messages for one target."""

    credential: Credential | None = None

    def __init__(self, target: Target) -> None:
        self.version: str = version_of(target)
        with_key = authorization(target, self.version)
        key = with_key.get("x-api-key") or with_key["Authorization"].removeprefix("Bearer ")
        self.target: Target = replace(target, api_key=key)
        self.url: str = messages_url(target.api_base or from_environment(BASE_ENV) or BASE_URL)
        self.headers: dict[str, str] = {
            "Content-Type": "application/json",
            "anthropic-version": self.version,
            **with_key,
            **target.headers,
        }

    def files(self, call: Call) -> tuple[str, ...]:
        """URLs that Anthropic does not fetch itself: http, and texts."""
        return urls_to_fetch(call.messages)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        body, betas, dropped = build_body(call, self.target, sampling=self.version < BEARER_SINCE)
        headers = self.headers
        if betas or call.extra_headers:
            headers = merge_headers(headers, call.extra_headers or {}, betas)
        return Request(self.url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return parse_answer(body, call, self.target)

    def decoder(self, call: Call) -> MessagesDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return MessagesDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return make_messages_error(self.target, status, headers, body)


def messages_url(base: str) -> str:
    """The endpoint for a base that may be the bare host, end in `/v1`, or be the endpoint."""
    base = base.rstrip("/")
    if base.endswith("/messages"):
        return base
    return f"{base}/messages" if base.endswith("/v1") else f"{base}/v1/messages"


def version_of(target: Target) -> str:
    """The API's version; other providers' versions that a caller passes along do not count."""
    given = target.api_version or ""
    return given if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given) else VERSION


def authorization(target: Target, version: str) -> dict[str, str]:
    """The header with the key, as the version and the kind of key want it.

    Raises:
        AuthenticationError: there is no key; names the variables.
    """
    token = None if target.api_key or from_environment(KEY_ENV) else from_environment(TOKEN_ENV)
    key = token or find_key(target, KEY_ENV + TOKEN_ENV)
    if key.startswith(OAUTH_KEY):
        return {"Authorization": f"Bearer {key}", "anthropic-beta": OAUTH_BETA}
    if token or version >= BEARER_SINCE:
        return {"Authorization": f"Bearer {key}"}
    return {"x-api-key": key}


def merge_headers(
    headers: Mapping[str, str], extra: Mapping[str, str], betas: Iterable[str]
) -> dict[str, str]:
    """The headers with the caller's laid over them, and every beta flag of all of them."""
    merged: dict[str, str] = {}
    flags: dict[str, None] = {}
    for name, value in (*headers.items(), *extra.items()):
        if name.lower() == "anthropic-beta":
            flags.update(dict.fromkeys(flag.strip() for flag in value.split(",")))
        else:
            merged[name] = value
    flags.update(dict.fromkeys(sorted(betas)))
    if flags:
        merged["anthropic-beta"] = ",".join(flags)
    return merged
