"""
OpenAI's chat completions: the format that most providers speak.

https://platform.openai.com/docs/api-reference/chat. Providers that speak it with small
differences are rows of `catalog.py`; this module reads the row and nothing else about them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ..schemas import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Details,
    Unread,
    Usage,
    decode_details,
)
from . import openai_repair as repair
from .decoding import StreamDecoder
from .errors import UNREADABLE
from .openai_messages import (
    GOOGLE_KEYS,
    MESSAGE_KEYS,
    ROLES,
    TOOL_CALL_KEYS,
    Dialect,
    convert_messages,
    convert_tool,
    convert_tools,
    urls_of_files,
)
from .openai_service import OpenAIService
from .params import supported_params, without_foreign_tools
from .reasoning import convert_reasoning
from .sse import Splitter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..exceptions import APIError
    from ..schemas import DeltaToolCall, ToolCall
    from .base import Call, File, Request, Target
    from .catalog import Compatible

REASONING_MODELS = re.compile(r"(?:.*/)?(?:o[134](?:-|$)|gpt-5(?!.*chat))")
"""Models that call the limit `max_completion_tokens` and take no sampling parameters."""

SAMPLING = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "presence_penalty",
        "temperature",
        "top_logprobs",
        "top_p",
    }
)

FINISH_REASONS: dict[str | None, str] = {
    "COMPLETE": "stop",
    "MAX_TOKENS": "length",
    "end_turn": "stop",
    "eos": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "stop_sequence": "stop",
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
}
"""What servers of nearly OpenAI's format say instead of its words."""

SERVICE_TIERS: dict[str | None, str | None] = {
    "": None,
    "on_demand": "default",
    "standard": "default",
}
"""The same for the tier that served the call."""

HITS = ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
"""Where DeepSeek, Moonshot and Databricks count what was read from a cache."""

WRITES = ("cache_creation_input_tokens", "cache_write_tokens", "cache_creation_tokens")
"""Where Alibaba, OpenRouter and others count what was written to one, among the details."""

_decode_completion = msgspec.json.Decoder(ChatCompletion, dec_hook=decode_details).decode
_decode_chunk = msgspec.json.Decoder(ChatCompletionChunk, dec_hook=decode_details).decode


