"""
Google's Vertex AI: Gemini, and the models of other makers, under one roof and one kind of token.

https://cloud.google.com/vertex-ai/generative-ai/docs. The formats are those of other modules;
what is Vertex AI's own is where a model lies and how one gets in:

    vertex_models.py        names: the maker, the address below a location, the format
    vertex_access.py        project, location, host, headers
    google_credentials.py   access tokens
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .anthropic import merge_headers
from .anthropic_answer import make_messages_error, parse_answer
from .anthropic_body import build_body
from .anthropic_media import urls_to_fetch
from .anthropic_stream import MessagesDecoder
from .base import Request
from .catalog import MAX_TOKENS, NO_KEY, Compatible
from .gemini import chat_method, convert_call, find_cache
from .gemini_answer import convert_answer
from .gemini_caching import parse_cache
from .gemini_errors import convert_error, read_status
from .gemini_media import Media
from .gemini_stream import GeminiDecoder
from .mistral import MistralAdapter
from .openai import OpenAIAdapter
from .openai_service import encode
from .vertex_access import Access
from .vertex_models import read_model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Adapter, Call, ContextCache, Credential, NewCache, Target
    from .vertex_models import Model

ANTHROPIC_VERSION = "vertex-2023-10-16"

TIERS = {"flex": "flex", "priority": "priority"}
"""Values of `service_tier` that Vertex AI knows; it takes them as a header."""
TIER_HEADER = "X-Vertex-AI-LLM-Shared-Request-Type"

OPEN_MODELS = Compatible(
    base_url="https://aiplatform.googleapis.com",
    placeholder_key=NO_KEY,
    rename=MAX_TOKENS,
    message_keys=frozenset({"reasoning_content"}),
)


def make_adapter(target: Target) -> Adapter:
    """The adapter for a model's format.

    Raises:
        BadRequestError: no project is named, and no credential could tell one.
    """
    model = read_model(target.model, target.settings.get("base_model"))
    adapters: dict[str, type[Any]] = {
        "chat": ChatOnVertex,
        "gemini": GeminiOnVertex,
        "messages": ClaudeOnVertex,
        "mistral": MistralOnVertex,
    }
    adapter: Adapter = adapters[model.format](target, model)
    return adapter


class GeminiOnVertex:
    """Chat completions of a Gemini model, Google's own or tuned."""

    def __init__(self, target: Target, model: Model) -> None:
        self.access: Access = Access(target, model)
        self.credential: Credential | None = self.access.credential
        self.target: Target = replace(self.access.target, model=model.name)

    def files(self, call: Call) -> tuple[str, ...]:
        """Pages whose type the address does not tell; Vertex AI opens the others itself."""
        return Media(opens_urls=True).urls(call.messages)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        body, dropped = convert_call(call, self.target, opens_urls=True)
        tier = TIERS.get(body.pop("serviceTier", ""))
        request = self.request(chat_method(call), body, call, dropped)
        if tier is not None:
            request.headers = {TIER_HEADER: tier, **request.headers}
        return request

    def request(
        self, method: str, body: Mapping[str, Any], call: Call, dropped: tuple[str, ...] = ()
    ) -> Request:
        """The request to a method of the model."""
        headers = {**self.access.headers(call), **(call.extra_headers or {})}
        return Request(f"{self.access.url(call)}:{method}", headers, encode(body), dropped)

    def new_cache(self, call: Call) -> NewCache | None:
        """What can be stored of a call; see :meth:`CachingAdapter.new_cache`."""
        url, headers = self.access.url(call), self.access.headers(call)
        return find_cache(call, self.target, url, headers, opens_urls=True)

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


class ClaudeOnVertex:
    """Messages of a Claude model.

    Two of its abilities are not to be had here by default: Vertex AI opens no URLs for Claude,
    and forbids structured outputs until an organisation allows them.
    """

    def __init__(self, target: Target, model: Model) -> None:
        self.access: Access = Access(target, model)
        self.credential: Credential | None = self.access.credential
        self.target: Target = replace(self.access.target, model=model.name)

    def files(self, call: Call) -> tuple[str, ...]:
        """Every URL in the messages; see :meth:`Adapter.files`."""
        return urls_to_fetch(call.messages, opens_urls=False)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        body, betas, dropped = build_body(call, self.target, structured=False)
        del body["model"]
        body.setdefault("anthropic_version", ANTHROPIC_VERSION)
        headers = self.access.headers(call)
        if betas or call.extra_headers:
            headers = merge_headers(headers, call.extra_headers or {}, betas)
        url = f"{self.access.url(call)}:{raw_method(call)}"
        return Request(url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return parse_answer(body, call, self.target)

    def decoder(self, call: Call) -> MessagesDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return MessagesDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer, Google's or Anthropic's; see :meth:`Adapter.error`."""
        if is_googles(body):
            return convert_error(self.target, status, headers, body)
        return make_messages_error(self.target, status, headers, body)


class ChatOnVertex(OpenAIAdapter):
    """Chat completions in OpenAI's format: open models, and containers that speak it."""

    def __init__(self, target: Target, model: Model) -> None:
        self.access: Access = Access(target, model)
        super().__init__(replace(self.access.target, model=model.name), OPEN_MODELS)
        self.credential: Credential | None = self.access.credential

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        request = super().build(call)
        url = self.access.url(call)
        request.url = url if url.endswith("/chat/completions") else f"{url}/chat/completions"
        request.headers = {**self.access.headers(call), **(call.extra_headers or {})}
        return request

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer, Google's or OpenAI's; see :meth:`Adapter.error`."""
        if is_googles(body):
            return convert_error(self.target, status, headers, body)
        return super().error(status, headers, body)


class MistralOnVertex(MistralAdapter):
    """Chat completions of a Mistral model; the body names it without its version."""

    def __init__(self, target: Target, model: Model) -> None:
        self.access: Access = Access(target, model)
        key = self.access.target.api_key or NO_KEY
        name = model.name.partition("@")[0]
        super().__init__(replace(self.access.target, model=name, api_key=key))
        self.credential: Credential | None = self.access.credential

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        request = super().build(call)
        request.url = f"{self.access.url(call)}:{raw_method(call)}"
        request.headers = {**self.access.headers(call), **(call.extra_headers or {})}
        return request

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer, Google's or Mistral's; see :meth:`Adapter.error`."""
        if is_googles(body):
            return convert_error(self.target, status, headers, body)
        return super().error(status, headers, body)


def raw_method(call: Call) -> str:
    """The method that hands a body on to the model's maker as it is."""
    return "streamRawPredict" if call.stream else "rawPredict"


def is_googles(body: bytes) -> bool:
    """Whether an error is Google's own, with a status in words, and not the model's maker's."""
    return isinstance(read_status(body).get("status"), str)
