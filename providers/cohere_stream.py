"""
Cohere's streams: https://docs.cohere.com/v2/docs/streaming.

    message-start
      content-start  (content-delta …)  content-end          for each block of text or thinking
      citation-start  citation-end                           between the pieces that they are about
      (tool-plan-delta …)
      tool-call-start  (tool-call-delta …)  tool-call-end    for each call
    message-end                                              the reason to end, the usage

Without a message-end the stream was cut short. The plan comes as `tool_plan` in each delta's
`provider_specific_fields`, to be put together like the content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import (
    ChunkChoice,
    Delta,
    DeltaFunction,
    DeltaToolCall,
)
from .cohere_answer import (
    Block,
    CohereToolCall,
    Logprob,
    bill_fields,
    convert_citations,
    convert_finish_reason,
    convert_logprobs,
    convert_usage,
    failed,
    finish_fields,
)
from .decoding import StreamDecoder
from .errors import read_error
from .sse import Splitter

if TYPE_CHECKING:
    from ..schemas import ChatCompletionChunk, Usage
    from .base import Call, Target


class EventMessage(msgspec.Struct, gc=False):
    """What an event adds to the message; at its start all of them are empty lists."""

    content: Block | list[Block] | None = None
    tool_calls: CohereToolCall | list[CohereToolCall] | None = None
    tool_plan: str | None = None
    citations: dict[str, Any] | list[dict[str, Any]] | None = None


class EventDelta(msgspec.Struct, gc=False):
    """What an event brings: a piece of the message, or its end."""

    message: EventMessage | None = None
    finish_reason: str | None = None
    usage: dict[str, Any] | None = None
    error: str | None = None


class Event(msgspec.Struct, gc=False):
    """One event of a stream."""

    type: str = ""
    id: str | None = None
    index: int = 0
    delta: EventDelta = msgspec.field(default_factory=EventDelta)
    logprobs: Logprob | None = None


_decode_event = msgspec.json.Decoder(Event).decode


class CohereDecoder(StreamDecoder):
    """A stream of Cohere's. It is whole when the message has ended."""

    __slots__ = ("_calls", "_length", "_silent", "_starts")

    cut_short = "the stream ended before the message did"

    def __init__(self, target: Target, call: Call) -> None:
        super().__init__(target, call, Splitter(call.max_event_bytes))
        self._length = 0
        self._starts: dict[int, int] = {}
        self._calls = 0
        self._silent = False

    def _add(self, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        if self.ended or payload == b"[DONE]":
            return
        event = self._read(payload, _decode_event)
        match event.type:
            case "message-start":
                self._id = event.id or ""
            case "content-start" | "content-delta":
                self._content(event, out)
            case "tool-call-start" | "tool-call-delta" | "tool-call-end":
                self._tool_call(event, out)
            case "tool-plan-delta" | "citation-start":
                self._aside(event, out)
            case "message-end":
                self._end(event, payload, out)
            case "" | "error":
                raise failed(self._target, payload, read_error(payload).message)

    def _content(self, event: Event, out: list[ChatCompletionChunk]) -> None:
        block = event.delta.message.content if event.delta.message else None
        if not isinstance(block, Block):
            return
        self._starts.setdefault(event.index, self._length)
        self._length += len(block.text or "")
        if block.text or block.thinking or event.logprobs:
            delta = Delta(content=block.text or None, reasoning_content=block.thinking or None)
            items = [event.logprobs] if event.logprobs else None
            self._emit_choice(ChunkChoice(delta=delta, logprobs=convert_logprobs(items)), out)

    def _tool_call(self, event: Event, out: list[ChatCompletionChunk]) -> None:
        """A piece of a call; one without parameters has no arguments: OpenAI's are ``{}``."""
        piece = event.delta.message.tool_calls if event.delta.message else None
        call = DeltaToolCall(index=self._calls - 1)
        if event.type == "tool-call-end":
            if not self._silent:
                return
            call.function.arguments = "{}"
        elif not isinstance(piece, CohereToolCall):
            return
        elif event.type == "tool-call-start":
            self._calls += 1
            self._silent = not piece.function.arguments
            call = DeltaToolCall(
                index=self._calls - 1,
                id=piece.id,
                type="function",
                function=DeltaFunction(
                    name=piece.function.name, arguments=piece.function.arguments or ""
                ),
            )
        else:
            self._silent = self._silent and not piece.function.arguments
            call.function.arguments = piece.function.arguments
        self._emit(Delta(tool_calls=[call]), out)

    def _aside(self, event: Event, out: list[ChatCompletionChunk]) -> None:
        """A piece of the plan, or a citation."""
        message = event.delta.message or EventMessage()
        delta = Delta(_extra={"tool_plan": message.tool_plan} if message.tool_plan else {})
        if isinstance(message.citations, dict):
            citations = [message.citations]
            delta.annotations = convert_citations(citations, self._starts) or None
            delta._extra["citations"] = citations
        if delta._extra:
            self._emit(delta, out)

    def _end(self, event: Event, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        native = event.delta.finish_reason
        self.usage: Usage | None = convert_usage(event.delta.usage)
        if native == "ERROR" or event.delta.error:
            raise failed(self._target, payload, event.delta.error or "no message")
        self.ended = True
        choice = ChunkChoice(
            finish_reason=convert_finish_reason(native, self._calls > 0) or "stop",
            _extra=finish_fields(native),
        )
        chunk = self._emit_choice(choice, out)
        chunk._extra = bill_fields(event.delta.usage)
        if self._show_usage:
            chunk.usage = self.usage
