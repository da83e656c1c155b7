"""
Claude's streams: https://docs.claude.com/en/docs/build-with-claude/streaming.

    message_start
      content_block_start  (content_block_delta …)  content_block_stop     for each block
    message_delta          the reason to end, the usage
    message_stop

Text, thinking and arguments go on piece by piece. A block of thinking is repeated whole in
`thinking_blocks` when it ends, with its signature, so that the lists of all chunks put together
are the message's; citations come when their text ends, for only then is known what they cover.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import (
    ChatCompletionChunk,
    Delta,
)
from .anthropic_answer import (
    Block,
    convert_citations,
    convert_usage,
    encode_input,
    finish_reason,
    message_fields,
    stop_fields,
    tool_fields,
    unreadable,
)
from .anthropic_tools import JSON_TOOL
from .block_decoding import BlockDecoder, read_input
from .errors import UNREADABLE
from .sse import Splitter as EventSplitter

if TYPE_CHECKING:
    from ..schemas import Usage
    from .base import Call, Target
    from .decoding import Splitter


class EventDelta(msgspec.Struct, gc=False):
    """What an event adds: a piece of a block, or the end of the message."""

    type: str | None = None
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: dict[str, Any] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None


class Event(msgspec.Struct, gc=False):
    """One event of a stream."""

    type: str = ""
    index: int = 0
    delta: EventDelta | None = None
    content_block: dict[str, Any] | None = None
    message: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    error: Any = None


class OpenBlock:
    """A content block while it arrives: its fields so far, and its pieces."""

    __slots__ = ("call", "citations", "fields", "pieces", "start", "type")

    def __init__(self, kind: str, fields: dict[str, Any], start: int) -> None:
        self.type: str = kind
        self.fields: dict[str, Any] = fields
        self.start: int = start
        self.call: int = 0
        self.pieces: list[str] = []
        self.citations: list[dict[str, Any]] = []


_decode_event = msgspec.json.Decoder(Event).decode


class MessagesDecoder(BlockDecoder):
    """A stream of Claude's. It is whole when it has its reason to end."""

    __slots__ = ("_counts", "_extra", "_open")

    def __init__(self, target: Target, call: Call, splitter: Splitter | None = None) -> None:
        super().__init__(target, call, splitter or EventSplitter(call.max_event_bytes))
        self._open: dict[int, OpenBlock] = {}
        self._counts: dict[str, Any] = {}
        self._extra: dict[str, Any] = {}

    def _add(self, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        """Append the chunks of one event, as JSON without its frame.

        Raises:
            APIError: the event is an error, or makes no sense.
        """
        event = self._read(payload, _decode_event)
        if event.type == "content_block_delta" and event.delta is not None:
            self._add_piece(event.index, event.delta, payload, out)
        else:
            self._add_mark(event, payload, out)

    def _add_mark(self, event: Event, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        """The events around the pieces; unknown ones are passed over, as clients are told to."""
        match event.type:
            case "content_block_start" if event.content_block is not None:
                self._start_block(event.index, event.content_block, payload, out)
            case "content_block_stop" if event.index in self._open:
                self._stop_block(self._open.pop(event.index), out)
            case "message_start" if event.message is not None:
                self._start_message(event.message)
            case "message_delta" if event.delta is not None:
                self._stop_message(event.delta, event.usage, payload, out)
            case "message_stop":
                self._end(out)
            case "error":
                raise unreadable(self._target, payload, "an error without details")

    def _start_message(self, message: dict[str, Any]) -> None:
        self._id = str(message.get("id") or "")
        self._count(message.get("usage"))
        self._extra = {
            name: value
            for name, value in message.items()
            if name in ("container", "context_management") and value is not None
        }

    def _count(self, counts: Any) -> None:
        """Counts are cumulative: later ones replace earlier ones."""
        if isinstance(counts, dict):
            self._counts.update({k: value for k, value in counts.items() if value is not None})
            self.usage: Usage | None = convert_usage(self._counts)

    def _start_block(
        self, index: int, fields: dict[str, Any], payload: bytes, out: list[ChatCompletionChunk]
    ) -> None:
        try:
            first = msgspec.convert(fields, Block)
        except UNREADABLE as error:
            raise unreadable(self._target, payload, str(error)) from error
        block = self._open[index] = OpenBlock(first.type, fields, self._length)
        if first.type == "tool_use":
            if first.name == JSON_TOOL and self._wants_json:
                block.type = "json"
                return
            block.call = self._start_call(
                first.id or "", first.name or "", out, tool_fields(fields)
            )
        elif first.type == "text" and first.text:
            self._add_text(block, first.text, out)
        elif first.type == "thinking" and first.thinking:
            block.pieces.append(first.thinking)
            self._emit(Delta(reasoning_content=first.thinking), out)

    def _add_piece(
        self, index: int, delta: EventDelta, payload: bytes, out: list[ChatCompletionChunk]
    ) -> None:
        block = self._open.get(index)
        if block is None:
            raise unreadable(self._target, payload, "it belongs to no content block")
        if delta.text:
            self._add_text(block, delta.text, out)
        elif delta.partial_json:
            self._add_input(block, delta.partial_json, out)
        elif delta.thinking:
            block.pieces.append(delta.thinking)
            self._emit(Delta(reasoning_content=delta.thinking), out)
        else:
            _keep_piece(block, delta, payload)

    def _add_text(self, block: OpenBlock, text: str, out: list[ChatCompletionChunk]) -> None:
        block.pieces.append(text)
        self._length += len(text)
        self._emit(Delta(content=text), out)

    def _add_input(self, block: OpenBlock, piece: str, out: list[ChatCompletionChunk]) -> None:
        block.pieces.append(piece)
        if block.type == "json":
            self._length += len(piece)
            self._emit(Delta(content=piece), out)
        elif block.type == "tool_use":
            self._continue_call(block.call, piece, out)

    def _stop_block(self, block: OpenBlock, out: list[ChatCompletionChunk]) -> None:
        """Put the block together, and give out what is known only now."""
        fields = block.fields
        self._blocks.append(fields)
        match block.type:
            case "text":
                fields["text"] = "".join(block.pieces)
                if block.citations:
                    fields["citations"] = block.citations
                    self._emit_citations(block.citations, block.start, convert_citations, out)
            case "thinking":
                fields["thinking"] = "".join(block.pieces)
                self._emit(Delta(thinking_blocks=[fields]), out)
            case "redacted_thinking":
                self._emit(Delta(thinking_blocks=[fields]), out)
            case "tool_use" | "json":
                if not block.pieces:
                    self._add_input(block, encode_input(fields.get("input")), out)
                fields["input"] = read_input("".join(block.pieces))
            case _ if block.pieces:
                fields["input"] = read_input("".join(block.pieces))

    def _stop_message(
        self,
        delta: EventDelta,
        counts: dict[str, Any] | None,
        payload: bytes,
        out: list[ChatCompletionChunk],
    ) -> None:
        self._count(counts)
        if delta.stop_reason is None or self._finished:
            return
        self._finished = True
        raw = msgspec.json.decode(payload)
        self._extra.update(
            (name, value)
            for fields, known in ((raw, Event), (raw["delta"], EventDelta))
            for name, value in fields.items()
            if name not in known.__struct_fields__ and value is not None
        )
        last = Delta()
        last._extra = message_fields(self._blocks, [])
        chunk = self._emit(last, out)
        chunk.choices[0].finish_reason = finish_reason(delta.stop_reason, self._answered())
        chunk.choices[0]._extra = stop_fields(
            delta.stop_reason, delta.stop_sequence, delta.stop_details
        )
        chunk._extra = self._extra or None

    def _close(self, out: list[ChatCompletionChunk]) -> None:
        super()._close(out)
        self._end(out)

    def _end(self, out: list[ChatCompletionChunk]) -> None:
        """The stream's own end; a stream without a reason to end was cut short."""
        if not self._finished:
            raise unreadable(self._target, b"message_stop", "it ends without a stop reason")
        self.ended = True
        if self._show_usage and self.usage is not None:
            chunk = self._emit(Delta(), out)
            chunk.usage = self.usage


def _keep_piece(block: OpenBlock, delta: EventDelta, payload: bytes) -> None:
    """Keep a piece that belongs to the whole block, or that is of a kind not known yet."""
    if delta.citation is not None:
        block.citations.append(delta.citation)
    elif delta.type not in ("text_delta", "input_json_delta", "thinking_delta"):
        for name, value in msgspec.json.decode(payload)["delta"].items():
            if name != "type" and value is not None:
                before = block.fields.get(name)
                both_text = isinstance(before, str) and isinstance(value, str)
                block.fields[name] = before + value if both_text else value
