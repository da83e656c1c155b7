"""
Streams of the Converse API.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html

    messageStart
      (contentBlockStart)  contentBlockDelta …  contentBlockStop     for each block
    messageStop            the reason to end
    metadata               the usage, metrics, the guardrail's trace

Events come as messages of an AWS event stream, whose headers name them. Text, reasoning and
arguments go on piece by piece. A block of reasoning is repeated whole in `thinking_blocks` when
it ends, with its signature; citations come when their text ends, for only then is known what
they cover.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import (
    ChatCompletionChunk,
    Delta,
)
from .anthropic_answer import encode_input
from .anthropic_tools import JSON_TOOL
from .aws_events import EventSplitter
from .bedrock_answer import (
    SERVER_TOOL,
    convert_annotations,
    convert_reasoning,
    convert_usage,
    finish_reason,
    message_fields,
)
from .bedrock_errors import MALFORMED, event_error, unreadable
from .bedrock_tools import original_names
from .block_decoding import BlockDecoder, read_input
from .messages import new_id

if TYPE_CHECKING:
    from ..schemas import Usage
    from .aws_events import EventMessage
    from .base import Call, Target


class ToolPiece(msgspec.Struct, gc=False):
    """A piece of a tool's input."""

    input: str = ""


class ReasoningPiece(msgspec.Struct, gc=False):
    """A piece of reasoning: text, the signature behind it, or what is hidden."""

    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None  # noqa: N815


class Piece(msgspec.Struct, gc=False):
    """What an event adds to a block."""

    text: str | None = None
    toolUse: ToolPiece | None = None  # noqa: N815
    reasoningContent: ReasoningPiece | None = None  # noqa: N815
    citation: dict[str, Any] | None = None
    toolResult: list[Any] | None = None  # noqa: N815
    image: dict[str, Any] | None = None


class PieceEvent(msgspec.Struct, gc=False):
    """A `contentBlockDelta`."""

    delta: Piece
    index: int = msgspec.field(name="contentBlockIndex", default=0)


class OpenBlock:
    """A content block while it arrives: what it began with, and its pieces."""

    __slots__ = ("call", "citations", "fields", "kind", "pieces", "signature", "start")

    def __init__(self, fields: dict[str, Any], start: int) -> None:
        self.fields: dict[str, Any] = fields
        self.kind: str = next(iter(fields), "")
        self.start: int = start
        self.call: int | None = None
        self.pieces: list[Any] = []
        self.signature: str = ""
        self.citations: list[dict[str, Any]] = []

    def is_json(self, wanted: bool) -> bool:
        """Whether this is the call of a tool that takes the answer."""
        return wanted and self.kind == "toolUse" and self.fields["toolUse"]["name"] == JSON_TOOL

    def whole(self) -> dict[str, Any]:
        """The block put together, as an answer that is not streamed has it."""
        began: Any = self.fields.get(self.kind)
        match self.kind:
            case "toolUse":
                return {"toolUse": {**began, "input": read_input("".join(self.pieces))}}
            case "toolResult":
                return {"toolResult": {**began, "content": self.pieces}}
            case "image":
                return {"image": {**began, **(self.pieces or [{}])[-1]}}
            case "redactedContent":
                return {"reasoningContent": {"redactedContent": _join_blobs(self.pieces)}}
        text = {"text": "".join(self.pieces)}
        if self.kind == "reasoningContent":
            signed = {**text, "signature": self.signature} if self.signature else text
            return {"reasoningContent": {"reasoningText": signed}}
        if self.citations:
            content = [text] if self.pieces else []
            return {"citationsContent": {"content": content, "citations": self.citations}}
        return text


_decode_piece = msgspec.json.Decoder(PieceEvent).decode


