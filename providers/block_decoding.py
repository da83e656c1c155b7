"""
What streams of content blocks share: Anthropic's, and Bedrock's, which are made after them.

Blocks begin, go on and stop under a number; calls of tools are blocks too. A decoder keeps the
calls it has begun and the blocks that are whole, for the last chunk says what the answer was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import Delta, DeltaFunction, DeltaToolCall, Function, Message, ToolCall
from .anthropic_answer import place_citations, wants_function_call, wants_json
from .decoding import StreamDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..schemas import ChatCompletionChunk
    from .base import Call, Target
    from .decoding import Splitter


class BlockDecoder(StreamDecoder):
    """A stream of blocks as chunks. It is whole when it has its reason to end."""

    __slots__ = ("_blocks", "_calls", "_finished", "_function_call", "_length", "_wants_json")

    def __init__(self, target: Target, call: Call, splitter: Splitter) -> None:
        super().__init__(target, call, splitter)
        self._wants_json = wants_json(call)
        self._function_call = wants_function_call(call)
        self._length = 0
        self._blocks: list[dict[str, Any]] = []
        self._calls: list[ToolCall] = []
        self._finished = False

    def _close(self, out: list[ChatCompletionChunk]) -> None:
        if not self._finished:
            raise self._broken()

    def _start_call(
        self,
        identifier: str,
        name: str,
        out: list[ChatCompletionChunk],
        fields: dict[str, Any] | None = None,
    ) -> int:
        """Begin a call of a tool; its number among them. The id comes with the name, once."""
        index = len(self._calls)
        self._calls.append(ToolCall(id=identifier, function=Function(name=name)))
        call = DeltaToolCall(index=index, id=identifier, type="function")
        call.function = DeltaFunction(name=name, arguments="")
        call.provider_specific_fields = fields
        self._emit_call(call, out)
        return index

    def _continue_call(self, index: int, piece: str, out: list[ChatCompletionChunk]) -> None:
        """A piece of the arguments of a call."""
        self._emit_call(DeltaToolCall(index=index, function=DeltaFunction(arguments=piece)), out)

    def _emit_call(self, call: DeltaToolCall, out: list[ChatCompletionChunk]) -> None:
        if not self._function_call:
            self._emit(Delta(tool_calls=[call]), out)
        elif call.index == 0:
            self._emit(Delta(function_call=call.function), out)

    def _emit_citations(
        self,
        found: list[dict[str, Any]],
        start: int,
        convert: Callable[[list[dict[str, Any]]], list[dict[str, Any]] | None],
        out: list[ChatCompletionChunk],
    ) -> None:
        """The citations of a text that began at `start` and has just ended."""
        citations = place_citations(found, start, self._length)
        delta = Delta(annotations=convert(citations) or None)
        delta._extra = {"citations": citations}
        self._emit(delta, out)

    def _answered(self) -> Message:
        """What the answer called, for the reason that it ended."""
        calls = self._calls
        if self._function_call:
            return Message(function_call=calls[0].function if calls else None)
        return Message(tool_calls=calls or None)


def read_input(text: str) -> Any:
    """A tool's input as an object; text that is no JSON (the answer was cut off) stays text."""
    try:
        return msgspec.json.decode(text) if text else {}
    except msgspec.DecodeError:
        return text
