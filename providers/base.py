"""
What a provider is: pure translation between OpenAI's shapes and one wire format.

    Call + Target ── build ──▶ Request ··· socket ···▶ bytes ── parse ──▶ ChatCompletion
                                                             └─ decoder.feed ──▶ chunks
                                                             └─ error ──▶ APIError

An :class:`Adapter` is bound to one :class:`Target` (a model at a provider, with a key), makes
no I/O, waits for nothing and keeps no state between calls. Everything that opens a socket
lives in `polyroute.router`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from ..exceptions import APIError
    from ..schemas import Answer, ChatCompletionChunk, Usage
    from .caching import Caching

Operation = Literal[
    "chat",
    "embedding",
    "image",
    "moderation",
    "rerank",
    "speech",
    "text_completion",
    "transcription",
]
"""What a call can be for. All but chat are answered whole."""

SECRET_NAME = re.compile(r"credential|key|password|secret|token")
"""Names of settings whose values are secrets, such as ``azure_ad_token``."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model at a provider, with what is needed to reach it.

    Attributes:
        provider: the provider's prefix, e.g. ``"anthropic"``.
        model: the provider's own name of the model.
        api_key: the secret; never shown.
        api_base: base URL, None for the provider's own.
        api_version: for providers that version by parameter or header.
        headers: sent with every request; never shown, they may hold secrets.
        settings: what only this provider knows, e.g. ``organization``, ``vertex_project``.
    """

    provider: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    api_base: str | None = None
    api_version: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def secrets(self) -> tuple[str, ...]:
        """The strings that must not appear in any text."""
        settings = (value for name, value in self.settings.items() if SECRET_NAME.search(name))
        values = (self.api_key, *self.headers.values(), *settings)
        return tuple(value for value in values if isinstance(value, str) and value)


@dataclass(frozen=True, slots=True)
class File:
    """An image or document of the request, fetched: its bytes and media type."""

    data: bytes = field(repr=False)
    media_type: str


class Credential(Protocol):
    """How to get at a secret that is not simply a key: a token to be fetched, keys that rotate."""

    @property
    def identity(self) -> Hashable:
        """Equal for credentials that give the same secret; never shown."""
        ...

    def fetch(self) -> Secret:
        """Get it, however long that takes; runs in a thread, never on the event loop.

        Raises:
            AuthenticationError: it cannot be had; names what is missing.
        """
        ...


class Secret(NamedTuple):
    """What a credential gives: a token or a set of keys, and when it must be fetched anew.

    `expires` is seconds since the epoch, None if it lasts.
    """

    value: Any
    expires: float | None = None

    def __repr__(self) -> str:
        return "Secret(…)"


class ContextCache(NamedTuple):
    """The beginning of a prompt, kept by the provider under a name.

    `written` is how many tokens this very call has put there, 0 if it was there before.
    """

    name: str
    written: int = 0


class Call(msgspec.Struct):
    """One caller's request, checked and normalised, before any provider has seen it.

    Attributes:
        messages: plain dictionaries in OpenAI's shape; empty for all but chat.
        params: parameters that are not None, by OpenAI's names, and providers' own.
        stream: whether chunks are wanted.
        ask_usage: whether a stream must report usage even if the caller did not ask.
        drop_params: leave out what the target cannot do, instead of refusing.
        extra_body: laid over the body as it is.
        extra_headers: laid over the headers as they are.
        files: what :meth:`Adapter.files` asked for, by URL.
        secret: what the adapter's `credential` gave, e.g. a bearer token.
        max_event_bytes: limit of one event of a stream.
        caching: where cache breakpoints are put, beside those in the messages.
        cache: the provider's cache that holds the beginning of this call.
        operation: what the call is for.
        input: what is embedded, ranked, drawn, judged, spoken or heard; None for chat.
        plain: the messages themselves if each is known to be no more than a role that every
            provider has and a text, the last not the model's; who finds
            ``call.plain is call.messages`` need not look at them one by one.
        characters: of these texts.
    """

    messages: list[dict[str, Any]]
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    stream: bool = False
    ask_usage: bool = False
    drop_params: bool = False
    extra_body: Mapping[str, Any] | None = None
    extra_headers: Mapping[str, str] | None = None
    files: dict[str, File] = msgspec.field(default_factory=dict)
    secret: Any = None
    max_event_bytes: int = 32 * 2**20
    caching: Caching | None = None
    cache: ContextCache | None = None
    operation: Operation = "chat"
    input: Any = None
    plain: list[dict[str, Any]] | None = None
    characters: int = 0

    @property
    def wants_usage(self) -> bool:
        """Whether the caller asked for usage in the stream."""
        options = self.params.get("stream_options")
        return bool(options and options.get("include_usage"))

    def __repr__(self) -> str:
        what = f"{len(self.messages)} messages" if self.operation == "chat" else self.operation
        return f"Call({what}, params={list(self.params)})"


class Request(msgspec.Struct):
    """An HTTP request, ready to send. `dropped` names the parameters that were left out."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    dropped: tuple[str, ...] = ()
    method: str = "POST"

    def __repr__(self) -> str:
        return f"Request({self.url!r}, {len(self.body)} bytes)"


