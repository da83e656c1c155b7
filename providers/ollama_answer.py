"""
What Ollama answers, whole or line by line, in OpenAI's shape.

    {"message": {"content", "thinking", "tool_calls"}, "done": false}      a line of a stream
    {…, "done": true, "done_reason", "prompt_eval_count", "eval_count"}    its last, or all of it
    {"error": "…"}                                                         at any time

The shape of /api/generate, with the text in `response`, is read as well.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..schemas import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
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
from .lines import LineSplitter
from .messages import new_id
from .openai_errors import classify

if TYPE_CHECKING:
    from .base import Call, Target

FINISH_REASONS = {
    "length": "length",
    "load": "stop",
    "stop": "stop",
    "unload": "stop",
}


class CalledFunction(msgspec.Struct):
    """A function to call; its arguments are an object."""

    name: str = ""
    arguments: dict[str, Any] | str | None = None


class Called(msgspec.Struct):
    """One call of a tool; older servers give no id."""

    function: CalledFunction
    id: str | None = None


class Spoken(msgspec.Struct):
    """What the model says; `rest` is what is not read here."""

    content: str | None = None
    thinking: str | None = None
    tool_calls: list[Called] | None = None
    role: str | None = None
    rest: dict[str, Any] = {}


class Event(msgspec.Struct):
    """A line of a stream, or a whole answer; `rest` is what is not read here."""

    message: Spoken | None = None
    response: str | None = None
    thinking: str | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    logprobs: list[Any] | None = None
    model: str | None = None
    error: Any = None
    rest: dict[str, Any] = {}


class ThinkTags:
    """Parts text into reasoning and answer where a model writes ``<think>…</think>`` before it.

    Models do so whose template Ollama does not know to be a reasoning one. The tag counts at the
    very beginning only, and may be cut anywhere.
    """

    __slots__ = ("_held", "_tag")

    OPEN = "<think>"
    CLOSE = "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._tag: str | None = self.OPEN

    def feed(self, text: str, *, ended: bool) -> tuple[str, str]:
        """The reasoning and the answer that `text` adds.

        What may be the beginning of a tag is held back until more text, or the end, decides.
        """
        reasoning, answer = self._part(self._held + text)
        if ended and self._tag == self.CLOSE:
            return reasoning + self._held, answer
        if ended:
            return reasoning, answer + self._held
        return reasoning, answer

    def _part(self, text: str) -> tuple[str, str]:
        self._held = ""
        if self._tag == self.OPEN:
            start = text.lstrip()
            if len(start) < len(self.OPEN) and self.OPEN.startswith(start):
                self._held = text
                return "", ""
            self._tag = self.CLOSE if start.startswith(self.OPEN) else None
            text = start.removeprefix(self.OPEN) if self._tag else text
        if self._tag is None:
            return "", text
        reasoning, close, answer = text.partition(self.CLOSE)
        if close:
            self._tag = None
            return reasoning, answer
        self._held = _beginning_of(self.CLOSE, reasoning)
        return reasoning.removesuffix(self._held), ""


def _beginning_of(tag: str, text: str) -> str:
    """The longest end of `text` that `tag` begins with."""
    for length in range(min(len(tag) - 1, len(text)), 0, -1):
        if text.endswith(tag[:length]):
            return tag[:length]
    return ""


def read_event(data: bytes, target: Target) -> Event:
    """One JSON object of an answer.

    Raises:
        APIError: it is an error.
        APIResponseValidationError: it is something else.
    """
    try:
        raw = msgspec.json.decode(data)
        event = msgspec.convert(raw, Event)
    except UNREADABLE as error:
        raise unreadable(target, data, str(error)) from error
    if event.error:
        details = read_error(raw)
        kind = classify(400, details)  # no status says what it is, so the words may
        raise make_error(target, 500, {}, data, details=details, kind=kind)
    event.rest = _unread(raw, event)
    if event.message is not None:
        event.message.rest = _unread(raw["message"], event.message)
    elif event.response is not None:
        event.message = Spoken(event.response, event.thinking)
    return event


def _unread(raw: dict[str, Any], event: Event | Spoken) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name not in event.__struct_fields__}


def convert_completion(body: bytes, target: Target) -> ChatCompletion:
    """A whole answer; raises what :func:`read_event` raises."""
    event = read_event(body, target)
    message = event.message
    if message is None or event.done is False:
        raise unreadable(target, body, "it is not done")
    reasoning, content = ThinkTags().feed(message.content or "", ended=True)
    calls = [
        ToolCall(id=identifier, function=Function(name=name, arguments=arguments))
        for identifier, name, arguments in convert_tool_calls(message)
    ]
    converted = Message(
        content=content,
        reasoning_content=(message.thinking or "") + reasoning or None,
        tool_calls=calls or None,
        _extra=message.rest,
    )
    choice = Choice(
        message=converted,
        finish_reason=convert_finish_reason(event, bool(calls)),
        logprobs=convert_logprobs(event),
    )
    return ChatCompletion(
        id=new_id("chatcmpl-"),
        created=convert_time(event),
        model=target.model,
        choices=[choice],
        usage=convert_usage(event),
        _extra=event.rest,
    )


def convert_tool_calls(message: Spoken) -> list[tuple[str, str, str]]:
    """Id, name and arguments (as JSON text) of each call."""
    converted = []
    for call in message.tool_calls or ():
        arguments = call.function.arguments
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments or {}).decode()
        converted.append((call.id or new_id("call_"), call.function.name, arguments))
    return converted


def convert_finish_reason(event: Event, has_calls: bool) -> str:
    """OpenAI's word for the end; Ollama calls it a stop when tools are to be called."""
    reason = event.done_reason or "stop"
    converted = FINISH_REASONS.get(reason, reason)
    return "tool_calls" if has_calls and converted == "stop" else converted


