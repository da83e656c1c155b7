"""
A streamed answer: from the first content to its end, whoever ends it.

The engine opens a :class:`Flow` and reads it up to the first content; until then a failure is
retried elsewhere without the caller noticing. Then the caller gets a :class:`ChatStream`. Its
iterator *is* one asynchronous generator; there is no task, timer or queue per chunk. The flow
holds the lease and gives it back when the stream is exhausted, closed, broken or collected.
"""

from __future__ import annotations

import asyncio
import weakref
from operator import length_hint
from typing import TYPE_CHECKING, Any, Self, final

from ..exceptions import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    StreamInterruptedError,
)
from ..providers.errors import redact
from ..schemas import request_id
from .floor import DecodeFloor
from .partial import Partial, has_content

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
    from types import TracebackType

    from ..providers import Decoder, Pending
    from ..schemas import ChatCompletionChunk, Route
    from .lease import Lease
    from .transport import Here, Response, Transport

    Resume = Callable[["Flow", APIError], Awaitable[bool]]


@final
class Flow:
    """The upstream side of one stream: the connection, the decoder, the lease, the idle limit."""

    def __init__(
        self,
        transport: Transport,
        here: Here,
        response: Response,
        decoder: Decoder,
        lease: Lease,
    ) -> None:
        trip = lease.trip
        self.response: Response = response
        self._here = here
        self._transport = transport  # lives as long as its streams
        self.decoder: Decoder = decoder
        self.lease: Lease = lease
        self.route: Route = trip.route
        self.pending: list[ChatCompletionChunk] = []
        self.ready: Iterator[ChatCompletionChunk] = iter(())
        self.partial: Partial = Partial()
        self.over: bool = False
        self._failure: APIError | None = None
        self._idle_limit = trip.idle_limit
        least = trip.core.policies.min_tokens_per_second
        self._floor = DecodeFloor(least) if least else None
        self._whole_limit = trip.options.force_timeout
        self._loop = asyncio.get_running_loop()
        self._waiting_since = 0.0
        self._timers: list[asyncio.TimerHandle | None] = [None, None]
        self._ended = False
        self._guilty = True

    async def begin(self) -> None:
        """Read up to the first content.

        Raises:
            APIError: the stream failed, or ended without having said anything.
        """
        checked = 0
        try:
            while True:
                await self.more()
                if any(has_content(chunk) for chunk in self.pending[checked:]):
                    self.lease.first_token()
                    self.pending[0]._route = self.route  # who keeps the chunks can tell the cost
                    self._watch()
                    return
                checked = len(self.pending)
                if self._failure is not None:
                    raise self._failure
                if self.over:
                    raise APIResponseValidationError("the stream ended without an answer")
        except BaseException:
            self._let_go()  # the engine books the failure: the lease is its again
            self.response.close()
            raise

    async def more(self) -> None:
        """Read once and decode into `pending`; sets `over` at the end.

        An error of the stream is kept until the chunks before it have been handed out: it is
        raised by the next call.
        """
        if self._failure is not None:
            raise self._failure
        self._waiting_since = self._loop.time()
        try:
            if self.decoder.again is not None:
                await self._ask_again(self.decoder.again)
            data = await self._transport.read_some(self.response)
            if data:
                self.decoder.feed(data, self.pending)
                self.over = self.decoder.ended
                if self._floor is not None and not self.over:
                    waited = self._loop.time() - self._waiting_since
                    self._floor.check(waited, self.partial.characters())
            else:
                self.decoder.finish(self.pending)
                self.over = self.decoder.again is None
        except APIError as error:
            self.over = False
            self._failure = error
            if not self.pending:
                raise
        finally:
            self._waiting_since = 0.0

    async def _ask_again(self, pending: Pending) -> None:
        """Go on with the next answer of a provider that has to be asked for each piece.

        Raises:
            APIError: it refuses, or the stream was closed in the meantime.
        """
        self.decoder.again = None
        await asyncio.sleep(pending.seconds)
        self._here.reading.discard(self.response)
        if self._ended:
            raise APIConnectionError("the stream was closed")
        response = self.response = await self._transport.send(pending.request, self._here)
        if response.status >= 300:
            body = await self._transport.read(response, self._here)
            adapter = self.lease.deployment.adapter()
            raise adapter.error(response.status, response.headers, body)

    async def end(self) -> None:
        """The stream is whole: book it, and let the connection be used again."""
        self._let_go()
        self.lease.succeeded(self.decoder.usage)
        await self._transport.drain(self.response)

    def book_break(self, error: APIError) -> None:
        """The stream broke off: its lease ends. A second time changes nothing."""
        self.lease.failed(error, usage=self.decoder.usage, counts=self._guilty)

    def go_on(self, other: Flow, pending: list[ChatCompletionChunk]) -> None:
        """Continue with the chunks of another stream: its connection and lease are this one's."""
        self._let_go()
        self.response.close()
        other._let_go()
        other._ended = True
        self.response, self.decoder, self.lease = other.response, other.decoder, other.lease
        self.over, self._failure = other.over, other._failure
        self.pending = pending
        self._ended = False
        self._here.reading.add(self.response)
        self._watch()

    def broke(self, error: APIError) -> StreamInterruptedError:
        """Book a stream that broke off, and say so with what had arrived."""
        self.book_break(error)
        target = self.lease.deployment.target
        return StreamInterruptedError(
            redact(f"the stream broke off: {error.message}", target),
            status_code=error.status_code,
            partial_message=self.partial.message(),
            usage=self.decoder.usage,
            model=target.model,
            llm_provider=target.provider,
            code=error.code,
            request_id=error.request_id or request_id(self.response.headers),
            retry_after=error.retry_after,
            body=error.body,
            route=self.route,
        )

    def close(self) -> None:
        """Let everything go, whatever state it is in. A second time changes nothing."""
        if self._ended:
            return
        self._let_go()
        self.lease.abandoned()
        if self._waiting_since:
            self._transport.interrupt(self.response, OSError("the stream was closed"))
        else:
            self.response.close()

    def __del__(self) -> None:
        if self._ended:
            return
        if self._loop.is_closed():
            self.close()
        else:
            self._loop.call_soon_threadsafe(self.close)

    def _let_go(self) -> None:
        """From here on nobody needs to be told, watched or asked about this stream."""
        self._ended = True
        self._here.reading.discard(self.response)
        for timer in self._timers:
            if timer is not None:
                timer.cancel()

    def _watch(self) -> None:
        """Look after the limits with one timer each; the idle one is set anew when it fires.

        The timers know the flow only weakly: one that nobody iterates must be collected.
        """
        flow = weakref.ref(self)
        if self._idle_limit is not None:
            self._timers[0] = self._loop.call_later(self._idle_limit, _look, flow)
        if self._whole_limit is not None:
            left = max(0.0, self._whole_limit - self.lease.elapsed_since_call())
            self._timers[1] = self._loop.call_later(left, _cut, flow)

    def cut(self) -> None:
        """End the stream because the caller wanted it no longer; nobody is to blame."""
        self._guilty = False
        self._interrupt("the call's whole limit has passed (force_timeout)")

    def _interrupt(self, why: str) -> None:
        """Make the reader of this stream see a timeout."""
        self._transport.interrupt(self.response, TimeoutError(why))

    def look(self) -> None:
        """Interrupt a reader that has waited beyond the idle limit."""
        limit = self._idle_limit or 0.0
        waited = self._loop.time() - self._waiting_since if self._waiting_since else 0.0
        if waited >= limit:
            self._interrupt(f"no data for {limit:g} s (stream_idle_timeout)")
        else:
            self._timers[0] = self._loop.call_later(limit - waited, _look, weakref.ref(self))