class Pending(NamedTuple):
    """Instead of an answer: it is being made; `request`, after so many seconds, asks for it."""

    request: Request
    seconds: float


class Decoder(Protocol):
    """Turns the bytes of one stream into chunks, whatever way the bytes are cut."""

    usage: Usage | None
    """Tokens, as soon as the provider has told; known even if the caller did not ask."""
    ended: bool
    """The provider's own end marker has arrived; nothing more is to be read."""
    again: Pending | None
    """After `finish`: how to ask for what is still to come; None: that was all."""

    def feed(self, data: bytes, out: list[ChatCompletionChunk]) -> None:
        """Append the chunks that `data` completes to `out`.

        Raises:
            APIError: the stream carries an error; chunks before it are in `out`.
        """
        ...

    def finish(self, out: list[ChatCompletionChunk]) -> None:
        """Append what is left when the connection has ended.

        Raises:
            APIError: the stream was cut short.
        """
        ...


class Adapter(Protocol):
    """One operation in one wire format, bound to one target."""

    credential: Credential | None
    """How to get the secret that `build` finds in `call.secret`; None where a key will do."""

    def files(self, call: Call) -> Sequence[str]:
        """URLs that must be fetched into `call.files` before `build`."""
        ...

    def build(self, call: Call) -> Request:
        """The request that goes over the wire.

        Raises:
            UnsupportedParamsError: a parameter that the target cannot do, without `drop_params`.
            BadRequestError: messages that this format cannot express.
        """
        ...

    def parse(self, body: bytes, call: Call) -> Answer | Pending:
        """The whole answer, or how to ask for it again.

        Raises:
            APIError: the body is an error in spite of its status, or cannot be understood.
        """
        ...

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an answer with status >= 300."""
        ...


class ChatAdapter(Adapter, Protocol):
    """Chat in one wire format: the one operation that streams."""

    def decoder(self, call: Call) -> Decoder:
        """A fresh decoder for one streamed answer."""
        ...


class NewCache(NamedTuple):
    """How the beginning of a call is put into a cache of the provider's.

    Attributes:
        key: equal for what may share a cache: the same content, model, place and secret.
        request: creates it.
        seconds: how long it lasts from then on.
    """

    key: str
    request: Request
    seconds: float


class CachingAdapter(ChatAdapter, Protocol):
    """Chat with a provider that keeps prompts in caches to be created beforehand."""

    def new_cache(self, call: Call) -> NewCache | None:
        """The cache that would serve this call; None if none is wanted, or worth it.

        :meth:`build` makes use of the cache that it finds in `call.cache`.
        """
        ...

    def parse_cache(self, body: bytes) -> ContextCache:
        """The cache that has been created.

        Raises:
            APIError: the answer cannot be understood.
        """
        ...


class EmbeddingAdapter(Adapter, Protocol):
    """Embeddings in one wire format."""

    max_inputs: int | None
    """How many inputs one request may have; None: as many as you like."""


class HeaderCounts(Protocol):
    """An adapter whose provider counts tokens in the headers of an answer."""

    def count_tokens(self, headers: Mapping[str, str]) -> Usage | None:
        """What an answer without usage has used, as its headers say."""
        ...