class OpenAIAdapter(OpenAIService):
    """Chat completions for one target, as its row says."""

    path = "/chat/completions"

    def __init__(self, target: Target, row: Compatible) -> None:
        super().__init__(target, row)
        own = row.message_keys | (GOOGLE_KEYS if "googleapis.com/" in self.url else frozenset())
        self.dialect: Dialect = Dialect(
            target.provider,
            MESSAGE_KEYS | own,
            TOOL_CALL_KEYS | (own & GOOGLE_KEYS),
            ROLES | row.roles,
            row.media,
            row.flat,
        )
        self._own_messages = type(self).convert_messages is not OpenAIAdapter.convert_messages
        self._reasoning = row.reasoning_models and REASONING_MODELS.match(target.model) is not None

    def files(self, call: Call) -> Sequence[str]:
        """Documents on the web, where documents are taken; images go as URLs."""
        media = self.dialect.media
        if call.plain is call.messages or media is None or "file" not in media:
            return ()
        return urls_of_files(call.messages)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        messages = call.messages
        if call.plain is not messages or self._own_messages:
            messages = self.convert_messages(messages, call.files)
        body: dict[str, Any] = {"model": self.model, "messages": messages}
        dropped: tuple[str, ...] = ()
        if call.params:
            params, dropped = supported_params(call, self.target, self.row.params)
            params, more = self.convert_params(params, call.drop_params)
            body.update(params)
            dropped += more
        if call.stream:
            body["stream"] = True
            if call.ask_usage and self.row.stream_usage and "stream_options" not in body:
                body["stream_options"] = {"include_usage": True}
        return self.request(body, call, dropped)

    def convert_messages(
        self, messages: list[dict[str, Any]], files: Mapping[str, File]
    ) -> list[dict[str, Any]]:
        """The messages in this provider's dialect."""
        return convert_messages(messages, self.dialect, files)

    def convert_params(
        self, params: dict[str, Any], drop: bool
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Parameters under this provider's names, and those dropped for this model."""
        dropped: tuple[str, ...] = ()
        if drop and "tools" in params:
            params, dropped = without_foreign_tools(params, convert_tool)
        if self._reasoning and drop:
            dropped += tuple(name for name in params if name in SAMPLING and params[name] != 1)
        renamed = self.row.rename
        if self._reasoning:
            renamed = {"max_tokens": "max_completion_tokens", **renamed}
        converted = {
            renamed.get(name, name): value for name, value in params.items() if name not in dropped
        }
        if "tools" in converted:
            converted["tools"] = convert_tools(converted["tools"], strict=self.row.strict_tools)
        if isinstance(converted.get("stop"), str):
            converted["stop"] = [converted["stop"]]
        if "thinking" in converted or "reasoning_effort" in converted:
            converted = convert_reasoning(converted, self.row.reasoning, self.row.efforts)
        return converted, dropped

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            answer = _decode_completion(body)
        except UNREADABLE:
            answer = repair.completion(body, self.unreadable)
        if not answer.choices:
            raise self.unreadable(body, "it has no choices")
        answer._extra = body
        if answer.usage is not None:
            convert_usage(answer.usage, body)
        for position, choice in enumerate(answer.choices):
            if choice.finish_reason == "error":
                raise self.unreadable(body, "it ended in an error")
            convert_choice(choice, body, position if len(answer.choices) > 1 else None)
        answer.model = answer.model or self.target.model
        answer.service_tier = SERVICE_TIERS.get(answer.service_tier, answer.service_tier)
        return answer

    def decoder(self, call: Call) -> ChatDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return ChatDecoder(self, call)


class ChatDecoder(StreamDecoder):
    """One stream of chunks: one id, one model, the role once, usage kept, every choice finished."""

    __slots__ = ("_adapter", "_early", "_model", "_open", "_roles")

    cut_short = "the stream ended without a finish reason"

    def __init__(self, adapter: OpenAIAdapter, call: Call) -> None:
        super().__init__(adapter.target, call, Splitter(call.max_event_bytes))
        self._adapter = adapter
        self._model = adapter.target.model
        self._early: list[ChatCompletionChunk] = []
        self._roles: set[int] = set()
        self._open: set[int] = set()

    def _close(self, out: list[ChatCompletionChunk]) -> None:
        """A stream is whole when each choice has its reason to end."""
        if self._open or not self._roles:
            raise self._broken()

    def _unreadable(self, body: bytes, reason: str) -> APIError:
        return self._adapter.unreadable(body, reason)

    def _add(self, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        if payload == b"[DONE]":
            self.ended = True
            return
        try:
            chunk = _decode_chunk(payload)
        except UNREADABLE:
            chunk = repair.chunk(payload, self._unreadable)
        chunk._extra = payload
        chunk.model = self._model
        chunk.object = "chat.completion.chunk"
        if chunk.usage is not None and not self._count(chunk, chunk.usage, payload):
            return
        if chunk.id != self._id:
            self._id = chunk.id = self._id or chunk.id
        chunk.service_tier = SERVICE_TIERS.get(chunk.service_tier, chunk.service_tier)
        choices = chunk.choices
        if not choices:
            choices.append(ChunkChoice())
            if not self._id and chunk.usage is None:
                self._early.append(chunk)
                return
        elif len(choices) == 1:
            self._complete(choices[0], payload)
        else:
            for position, choice in enumerate(choices):
                repair.keep_extras(choice, choice.delta, payload, position)
                self._complete(choice, None)
        if self._early:
            self._release(out)
        out.append(chunk)

    def _count(self, chunk: ChatCompletionChunk, usage: Usage, payload: bytes) -> bool:
        """Keep the usage; whether the chunk is still worth showing if the caller wants none."""
        usage = convert_usage(usage, payload)
        self.usage: Usage | None = usage
        if usage.completion_tokens_details is None:
            usage.completion_tokens_details = Details(text_tokens=usage.completion_tokens)
        if self._show_usage:
            return True
        chunk.usage = None
        return bool(chunk.choices)

    def _release(self, out: list[ChatCompletionChunk]) -> None:
        """Hand out what came before the stream's id (Azure's verdict on the prompt) under it."""
        for chunk in self._early:
            chunk.id = self._id
            out.append(chunk)
        self._early.clear()

    def _complete(self, choice: ChunkChoice, payload: bytes | None) -> None:
        """Keep the choice's unknown fields, give the role once, note the end, which comes once."""
        delta = choice.delta
        if payload is not None:
            choice._extra = delta._extra = payload
        index = choice.index
        if index in self._roles:
            delta.role = None
        else:
            self._roles.add(index)
            self._open.add(index)
            delta.role = delta.role or "assistant"
        if not delta.content and payload is not None:
            self._look_closer(choice, payload)
        if choice.finish_reason is not None:
            if choice.finish_reason and index in self._open:
                self._open.remove(index)
                convert_finish_reason(choice)
            else:
                choice.finish_reason = None

    def _look_closer(self, choice: ChunkChoice, payload: bytes) -> None:
        """What an event without content may bring instead: tool calls, reasoning, or an error."""
        if choice.delta.tool_calls:
            keep_call_extras(choice.delta.tool_calls, payload, "delta")
        if b'"reasoning"' in payload:
            repair.adopt_reasoning(choice.delta)
        if b'"error"' in payload and choice.index in self._open:
            failed = choice.finish_reason == "error"
            if failed or repair.error_status(payload) is not None:
                raise self._unreadable(payload, "the stream reports an error")


def keep_call_extras(
    calls: Sequence[ToolCall | DeltaToolCall], raw: bytes, part: Literal["message", "delta"]
) -> None:
    """Let the tool calls of an only choice find their unknown fields when somebody asks."""
    for position, call in enumerate(calls):
        call._extra = Unread(raw, ("choices", 0, part, "tool_calls", position))


def convert_choice(choice: Choice, body: bytes, position: int | None) -> None:
    """A whole answer's choice: its unknown fields, its reasoning, why it ended.

    `position` is None for an only choice, whose unknown fields are looked up when asked for.
    """
    message = choice.message
    if position is not None:
        repair.keep_extras(choice, message, body, position)
    else:
        choice._extra = message._extra = body
        if message.tool_calls:
            keep_call_extras(message.tool_calls, body, "message")
    if message.reasoning_content is None and b'"reasoning"' in body:
        repair.adopt_reasoning(message)
    if not choice.finish_reason:
        choice.finish_reason = "tool_calls" if message.tool_calls else "stop"
    convert_finish_reason(choice)


def convert_finish_reason(choice: Choice | ChunkChoice) -> None:
    """Say in OpenAI's words why an answer ended; the provider's own word is kept beside it."""
    native = choice.finish_reason
    if native in FINISH_REASONS:
        choice._extra = {**choice._extras(), "native_finish_reason": native}
        choice.finish_reason = FINISH_REASONS[native]


def convert_usage(usage: Usage, body: bytes) -> Usage:
    """Usage with every count where OpenAI puts it.

    xAI leaves reasoning tokens out of `completion_tokens` (its total tells).
    """
    usage._extra = body
    # most answers say `cached_tokens` where it belongs, and nothing else of the kind
    if b"cache_" in body or (b"cached" in body and not _says_cached(usage)):
        count_cached(usage)
    details = usage.completion_tokens_details
    if details is not None and usage.total_tokens > usage.prompt_tokens + usage.completion_tokens:
        missing = usage.total_tokens - usage.prompt_tokens - usage.completion_tokens
        if missing == details.get("reasoning_tokens"):
            usage.completion_tokens += missing
    return usage


def _says_cached(usage: Usage) -> bool:
    details = usage.prompt_tokens_details
    return details is not None and details.get("cached_tokens") is not None


def count_cached(usage: Usage) -> None:
    """Put tokens that were read from a cache, or written to one, where they belong."""
    details = usage.prompt_tokens_details
    if details is None or details.get("cached_tokens") is None:
        counts = {"cache_read_input_tokens": usage.cache_read_input_tokens, **usage._extras()}
        hit = next((counts[name] for name in HITS if counts.get(name) is not None), None)
        if hit is not None:
            usage.prompt_tokens_details = Details({**(details or {}), "cached_tokens": hit})
    if details and usage.cache_creation_input_tokens is None:
        written = (details[name] for name in WRITES if details.get(name))
        usage.cache_creation_input_tokens = next(written, None)
