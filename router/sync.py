"""
The synchronous functions: the same coroutines, on one event loop in the background.

The loop starts with the first synchronous call, serves all threads and all Routers of the
process, and ends with it.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

    from ..schemas import ChatCompletionChunk, Route
    from .stream import ChatStream

T = TypeVar("T")


class Background:
    """The one background loop of a process."""

    def __init__(self) -> None:
        self.forget()
        atexit.register(self.stop)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """Begin anew: a forked child has its parent's memory, but not the thread of the loop."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._portal: BlockingPortal | None = None

    def portal(self) -> BlockingPortal:
        """The way to the loop; starts it the first time."""
        with self._lock:
            if self._portal is None:
                started: Future[BlockingPortal] = Future()
                self._thread = threading.Thread(
                    target=_run, args=(started,), name="polyroute", daemon=True
                )
                self._thread.start()
                self._portal = started.result()
            return self._portal

    def stop(self) -> None:
        """End the loop and what still runs on it."""
        if self._portal is not None and self._thread is not None:
            self._portal.start_task_soon(self._portal.stop, True)
            self._thread.join()
            self.forget()


def _run(started: Future[BlockingPortal]) -> None:
    try:
        anyio.run(_serve, started)
    except OSError as error:  # there is no file descriptor left for a loop
        started.set_exception(error)


async def _serve(started: Future[BlockingPortal]) -> None:
    """Run what comes through the portal until it is stopped."""
    async with BlockingPortal() as portal:
        started.set_result(portal)
        await portal.sleep_until_stopped()


background: Background = Background()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the background loop and wait for its result.

    Whoever stops waiting (Ctrl-C) cancels it.

    Raises:
        RuntimeError: called on the background loop itself, which would wait for itself.
    """

    async def awaited() -> T:
        return await coroutine

    try:
        future = background.portal().start_task_soon(awaited)
    except RuntimeError:
        coroutine.close()
        raise
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


class SyncStream:
    """A streamed answer as an ordinary iterator and context manager; see :class:`ChatStream`."""

    def __init__(self, stream: ChatStream) -> None:
        self._stream = stream
        self._ready: deque[ChatCompletionChunk] = deque()

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
        if not self._ready:
            self._ready.extend(run(_batch(self._stream)))
            if not self._ready:
                raise StopIteration
        return self._ready.popleft()

    def close(self) -> None:
        """End the stream now."""
        self._ready.clear()
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


async def _batch(stream: ChatStream) -> list[ChatCompletionChunk]:
    """The next chunk and those that came with it: one way to the loop and back for all."""
    first = await anext(stream, None)
    return [] if first is None else [first, *[await anext(stream) for _ in range(stream.ready)]]
