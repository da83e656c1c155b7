"""
What comes back in OpenAI's Responses format, whole or as a stream of events.

    {"id", "status", "incomplete_details", "usage", "output": [
        {"type": "message", "content": [{"type": "output_text", "text", "annotations"}]},
        {"type": "reasoning", "summary": [{"text"}]},
        {"type": "function_call", "call_id", "name", "arguments"}, …]}

Other items (searches and the like) stay as they are in `provider_specific_fields["output"]`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    Delta,
    DeltaFunction,
    DeltaToolCall,
    Details,
    Function,
    Message,
    ToolCall,
    Usage,
)
from .decoding import StreamDecoder
from .errors import UNREADABLE, make_error, read_error, unreadable
from .openai_errors import classify
from .sse import Splitter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..exceptions import APIError
    from .base import Call, Target

INCOMPLETE = {"content_filter": "content_filter", "max_output_tokens": "length"}
READ_FIELDS = frozenset({"created_at", "error", "id", "model", "object", "output", "usage"})


class Content(msgspec.Struct):
    """A part of a message, or of a summary."""

    text: str = ""
    annotations: list[dict[str, Any]] = []


class Item(msgspec.Struct):
    """One item of the output."""

    type: str = ""
    content: list[Content] | None = None
    summary: list[Content] | None = None
    call_id: str = ""
    name: str = ""
    arguments: str = ""


class InputDetails(msgspec.Struct):
    """What the prompt's tokens were."""

    cached_tokens: int = 0


class OutputDetails(msgspec.Struct):
    """What the answer's tokens were."""

    reasoning_tokens: int = 0


class Tokens(msgspec.Struct):
    """Tokens of one response."""

    input_tokens: int = 0
    output_tokens: int = 0
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class Incomplete(msgspec.Struct):
    """Why an answer is cut short."""

    reason: str = ""


class Response(msgspec.Struct):
    """A whole response."""

    id: str = ""
    status: str = ""
    output: list[Item] = []
    usage: Tokens | None = None
    incomplete_details: Incomplete | None = None


class Event(msgspec.Struct):
    """One event of a stream."""

    type: str = ""
    output_index: int = 0
    content_index: int = 0
    delta: str = ""
    item: Item | None = None
    annotation: dict[str, Any] | None = None
    response: Response | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Which part of which item it is about."""
        return self.output_index, self.content_index


_decode_event = msgspec.json.Decoder(Event).decode


def convert_completion(body: bytes, target: Target) -> ChatCompletion:
    """A whole answer.

    Raises:
        APIError: it failed, or the body is none.
    """
    try:
        raw = msgspec.json.decode(body)
        response = msgspec.convert(raw, Response)
    except UNREADABLE as error:
        raise unreadable(target, body, str(error)) from error
    if raw.get("error") or response.status in ("failed", "cancelled"):
        raise failed(target, body)
    if not response.output:
        raise unreadable(target, body, "it has no output")
    message = convert_message(response.output)
    others = [item for item in raw["output"] if item.get("type") not in ("message", "reasoning")]
    rest = {name: value for name, value in raw.items() if name not in READ_FIELDS}
    choice = Choice(
        message=message, finish_reason=convert_finish_reason(response, bool(message.tool_calls))
    )
    return ChatCompletion(
        id=response.id,
        created=int(time.time()),
        model=target.model,
        choices=[choice],
        usage=convert_usage(response.usage),
        _extra={**rest, "output": others},
    )


def convert_message(items: Iterable[Item]) -> Message:
    """The items as one message."""
    texts: list[str] = []
    thoughts: list[str] = []
    annotations: list[dict[str, Any]] = []
    calls: list[ToolCall] = []
    for item in items:
        match item.type:
            case "message":
                for part in item.content or ():
                    start = sum(map(len, texts))
                    annotations += [convert_annotation(each, start) for each in part.annotations]
                    texts.append(part.text)
            case "reasoning":
                thoughts += [part.text for part in item.summary or item.content or ()]
            case "function_call":
                function = Function(name=item.name, arguments=item.arguments or "{}")
                calls.append(ToolCall(id=item.call_id, function=function))
    return Message(
        content="".join(texts) if texts else None,
        reasoning_content="".join(thoughts) or None,
        annotations=annotations or None,
        tool_calls=calls or None,
    )


def convert_annotation(annotation: dict[str, Any], start: int) -> dict[str, Any]:
    """The annotation as chat completions have it: what it says below its type."""
    kind = annotation.get("type")
    if kind != "url_citation":
        return annotation
    place = {name: value for name, value in annotation.items() if name != "type"}
    for name in ("start_index", "end_index"):
        if isinstance(place.get(name), int):
            place[name] += start
    return {"type": kind, "url_citation": place}


def convert_finish_reason(response: Response, has_calls: bool) -> str:
    """OpenAI's word for the end."""
    if response.status == "incomplete" and response.incomplete_details:
        reason = response.incomplete_details.reason
        return INCOMPLETE.get(reason, "length")
    return "tool_calls" if has_calls else "stop"


