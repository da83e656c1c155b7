"""What has arrived of a stream, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..schemas import Function, Message, ToolCall

if TYPE_CHECKING:
    from ..schemas import ChatCompletionChunk, DeltaToolCall

JOIN_AFTER = 256


class Partial:
    """Collects the first choice's deltas of a stream, in little memory.

    Text is kept in pieces and joined every few hundred, so a long stream costs its text and
    not an object per chunk.
    """

    __slots__ = ("_reasoning", "_refusal", "_text", "_tools")

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._refusal = ""
        self._tools: dict[int, ToolCall] = {}

    def add(self, chunk: ChatCompletionChunk) -> None:
        """Take one chunk in."""
        choice = chunk.choices[0]
        if choice.index:
            return
        delta = choice.delta
        if delta.content:
            self._text.append(delta.content)
            if len(self._text) > JOIN_AFTER:
                self._text = ["".join(self._text)]
        if delta.reasoning_content:
            self._reasoning.append(delta.reasoning_content)
        if delta.refusal:
            self._refusal += delta.refusal
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._add_tool_call(call)

    def _add_tool_call(self, piece: DeltaToolCall) -> None:
        call = self._tools.get(piece.index)
        if call is None:
            call = self._tools[piece.index] = ToolCall(function=Function())
            call.provider_specific_fields = piece.provider_specific_fields
            call._extra = piece._extras() or None
        call.id = call.id or piece.id or ""
        call.function.name += piece.function.name or ""
        call.function.arguments += piece.function.arguments or ""

    def characters(self) -> int:
        """How much has come, thoughts and arguments of tools included."""
        pieces = (*self._text, *self._reasoning)
        arguments = (call.function.arguments for call in self._tools.values())
        return sum(map(len, pieces)) + sum(map(len, arguments))

    def plain_text(self) -> str | None:
        """The text, if there is nothing but text so far; else None."""
        if self._tools or self._refusal:
            return None
        return "".join(self._text) or None

    def message(self) -> Message:
        """The message as far as it came; arguments of a tool call may be cut off."""
        return Message(
            content="".join(self._text) or None,
            reasoning_content="".join(self._reasoning) or None,
            refusal=self._refusal or None,
            tool_calls=list(self._tools.values()) or None,
        )


def text_of(chunk: ChatCompletionChunk) -> str:
    """The text of a chunk's first choice."""
    return chunk.choices[0].delta.content or ""


def has_content(chunk: ChatCompletionChunk) -> bool:
    """Whether a chunk commits the stream: content, a tool call, reasoning or a finish reason."""
    for choice in chunk.choices:
        delta = choice.delta
        if (
            delta.content
            or choice.finish_reason
            or delta.tool_calls
            or delta.reasoning_content
            or delta.function_call
            or delta.refusal
            or delta.audio
            or delta.images
        ):
            return True
    return False
