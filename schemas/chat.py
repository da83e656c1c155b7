"""
Chat answers in OpenAI's shape, whole and in chunks.

    ChatCompletion ── choices: [Choice ── message: Message ── tool_calls: [ToolCall ── function]]
                   └─ usage: Usage ── prompt_tokens_details, completion_tokens_details: Details
    ChatCompletionChunk ── choices: [ChunkChoice ── delta: Delta ── tool_calls: [DeltaToolCall]]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from .records import Details, Record, private
from .route import Route

if TYPE_CHECKING:
    from collections.abc import Mapping


class Usage(Record, kw_only=True):
    """Tokens of one answer. All counts are tokens; `prompt_tokens` includes cached ones."""

    _path = ("usage",)

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    _extra: Any = private("extra")


class Function(Record, kw_only=True):
    """The function a model wants called; `arguments` is JSON text, as the model wrote it."""

    name: str = ""
    arguments: str = ""


class ToolCall(Record, kw_only=True):
    """One call of a tool that the model asks for."""

    id: str = ""
    type: str = "function"
    function: Function
    provider_specific_fields: dict[str, Any] | None = None
    _extra: Any = private("extra")


class Message(Record, kw_only=True):
    """What the model said. Can be put back into `messages` as it is."""

    _path = ("choices", 0, "message")

    role: str = "assistant"
    content: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None
    audio: dict[str, Any] | None = None
    images: list[dict[str, Any]] | None = None
    _extra: Any = private("extra")

    @property
    def provider_specific_fields(self) -> dict[str, Any]:
        """Fields of this message that OpenAI does not define."""
        return self._extras()


class Choice(Record, kw_only=True):
    """One of the `n` answers."""

    _path = ("choices", 0)

    index: int = 0
    message: Message
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None
    _extra: Any = private("extra")

    @property
    def provider_specific_fields(self) -> dict[str, Any]:
        """Fields of this choice that OpenAI does not define, e.g. `native_finish_reason`."""
        return self._extras()


class Answer(Record, kw_only=True):
    """What every kind of answer carries beside its content."""

    _path = ()

    _extra: Any = private("extra")
    _route: Any = private("route")
    _headers: Any = private("headers")

    @property
    def route(self) -> Route:
        """How this answer came about: every attempt, and what it cost."""
        route: Route = self._route or Route("")
        return route

    @property
    def response_headers(self) -> dict[str, str]:
        """The headers of the provider's answer, lower-case, e.g. its rate limits."""
        return {name.lower(): value for name, value in (self._headers or {}).items()}

    @property
    def request_id(self) -> str | None:
        """The provider's id of this request, for its support; a few send it in the body."""
        return request_id(self._headers or {}) or self._extras().get("request_id")

    @property
    def provider_specific_fields(self) -> dict[str, Any]:
        """Fields of the answer that OpenAI does not define."""
        return self._extras()

    def __reduce__(self) -> str | tuple[Any, ...]:
        """For pickle and deepcopy, which cannot take the HTTP client's own mapping of headers."""
        if self._headers is not None:
            self._headers = self.response_headers
        return super().__reduce__()


class ChatCompletion(Answer, kw_only=True):
    """A whole answer."""

    id: str = ""
    object: str = "chat.completion"
    created: int = 0
    model: str = ""
    choices: list[Choice]
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None


class DeltaFunction(Record, kw_only=True):
    """A piece of a function call: the name comes once, the arguments in pieces."""

    name: str | None = None
    arguments: str | None = None


class DeltaToolCall(Record, kw_only=True):
    """A piece of a tool call; pieces with the same `index` belong together."""

    index: int = 0
    id: str | None = None
    type: str | None = None
    function: DeltaFunction = msgspec.field(default_factory=DeltaFunction)
    provider_specific_fields: dict[str, Any] | None = None
    _extra: Any = private("extra")


class Delta(Record, kw_only=True):
    """What a chunk adds to the message."""

    _path = ("choices", 0, "delta")

    role: str | None = None
    content: str | None = None
    tool_calls: list[DeltaToolCall] | None = None
    function_call: DeltaFunction | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    thinking_blocks: list[dict[str, Any]] | None = None
    annotations: list[dict[str, Any]] | None = None
    audio: dict[str, Any] | None = None
    images: list[dict[str, Any]] | None = None
    _extra: Any = private("extra")

    @property
    def provider_specific_fields(self) -> dict[str, Any]:
        """Fields of this delta that OpenAI does not define."""
        return self._extras()


class ChunkChoice(Record, kw_only=True):
    """One choice's part of a chunk."""

    _path = ("choices", 0)

    index: int = 0
    delta: Delta = msgspec.field(default_factory=Delta)
    finish_reason: str | None = None
    logprobs: dict[str, Any] | None = None
    _extra: Any = private("extra")

    @property
    def provider_specific_fields(self) -> dict[str, Any]:
        """Fields of this choice that OpenAI does not define."""
        return self._extras()


class ChatCompletionChunk(Answer, kw_only=True):
    """One piece of a streamed answer. `choices` is never empty, not even beside the usage."""

    id: str = ""
    object: str = "chat.completion.chunk"
    created: int = 0
    model: str = ""
    choices: list[ChunkChoice]
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's id of a request, under whichever header it sends it."""
    for name in ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray"):
        if name in headers:
            return headers[name]
    return None
