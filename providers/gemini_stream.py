"""
Gemini's streams: each event is a `GenerateContentResponse` with what is new.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent. Tool calls
arrive whole. There is no end marker, and more may follow a finish reason (sources, usage), so
what ends a choice is told when the connection ends. Without ``alt=sse`` the stream is a JSON
array; proxies that lose the parameter are understood too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..exceptions import APIResponseValidationError
from ..schemas import ChatCompletionChunk, ChunkChoice, Delta, DeltaFunction, DeltaToolCall
from .decoding import StreamDecoder
from .gemini_answer import (
    TRANSLATED,
    TRANSLATED_ANSWER,
    block_reason,
    convert_finish,
    convert_grounding,
    convert_logprobs,
    convert_service_tier,
    convert_usage,
    created_at,
    sort_parts,
    without,
)
from .gemini_caching import count_written
from .gemini_wire import read_answer
from .messages import new_id
from .sse import Splitter

if TYPE_CHECKING:
    from ..schemas import Usage
    from .base import Call, Target
    from .gemini_answer import Pieces
    from .gemini_wire import Candidate, Raw

MARKS = re.compile(rb'["\\{}]')


class State:
    """What one choice of a stream has said so far."""

    __slots__ = ("calls", "finish", "text")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.calls: int = 0
        self.finish: str | None = None


class GeminiDecoder(StreamDecoder):
    """A stream of Gemini's: tool calls whole, each choice finished at the end."""

    __slots__ = ("_cache", "_states")

    cut_short = "the stream ended without a finish reason"

    def __init__(self, target: Target, call: Call) -> None:
        super().__init__(target, call, EitherSplitter(call.max_event_bytes))
        self._cache = call.cache
        self._states: dict[int, State] = {}

    def _close(self, out: list[ChatCompletionChunk]) -> None:
        """A stream is whole when each choice has its reason to end."""
        if not self._states or not all(state.finish for state in self._states.values()):
            raise self._broken()
        self.ended = True
        out.append(self._chunk([_last(index, state) for index, state in self._states.items()]))
        if self._show_usage and self.usage:
            chunk = self._chunk([ChunkChoice()])
            chunk.usage = self.usage
            out.append(chunk)

    def _add(self, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        if payload == b"[DONE]":
            return  # not Google's, but gateways like to add it
        response, raw = read_answer(payload, self._target)
        if not self._id:
            self._id = response.response_id or new_id("chatcmpl-")
            self._created = created_at(response)
        if response.usage_metadata is not None:
            usage = convert_usage(response.usage_metadata, raw["usageMetadata"])
            self.usage: Usage | None = count_written(usage, self._cache)
        choices = [
            choice
            for position, candidate in enumerate(response.candidates or ())
            if (choice := self._continue(candidate, raw["candidates"][position], position))
        ]
        blocked = block_reason(response)
        if blocked and not self._states:
            state = self._states[0] = State()
            state.finish = blocked
            choices.append(ChunkChoice(delta=Delta(role="assistant")))
        if choices:
            chunk = self._chunk(choices)
            chunk._extra = without(raw, TRANSLATED_ANSWER)
            if response.usage_metadata is not None:
                chunk.service_tier = convert_service_tier(response.usage_metadata.service_tier)
            out.append(chunk)

    def _continue(self, candidate: Candidate, raw: Raw, position: int) -> ChunkChoice | None:
        """What a candidate adds to its choice; None if that is nothing."""
        index = position if candidate.index is None else candidate.index
        state = self._states.get(index)
        pieces = sort_parts(candidate, raw)
        delta = convert_delta(pieces, state.calls if state else 0)
        if state is None:
            state = self._states[index] = State()
            delta.role = "assistant"
        state.text += pieces.text
        state.calls += len(pieces.calls)
        state.finish = candidate.finish_reason or state.finish
        delta.annotations = convert_grounding(candidate.grounding_metadata, state.text) or None
        choice = ChunkChoice(
            index=index,
            delta=delta,
            logprobs=convert_logprobs(candidate.logprobs_result),
            _extra=without(raw, TRANSLATED),
        )
        return choice if delta != Delta() or choice.logprobs or choice._extra else None

    def _chunk(self, choices: list[ChunkChoice]) -> ChatCompletionChunk:
        return ChatCompletionChunk(
            id=self._id, created=self._created, model=self._target.model, choices=choices
        )


def convert_delta(pieces: Pieces, calls: int) -> Delta:
    """What the parts add to a message that has so many tool calls already."""
    return Delta(
        content=pieces.content,
        reasoning_content=pieces.reasoning,
        thinking_blocks=[block for block in pieces.thinking_blocks if "signature" in block] or None,
        tool_calls=[
            DeltaToolCall(
                index=calls + number,
                id=call.id,
                type="function",
                function=DeltaFunction(name=call.function.name, arguments=call.function.arguments),
                provider_specific_fields=call.provider_specific_fields,
            )
            for number, call in enumerate(pieces.calls)
        ]
        or None,
        images=pieces.images or None,
        audio=pieces.audio,
        _extra=pieces.extras or None,
    )


def _last(index: int, state: State) -> ChunkChoice:
    return ChunkChoice(
        index=index,
        finish_reason=convert_finish(state.finish, bool(state.calls)),
        _extra={"native_finish_reason": state.finish},
    )


class EitherSplitter:
    """Hands out the payloads of events, or the objects of an array: whichever comes."""

    __slots__ = ("_limit", "_splitter")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._splitter: Splitter | ObjectSplitter | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """The answers that `data` completes; what comes first decides how they are cut."""
        if self._splitter is None:
            start = data.lstrip()[:1]
            if not start:
                return []
            kind = ObjectSplitter if start in b"[{" else Splitter
            self._splitter = kind(self._limit)
        return self._splitter.feed(data)

    def finish(self) -> list[bytes]:
        """What the end of the connection has cut off."""
        return self._splitter.finish() if self._splitter else []

    def document(self) -> bytes:
        """None: an object alone is an answer, too."""
        return b""


class ObjectSplitter:
    """Hands out the objects of a JSON array as they become whole; each byte is looked at once."""

    __slots__ = ("_depth", "_escaped", "_limit", "_quoted", "_size", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tail: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._quoted = False
        self._escaped = False

    def feed(self, data: bytes) -> list[bytes]:
        """The objects that `data` completes.

        Raises:
            APIResponseValidationError: an object grows beyond the limit.
        """
        found: list[bytes] = []
        begin = 0
        skipped = 0 if self._escaped else -1
        for mark in MARKS.finditer(data):
            place, sign = mark.start(), mark[0]
            if place == skipped:
                continue
            if sign == b"\\":
                skipped = place + 1
            elif sign == b'"':
                self._quoted = not self._quoted
            elif not self._quoted:
                if not self._depth:
                    begin = place
                self._depth += 1 if sign == b"{" else -1
                if not self._depth:
                    self._keep(data[begin : place + 1])
                    found.append(b"".join(self._tail))
                    self._tail.clear()
                    self._size = 0
        self._escaped = skipped == len(data)
        if self._depth:
            self._keep(data[begin:])
        return found

    def finish(self) -> list[bytes]:
        """What the end of the connection has cut off."""
        return [b"".join(self._tail)] if self._tail else []

    def _keep(self, data: bytes) -> None:
        self._tail.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise APIResponseValidationError(
                f"an object of the stream is larger than {self._limit} bytes"
            )
