"""
Text completions in OpenAI's format: https://platform.openai.com/docs/api-reference/completions.

Older than chat and still spoken by base models. A stream's pieces have the shape of whole answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Unread, decode_details
from ..schemas.text import TextChoice, TextCompletion
from .azure import AzureService
from .decoding import StreamDecoder
from .openai import convert_usage
from .openai_service import OpenAIService
from .params import supported_params
from .sse import Splitter

if TYPE_CHECKING:
    from ..exceptions import APIError
    from ..schemas import Usage
    from .base import Call, Request

PARAMS = frozenset(
    {
        "best_of",
        "echo",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "n",
        "presence_penalty",
        "seed",
        "stop",
        "stream_options",
        "suffix",
        "temperature",
        "top_p",
        "user",
    }
)

_decode = msgspec.json.Decoder(TextCompletion, dec_hook=decode_details).decode


class OpenAIText(OpenAIService):
    """Continuations by one model."""

    path = "/completions"

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = supported_params(call, self.target, PARAMS, PARAMS)
        body: dict[str, Any] = {"model": self.model, "prompt": call.input, **params}
        if call.stream:
            body["stream"] = True
            if call.ask_usage and self.row.stream_usage:
                body.setdefault("stream_options", {"include_usage": True})
        return self.request(body, call, dropped)

    def parse(self, body: bytes, call: Call) -> TextCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        answer = self.convert_completion(body)
        if not answer.choices:
            raise self.unreadable(body, "it has no choices")
        for choice in answer.choices:
            choice.finish_reason = choice.finish_reason or "stop"
        return answer

    def decoder(self, call: Call) -> TextDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return TextDecoder(self, call)

    def convert_completion(self, body: bytes) -> TextCompletion:
        """A whole answer or a piece of one, with its unknown fields to be found when asked for."""
        try:
            answer = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self.unreadable(body, str(error)) from error
        answer._extra = body
        answer.model = answer.model or self.target.model
        for position, choice in enumerate(answer.choices):
            choice._extra = Unread(body, ("choices", position))
        if answer.usage is not None:
            convert_usage(answer.usage, body)
        return answer


class AzureText(AzureService, OpenAIText):
    """The same at a deployment of Azure's."""


class TextDecoder(StreamDecoder):
    """One stream: pieces of text, the usage kept, every choice finished."""

    __slots__ = ("_adapter", "_open")

    cut_short = "the stream ended without a finish reason"

    def __init__(self, adapter: OpenAIText, call: Call) -> None:
        super().__init__(adapter.target, call, Splitter(call.max_event_bytes))
        self._adapter = adapter
        self._open: set[int] | None = None

    def _close(self, out: list[Any]) -> None:
        """A stream is whole when each choice has its reason to end."""
        if self._open is None or self._open:
            raise self._broken()

    def _unreadable(self, body: bytes, reason: str) -> APIError:
        return self._adapter.unreadable(body, reason)

    def _add(self, payload: bytes, out: list[Any]) -> None:
        if payload == b"[DONE]":
            self.ended = True
            return
        piece = self._adapter.convert_completion(payload)
        self.usage: Usage | None = piece.usage or self.usage
        if not self._show_usage:
            piece.usage = None
        for choice in piece.choices:
            self._open = self._open or set()
            if choice.finish_reason:
                self._open.discard(choice.index)
            else:
                self._open.add(choice.index)
        if piece.usage is not None and not piece.choices:
            piece.choices.append(TextChoice())
        if piece.choices:
            out.append(piece)