def _look(reference: weakref.ref[Flow]) -> None:
    flow = reference()
    if flow is not None:
        flow.look()


def _cut(reference: weakref.ref[Flow]) -> None:
    flow = reference()
    if flow is not None:
        flow.cut()


async def chunks_of(
    flow: Flow, resume: Resume | None = None
) -> AsyncGenerator[ChatCompletionChunk, None]:
    """The chunks of a flow; the iterator that callers get.

    A flow that breaks off is continued by `resume` where that can be, under the same id.
    """
    add = flow.partial.add
    id = None
    try:
        while True:
            flow.ready, flow.pending = iter(flow.pending), []
            for chunk in flow.ready:
                if id is not None:
                    chunk.id, chunk.choices[0].delta.role = id, None
                add(chunk)
                yield chunk
            if flow.over:
                break
            try:
                await flow.more()
            except APIError as error:
                if resume is None or not await resume(flow, error):
                    raise flow.broke(error) from error
                id = chunk.id
        await flow.end()
    finally:
        flow.close()


class ChatStream:
    """A streamed answer: an asynchronous iterator of chunks, and a context manager.

    Leaving the loop early is fine; `aclose()`, or leaving the ``async with`` block, gives the
    connection and the deployment's slot back at once instead of at collection.

    Raises (while iterating):
        StreamInterruptedError: the stream broke off; carries what had arrived.
    """

    def __init__(self, flow: Flow, resume: Resume | None = None) -> None:
        self._flow = flow
        self._chunks: Any = chunks_of(flow, resume)

    @property
    def route(self) -> Route:
        """Every attempt made for this stream."""
        return self._flow.route

    @property
    def ready(self) -> int:
        """How many chunks are there already: the next ones come without waiting."""
        return length_hint(self._flow.ready)

    @property
    def response_headers(self) -> dict[str, str]:
        """The headers of the provider's answer, lower-case."""
        return {name.lower(): value for name, value in self._flow.response.headers.items()}

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        chunks: AsyncIterator[ChatCompletionChunk] = self._chunks
        return chunks

    def __anext__(self) -> Any:
        return self._chunks.__anext__()

    async def aclose(self) -> None:
        """End the stream now."""
        self._flow.close()
        if not self._chunks.ag_running:  # else its reader is being told
            await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
