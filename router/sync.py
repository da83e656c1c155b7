"""
The synchronous functions: the same coroutines, on one event loop in the background.

The loop starts with the first synchronous call, serves all threads and all Routers of the
process, and ends with it.
"""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from anyio.from_thread import start_blocking_portal

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from ..schemas import ChatCompletionChunk, Route
    from .stream import ChatStream

T = TypeVar("T")


class Background:
    """The one background loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._portal: BlockingPortal | None = None

    def portal(self) -> BlockingPortal:
        """The way to the loop; starts it the first time."""
        with self._lock:
            if self._portal is None:
                manager = start_blocking_portal("asyncio", name="polyroute")
                self._portal = manager.__enter__()
                atexit.register(manager.__exit__, None, None, None)
            return self._portal


background = Background()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for its result.

    Raises:
        RuntimeError: called on the background loop itself, which would wait for itself.
    """

    async def awaited() -> T:
        return await coroutine

    return background.portal().call(awaited)


class SyncStream:
    """A streamed answer as an ordinary iterator and context manager; see :class:`ChatStream`."""

    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream

    @property
    def route(self) -> Route:
        """Every attempt made for this stream."""
        return self._stream.route

    @property
    def response_headers(self) -> dict[str, str]:
        """The headers of the provider's answer, lower-case."""
        return self._stream.response_headers

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ChatCompletionChunk:
        chunk: ChatCompletionChunk | None = run(_next(self._stream))
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """End the stream now."""
        run(self._stream.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


async def _next(stream: ChatStream) -> ChatCompletionChunk | None:
    return await anext(stream, None)
