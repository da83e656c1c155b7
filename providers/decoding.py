"""
What the decoders of all streams share: how they read, and how they say that a stream broke off.

A decoder of a wire format is a :class:`StreamDecoder` with a method for one event, and perhaps
one for the end. What cuts bytes into events is a :class:`Splitter`, in `sse.py` for most.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from ..exceptions import APIResponseValidationError
from ..schemas import ChatCompletionChunk, ChunkChoice, Delta
from .errors import UNREADABLE, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..exceptions import APIError
    from ..schemas import Usage
    from .base import Call, Pending, Target


Read = TypeVar("Read")


class Splitter(Protocol):
    """Collects bytes and hands out whole events, whatever they are in a format."""

    def feed(self, data: bytes) -> Iterable[Any]:
        """The events that `data` completes.

        Raises:
            APIResponseValidationError: an event grows beyond the limit, or is damaged.
        """
        ...

    def finish(self) -> Iterable[Any]:
        """What may be an event although the end of the connection cut it off."""
        ...

    def document(self) -> bytes:
        """The JSON document that came instead of events, empty if there is none."""
        ...


class StreamDecoder(ABC):
    """One stream as chunks: one id, the model that was asked for, the role once."""

    __slots__ = (
        "_created",
        "_id",
        "_role",
        "_show_usage",
        "_split",
        "_target",
        "again",
        "ended",
        "usage",
    )

    cut_short: ClassVar[str] = "the stream ended without a stop reason"
    """What is wrong with a stream that ends before its own end."""

    def __init__(self, target: Target, call: Call, splitter: Splitter) -> None:
        self._target = target
        self._split = splitter
        self._show_usage = call.wants_usage
        self._id = ""
        self._created = int(time.time())
        self._role: str | None = "assistant"
        self.usage: Usage | None = None
        self.ended: bool = False
        self.again: Pending | None = None

    def feed(self, data: bytes, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.feed`."""
        for event in self._split.feed(data):
            self._add(event, out)

    def finish(self, out: list[ChatCompletionChunk]) -> None:
        """See :meth:`Decoder.finish`."""
        if self.ended:
            return
        document = self._split.document()
        if document:
            raise self._unreadable(document, "it is JSON where a stream was asked for")
        for event in self._split.finish():
            try:
                self._add(event, out)
            except APIResponseValidationError:
                break  # the cut went through this event: reported below
        if not self.ended:
            self._close(out)

    @abstractmethod
    def _add(self, event: Any, out: list[ChatCompletionChunk]) -> None:
        """Append the chunks of one event to `out`."""

    def _close(self, out: list[ChatCompletionChunk]) -> None:
        """The connection has ended without the format's own end marker.

        Raises:
            APIResponseValidationError: the stream is not whole without it.
        """
        raise self._broken()

    def _broken(self) -> APIResponseValidationError:
        return APIResponseValidationError(
            self.cut_short, model=self._target.model, llm_provider=self._target.provider
        )

    def _read(self, payload: bytes, decode: Callable[[bytes], Read]) -> Read:
        """An event, decoded.

        Raises:
            APIResponseValidationError: it makes no sense.
        """
        try:
            return decode(payload)
        except UNREADABLE as error:
            raise self._unreadable(payload, str(error)) from error

    def _unreadable(self, body: bytes, reason: str) -> APIError:
        """The exception for bytes that make no sense; see :func:`unreadable`."""
        return unreadable(self._target, body, reason)

    def _emit(self, delta: Delta, out: list[ChatCompletionChunk]) -> ChatCompletionChunk:
        """Append a chunk of the only choice."""
        return self._emit_choice(ChunkChoice(delta=delta), out)

    def _emit_choice(
        self, choice: ChunkChoice, out: list[ChatCompletionChunk]
    ) -> ChatCompletionChunk:
        choice.delta.role, self._role = self._role, None
        chunk = ChatCompletionChunk(
            id=self._id, created=self._created, model=self._target.model, choices=[choice]
        )
        out.append(chunk)
        return chunk
