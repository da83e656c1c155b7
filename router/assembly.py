"""A streamed answer put together from its chunks, as if it had not been streamed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError
from ..models import token_counter
from ..schemas import (
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    ChunkChoice,
    Function,
    Usage,
    convert,
)
from .partial import Partial

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..schemas import Delta, Message


def stream_chunk_builder(
    chunks: Iterable[Any], messages: Sequence[Any] | None = None
) -> ChatCompletion:
    """The whole answer that a stream's chunks make up.

    A stream that was cut short has no finish reason. The usage is what the chunks tell, or what
    the Router has heard; else it is counted by :func:`token_counter`, and
    ``usage.get("is_estimate")`` is True.

    Args:
        chunks: all of them, in order; objects or dictionaries.
        messages: what the model was sent, to count the prompt where the stream does not tell.

    Raises:
        BadRequestError: there are no chunks.
    """
    listed = [
        chunk if isinstance(chunk, ChatCompletionChunk) else convert(chunk, ChatCompletionChunk)
        for chunk in chunks
    ]
    if not listed:
        raise BadRequestError("there are no chunks to put together", param="chunks")
    choices: dict[int, _Choice] = {}
    for chunk in listed:
        for choice in chunk.choices:
            choices.setdefault(choice.index, _Choice(choice.index)).add(choice)
    built = [choices[index].built() for index in sorted(choices)]
    model = _last(chunk.model for chunk in listed) or ""
    answer = ChatCompletion(
        id=_last(chunk.id for chunk in listed) or "",
        created=listed[0].created,
        model=model,
        choices=built,
        usage=_told(listed) or _estimated(model, built, messages),
        system_fingerprint=_last(chunk.system_fingerprint for chunk in listed),
        service_tier=_last(chunk.service_tier for chunk in listed),
    )
    extras = {name: value for chunk in listed for name, value in chunk._extras().items()}
    answer._extra = extras or None
    answer._route = _last(chunk._route for chunk in listed)
    return answer


class _Choice:
    """One of the answers of a stream: what :class:`Partial` collects, and the rarer fields."""

    def __init__(self, index: int) -> None:
        self._index = index
        self._partial = Partial()
        self._function: Function | None = None
        self._lists: dict[str, list[Any]] = {}
        self._audio: list[dict[str, Any]] = []
        self._logprobs: dict[str, list[Any]] = {}
        self._finish_reason: str | None = None
        self._extras: dict[str, Any] = {}
        self._message_extras: dict[str, Any] = {}

    def add(self, choice: ChunkChoice) -> None:
        """Take one chunk's part in."""
        delta = choice.delta
        self._partial.add(ChatCompletionChunk(choices=[ChunkChoice(delta=delta)]))
        self._add_rest(delta)
        for name, entries in (choice.logprobs or {}).items():
            if entries:
                self._logprobs.setdefault(name, []).extend(entries)
        self._finish_reason = choice.finish_reason or self._finish_reason
        self._extras |= choice._extras()

    def _add_rest(self, delta: Delta) -> None:
        if delta.function_call is not None:
            self._function = self._function or Function()
            self._function.name += delta.function_call.name or ""
            self._function.arguments += delta.function_call.arguments or ""
        for name in ("thinking_blocks", "annotations", "images"):
            self._lists.setdefault(name, []).extend(getattr(delta, name) or ())
        if delta.audio:
            self._audio.append(delta.audio)
        for name, value in delta._extras().items():
            known = self._message_extras.get(name)
            both = isinstance(known, list) and isinstance(value, list)
            self._message_extras[name] = known + value if both else value

    def built(self) -> Choice:
        """The choice as it would have come whole."""
        message: Message = self._partial.message()
        message.function_call = self._function
        for name, values in self._lists.items():
            setattr(message, name, values or None)
        message.audio = _join_audio(self._audio)
        message._extra = self._message_extras or None
        choice = Choice(
            index=self._index,
            message=message,
            finish_reason=self._finish_reason,
            logprobs=self._logprobs or None,
        )
        choice._extra = self._extras or None
        return choice


def _join_audio(pieces: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Spoken pieces as one: data is base64 of each piece, the transcript is text."""
    if not pieces:
        return None
    joined = {name: value for piece in pieces for name, value in piece.items()}
    data = [base64.b64decode(piece["data"]) for piece in pieces if piece.get("data")]
    if data:
        joined["data"] = base64.b64encode(b"".join(data)).decode()
    transcript = "".join(piece.get("transcript") or "" for piece in pieces)
    return joined | ({"transcript": transcript} if transcript else {})


def _told(chunks: Sequence[ChatCompletionChunk]) -> Usage | None:
    """The usage that the chunks tell, or their route."""
    heard = [attempt.usage for chunk in chunks for attempt in chunk.route.attempts[-1:]]
    usage: Usage | None = _last([*heard, *(chunk.usage for chunk in chunks)])
    return usage


def _estimated(model: str, choices: Sequence[Choice], messages: Sequence[Any] | None) -> Usage:
    """The usage of an answer that does not tell it."""
    prompt = token_counter(model, messages=messages) if messages else 0
    said = [text for choice in choices for text in _texts(choice.message)]
    completion = token_counter(model, text=said)
    usage = Usage(
        prompt_tokens=int(prompt),
        completion_tokens=int(completion),
        total_tokens=prompt + completion,
    )
    usage._extra = {"is_estimate": True}
    return usage


def _texts(message: Message) -> list[str]:
    functions = [call.function for call in message.tool_calls or ()]
    functions += [message.function_call] if message.function_call else []
    texts = [message.reasoning_content, message.content, message.refusal]
    texts += [text for function in functions for text in (function.name, function.arguments)]
    return [text for text in texts if text]


def _last(values: Iterable[Any]) -> Any:
    """The last value that says something."""
    last = None
    for value in values:
        last = value or last
    return last
