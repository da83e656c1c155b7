"""
A provider on the loopback: it speaks a real wire format, remembers what it was asked, and fails
when told to.

    with Upstream("gemini", answer=lambda body: Reply("It rains.", tools=[…])) as upstream:
        upstream.cut(after_chunks=3)

Everything it does can be told at any time, also from other threads than its own.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Literal, Self

from aiohttp import web

from .anthropic import AnthropicFormat
from .exchange import Exchange, Received
from .faults import Fault, Script
from .gemini import GeminiFormat
from .openai import OpenAIFormat
from .openai_audio import read_form
from .reply import Answer, Reply
from .server import HOST, LoopbackServer, model_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from .reply import Format

FORMATS: dict[str, Format] = {
    "anthropic": AnthropicFormat(),
    "gemini": GeminiFormat(),
    "openai": OpenAIFormat(),
}


class Upstream:
    """A loopback server that speaks `openai`, `anthropic` or `gemini`.

    Use it with ``async with`` in the running loop, or with ``with`` in synchronous tests, where it
    has a thread of its own.

    Args:
        format: the wire format.
        answer: text, a :class:`Reply`, or a function from the request's JSON body to either.
        model: the name that :meth:`deployment` gives; requests for any name are answered.
        latency: seconds before an answer, or before a stream's first byte.
        chunk_delay: seconds between the pieces of a stream.
        headers: sent with every answer, for example rate limits.

    Attributes:
        requests: what came, in order, as :class:`Received`.
        in_flight: requests that are being worked on; `most_in_flight` is the highest number so far.

    `answer`, `latency`, `chunk_delay` and `headers` may be changed at any time.
    """

    def __init__(
        self,
        format: Literal["openai", "anthropic", "gemini"] = "openai",
        *,
        answer: Answer = "Hello!",
        model: str = "loopback-model",
        latency: float = 0.0,
        chunk_delay: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if format not in FORMATS:
            raise ValueError(f"no format {format!r}; there are {', '.join(sorted(FORMATS))}")
        self._format = FORMATS[format]
        self.answer = answer
        self.model = model
        self.latency = latency
        self.chunk_delay = chunk_delay
        self.headers: dict[str, str] = dict(headers or {})
        self.requests: list[Received] = []
        self.in_flight: int = 0
        self.most_in_flight: int = 0
        self._script = Script()
        self._server = LoopbackServer(self._handle)
        self._watchers: list[asyncio.Event] = []

    @property
    def base_url(self) -> str:
        """Where it listens, with what clients of its format expect at the end."""
        return f"http://{HOST}:{self._server.port}{self._format.base_path}"

    def deployment(
        self,
        model_name: str,
        *,
        id: str | None = None,
        info: Mapping[str, Any] | None = None,
        **litellm_params: Any,
    ) -> dict[str, Any]:
        """An entry for a Router's `model_list` that leads here.

        Args:
            model_name: the alias it serves.
            id: the deployment's id.
            info: more for `model_info`, for example `input_cost_per_token`.
            litellm_params: more for `litellm_params`, for example `timeout` or `weight`.
        """
        model = f"{self._format.provider}/{self.model}"
        return model_entry(model_name, model, self.base_url, id=id, info=info, **litellm_params)

    def fail(
        self,
        status: int = 500,
        *,
        message: str = "scripted failure",
        times: int | None = 1,
        retry_after: float | None = None,
        after_chunks: int | None = None,
    ) -> None:
        """Answer with an error, as this provider words it.

        Args:
            status: the HTTP status.
            message: what the error says.
            times: the next so many requests; None for all of them. Faults strike in the order in
                which they were told.
            retry_after: seconds for the `Retry-After` header.
            after_chunks: a stream begins well and reports the error after so many chunks.
        """
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        self._script.add(Fault("fail", times, after_chunks, status, message, headers))

    def hang(self, *, times: int | None = 1, after_chunks: int | None = None) -> None:
        """Never answer, or fall silent after so many chunks; the connection stays open."""
        self._script.add(Fault("hang", times, after_chunks))

    def drop(self, *, times: int | None = 1) -> None:
        """Close the connection instead of answering."""
        self._script.add(Fault("drop", times))

    def cut(self, after_chunks: int = 1, *, times: int | None = 1) -> None:
        """Close the connection after so many chunks; a whole answer is cut in its middle."""
        self._script.add(Fault("drop", times, after_chunks))

    def kill(self) -> None:
        """Close the port and all connections, as a process does that dies."""
        self._server.kill()

    def revive(self) -> None:
        """Open the same port again."""
        self._server.revive()

    def heal(self) -> None:
        """Forget the faults that have not struck yet."""
        self._script.clear()

    def reset(self) -> None:
        """Forget faults and recorded requests, and live."""
        self.heal()
        self.requests.clear()
        self.most_in_flight = self.in_flight
        self.revive()

    async def until(self, condition: Callable[[Self], bool]) -> None:
        """Wait until something is true of it.

        ``await upstream.until(lambda it: it.in_flight == 2)`` looks whenever a request arrives or
        ends. Only within ``async with``; set a deadline where it may never be true.
        """
        changed = asyncio.Event()
        self._watchers.append(changed)
        try:
            while not condition(self):
                await changed.wait()
                changed.clear()
        finally:
            self._watchers.remove(changed)

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._server.close()

    def __enter__(self) -> Self:
        self._server.start_thread()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.join_thread()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Record a request and give it what the script or the answer holds for it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = read_body(headers.get("content-type", ""), await request.read())
        received = Received(request.path_qs, headers, body)
        self.requests.append(received)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self._notify()
        try:
            return await self._respond(request, received)
        except asyncio.CancelledError:
            received.outcome = "abandoned"
            raise
        except ConnectionError:
            received.outcome = "abandoned"
            return web.Response()  # nobody reads it; an error would be logged as the server's
        finally:
            self.in_flight -= 1
            self._notify()

    async def _respond(self, request: web.BaseRequest, received: Received) -> web.StreamResponse:
        number = len(self.requests)
        headers = {self._format.request_id: f"request-{number}", **self.headers}
        exchange = Exchange(request, received, self._format, headers)
        question = self._format.question(number, request.path, received.body)
        fault = self._script.next()
        await asyncio.sleep(self.latency)
        if fault is not None and fault.after_chunks is None:
            return await exchange.strike(fault)
        if question is None:
            return exchange.error(404, f"nothing is served at {request.path}")
        problem = self._format.problem(question)
        if problem is not None:
            return exchange.error(400, problem)
        reply = self.answer(received.body) if callable(self.answer) else self.answer
        reply = Reply(reply) if isinstance(reply, str) else reply
        if question.stream:
            return await exchange.stream(question, reply, fault, self.chunk_delay)
        return await exchange.whole(question, reply, fault)

    def _notify(self) -> None:
        for watcher in self._watchers:
            watcher.set()


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """The object or the form of a body, empty if it is neither."""
    if content_type.startswith("multipart/form-data"):
        return read_form(content_type, body)
    try:
        read = json.loads(body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