def convert_usage(event: Event) -> Usage:
    """Tokens; a prompt that is all in the cache comes without a count."""
    prompt = event.prompt_eval_count or 0
    completion = event.eval_count or 0
    return Usage(
        prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion
    )


def convert_logprobs(event: Event) -> dict[str, Any] | None:
    """Log probabilities, whose entries are OpenAI's."""
    return {"content": event.logprobs} if event.logprobs else None


def convert_time(event: Event) -> int:
    """Seconds since 1970, 0 if the event has no readable time."""
    try:
        return int(datetime.fromisoformat(event.rest.get("created_at") or "").timestamp())
    except (TypeError, ValueError):
        return 0


class OllamaDecoder(StreamDecoder):
    """A stream of lines. It is whole when one has said ``done``."""

    __slots__ = ("_calls", "_started", "_tags")

    cut_short = "the stream ended before it was done"

    def __init__(self, target: Target, call: Call) -> None:
        super().__init__(target, call, LineSplitter(call.max_event_bytes))
        self._id = new_id("chatcmpl-")
        self._tags = ThinkTags()
        self._started = False
        self._calls = 0

    def _add(self, line: bytes, out: list[ChatCompletionChunk]) -> None:
        if self.ended:
            return
        event = read_event(line, self._target)
        choice = ChunkChoice(delta=self._delta(event), logprobs=convert_logprobs(event))
        chunk = ChatCompletionChunk(
            id=self._id,
            created=convert_time(event),
            model=self._target.model,
            choices=[choice],
            _extra=event.rest,
        )
        if event.done:
            self._end(event, chunk)
        elif not _says_something(choice):
            return
        if not self._started:
            self._started = True
            choice.delta.role = "assistant"
        out.append(chunk)

    def _delta(self, event: Event) -> Delta:
        message = event.message or Spoken()
        reasoning, content = self._tags.feed(message.content or "", ended=bool(event.done))
        return Delta(
            content=content or None,
            reasoning_content=(message.thinking or "") + reasoning or None,
            tool_calls=self._tool_calls(message) or None,
            _extra=message.rest,
        )

    def _tool_calls(self, message: Spoken) -> list[DeltaToolCall]:
        found = [
            DeltaToolCall(
                index=index,
                id=identifier,
                type="function",
                function=DeltaFunction(name=name, arguments=arguments),
            )
            for index, (identifier, name, arguments) in enumerate(
                convert_tool_calls(message), start=self._calls
            )
        ]
        self._calls += len(found)
        return found

    def _end(self, event: Event, chunk: ChatCompletionChunk) -> None:
        self.ended = True
        usage = convert_usage(event)
        self.usage: Usage | None = usage
        usage.completion_tokens_details = Details(text_tokens=usage.completion_tokens)
        chunk.choices[0].finish_reason = convert_finish_reason(event, self._calls > 0)
        if self._show_usage:
            chunk.usage = usage


def _says_something(choice: ChunkChoice) -> bool:
    delta = choice.delta
    return bool(
        delta.content
        or delta.reasoning_content
        or delta.tool_calls
        or choice.logprobs
        or delta.provider_specific_fields
    )