class ConverseDecoder(BlockDecoder):
    """A stream of Converse. It is whole when it has its reason to end."""

    __slots__ = ("_names", "_open")

    def __init__(self, target: Target, call: Call) -> None:
        super().__init__(target, call, EventSplitter(call.max_event_bytes))
        self._id = new_id("chatcmpl-")
        self._names = original_names(call.params)
        self._open: dict[int, OpenBlock] = {}

    def _add(self, message: EventMessage, out: list[ChatCompletionChunk]) -> None:
        headers, payload = message
        try:
            if headers.get(":event-type") == "contentBlockDelta":
                event = _decode_piece(payload)
                self._add_piece(event.index, event.delta, out)
            elif headers.get(":message-type", "event") == "event":
                self._add_mark(headers.get(":event-type"), msgspec.json.decode(payload), out)
            else:
                raise event_error(self._target, headers, payload)
        except MALFORMED as error:
            raise unreadable(self._target, payload, str(error)) from error

    def _add_mark(
        self, kind: str | None, event: dict[str, Any], out: list[ChatCompletionChunk]
    ) -> None:
        """The events around the pieces; unknown ones are passed over."""
        match kind:
            case "contentBlockStart":
                self._start_block(event["contentBlockIndex"], event["start"], out)
            case "contentBlockStop":
                block = self._open.pop(event["contentBlockIndex"], None)
                if block is not None:
                    self._stop_block(block, out)
            case "messageStop" if not self._finished:
                self._stop_message(event, out)
            case "metadata":
                self._end(event, out)

    def _start_block(
        self, index: int, fields: dict[str, Any], out: list[ChatCompletionChunk]
    ) -> OpenBlock:
        block = self._open[index] = OpenBlock(fields, self._length)
        use = fields.get("toolUse")
        if use and use.get("type") != SERVER_TOOL and not block.is_json(self._wants_json):
            name = self._names.get(use["name"], use["name"])
            block.call = self._start_call(use["toolUseId"], name, out)
        return block

    def _add_piece(self, index: int, piece: Piece, out: list[ChatCompletionChunk]) -> None:
        block = self._open.get(index) or self._start_block(index, {}, out)
        if piece.text is not None:
            block.kind = "text"
            self._add_text(block, piece.text, out)
        elif piece.toolUse is not None:
            self._add_input(block, piece.toolUse.input, out)
        elif piece.reasoningContent is not None:
            self._add_reasoning(block, piece.reasoningContent, out)
        elif piece.citation is not None:
            block.kind = "text"
            block.citations.append(piece.citation)
        else:
            block.pieces += piece.toolResult or [piece.image]

    def _add_text(self, block: OpenBlock, text: str, out: list[ChatCompletionChunk]) -> None:
        if text:
            block.pieces.append(text)
            self._length += len(text)
            self._emit(Delta(content=text), out)

    def _add_input(self, block: OpenBlock, piece: str, out: list[ChatCompletionChunk]) -> None:
        if block.kind != "toolUse":
            raise KeyError("a piece of a tool's input belongs to no call")
        if not piece:
            return
        if block.is_json(self._wants_json):
            self._add_text(block, piece, out)
            return
        block.pieces.append(piece)
        if block.call is not None:
            self._continue_call(block.call, piece, out)

    def _add_reasoning(
        self, block: OpenBlock, piece: ReasoningPiece, out: list[ChatCompletionChunk]
    ) -> None:
        block.kind = block.kind or "reasoningContent"
        if piece.redactedContent is not None:
            block.kind = "redactedContent"
            block.pieces.append(piece.redactedContent)
        elif piece.text:
            block.pieces.append(piece.text)
            self._emit(Delta(reasoning_content=piece.text), out)
        block.signature += piece.signature or ""

    def _stop_block(self, block: OpenBlock, out: list[ChatCompletionChunk]) -> None:
        """Put the block together, and give out what is known only now."""
        if block.kind == "toolUse" and not block.pieces:
            self._add_input(block, encode_input(block.fields["toolUse"].get("input")), out)
        whole = block.whole()
        self._blocks.append(whole)
        if "reasoningContent" in whole:
            thought = convert_reasoning(whole["reasoningContent"])
            self._emit(Delta(thinking_blocks=[thought]), out)
        elif block.citations:
            self._emit_citations(block.citations, block.start, convert_annotations, out)

    def _stop_message(self, event: dict[str, Any], out: list[ChatCompletionChunk]) -> None:
        reason = event["stopReason"]
        while self._open:
            self._stop_block(self._open.pop(next(iter(self._open))), out)
        self._finished = True
        last = Delta()
        last._extra = message_fields(self._blocks, [])
        chunk = self._emit(last, out)
        chunk.choices[0].finish_reason = finish_reason(reason, self._answered())
        chunk.choices[0]._extra = {"native_finish_reason": reason}
        fields = event.get("additionalModelResponseFields")
        if fields is not None:
            chunk._extra = {"additionalModelResponseFields": fields}

    def _end(self, event: dict[str, Any], out: list[ChatCompletionChunk]) -> None:
        """The last event: what the answer cost and how long it took."""
        if not self._finished:
            raise self._broken()
        self.ended = True
        counts = event.get("usage")
        if counts is not None:
            reasoned = any("reasoningContent" in block for block in self._blocks)
            self.usage: Usage | None = convert_usage(counts, reasoned=reasoned)
        extra = {name: value for name, value in event.items() if name not in ("p", "usage")}
        if not self._show_usage and not extra.keys() - {"metrics"}:
            return
        chunk = self._emit(Delta(), out)
        chunk._extra = extra
        chunk.service_tier = (event.get("serviceTier") or {}).get("type")
        if self._show_usage:
            chunk.usage = self.usage


def _join_blobs(pieces: list[str]) -> str:
    """Base64 that came in pieces, each padded by itself."""
    return base64.b64encode(b"".join(map(base64.b64decode, pieces))).decode()