def convert_usage(tokens: Tokens | None) -> Usage | None:
    """Tokens in the words of chat completions."""
    if tokens is None:
        return None
    prompt, completion = tokens.input_tokens_details, tokens.output_tokens_details
    return Usage(
        prompt_tokens=tokens.input_tokens,
        completion_tokens=tokens.output_tokens,
        total_tokens=tokens.input_tokens + tokens.output_tokens,
        prompt_tokens_details=Details(cached_tokens=prompt.cached_tokens) if prompt else None,
        completion_tokens_details=Details(reasoning_tokens=completion.reasoning_tokens)
        if completion
        else None,
    )


def failed(target: Target, body: bytes) -> APIError:
    """The exception for a response that failed, at status 200; an event has it inside."""
    raw = msgspec.json.decode(body.decode("utf-8", "replace"))
    inner = raw.get("response") if isinstance(raw, dict) else None
    details = read_error(inner if isinstance(inner, dict) and inner.get("error") else raw)
    return make_error(target, 500, {}, body, details=details, kind=classify(400, details))


class ResponsesDecoder(StreamDecoder):
    """A stream of events. It is whole when the response is said to be."""

    __slots__ = ("_calls", "_length", "_starts")

    cut_short = "the stream ended before the response was complete"

    def __init__(self, target: Target, call: Call) -> None:
        super().__init__(target, call, Splitter(call.max_event_bytes))
        self._length = 0
        self._starts: dict[tuple[int, int], int] = {}
        self._calls: dict[int, int] = {}

    def _add(self, payload: bytes, out: list[ChatCompletionChunk]) -> None:
        if self.ended or payload == b"[DONE]":
            return
        event = self._read(payload, _decode_event)
        match event.type:
            case "response.created":
                self._id = event.response.id if event.response else ""
            case "response.output_text.delta":
                self._starts.setdefault(event.place, self._length)
                self._length += len(event.delta)
                self._emit(Delta(content=event.delta), out)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                self._emit(Delta(reasoning_content=event.delta), out)
            case "response.output_text.annotation.added" if event.annotation:
                start = self._starts.get(event.place, 0)
                self._emit(Delta(annotations=[convert_annotation(event.annotation, start)]), out)
            case "response.output_item.added" | "response.function_call_arguments.delta":
                self._tool_call(event, out)
            case "response.completed" | "response.incomplete":
                self._end(event, out)
            case "response.failed" | "error" | "":
                raise failed(self._target, payload)

    def _tool_call(self, event: Event, out: list[ChatCompletionChunk]) -> None:
        item = event.item
        if item is not None and item.type == "function_call":
            index = self._calls[event.output_index] = len(self._calls)
            function = DeltaFunction(name=item.name, arguments="")
            call = DeltaToolCall(index=index, id=item.call_id, type="function", function=function)
            self._emit(Delta(tool_calls=[call]), out)
        elif item is None and event.output_index in self._calls:
            function = DeltaFunction(arguments=event.delta)
            index = self._calls[event.output_index]
            self._emit(Delta(tool_calls=[DeltaToolCall(index=index, function=function)]), out)

    def _end(self, event: Event, out: list[ChatCompletionChunk]) -> None:
        self.ended = True
        response = event.response or Response()
        self.usage: Usage | None = convert_usage(response.usage)
        chunk = self._emit(Delta(), out)
        chunk.choices[0].finish_reason = convert_finish_reason(response, bool(self._calls))
        if self._show_usage:
            chunk.usage = self.usage
