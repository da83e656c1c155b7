"""
A loopback server that can be killed and comes back on the same port.

It runs in the event loop of an ``async with``, or in a thread of its own for a ``with``.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

HOST = "127.0.0.1"


class LoopbackServer:
    """An HTTP server on a port of 127.0.0.1 that stays its own while it is killed."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._loop: asyncio.AbstractEventLoop | None = None
        self._http: web.Server | None = None
        self._socket: socket.socket | None = None
        self._listener: asyncio.Server | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None
        self._alive = False
        self.port: int = 0

    async def start(self) -> None:
        """Open a port in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._http = web.Server(self._handler, access_log=None, handler_cancellation=True)
        self._socket = bind(0)
        self.port = self._socket.getsockname()[1]
        self._revive()

    async def close(self) -> None:
        """Close the port and every connection; requests that still run are cancelled."""
        self._shut()
        if self._accepting is not None:
            await asyncio.wait([self._accepting])
        if self._http is not None:
            await self._http.shutdown(timeout=0)
        self._loop = self._http = self._accepting = None
        self._alive = False

    def start_thread(self) -> None:
        """Run in a thread with a loop of its own until :meth:`join_thread`."""
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)),
            name="polyroute-upstream",
            daemon=True,
        )
        self._thread.start()
        started.result()

    def join_thread(self) -> None:
        """Close, and wait until the thread has ended."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
        self._thread = self._stop = None

    def kill(self) -> None:
        """Close the port and every connection at once, as a process does that dies."""
        self._in_loop(self._kill)

    def revive(self) -> None:
        """Open the same port again."""
        self._in_loop(self._revive)

    async def _serve(self, started: Future[None]) -> None:
        self._stop = asyncio.Event()
        try:
            await self.start()
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(None)
        await self._stop.wait()
        await self.close()

    def _open(self) -> None:
        """The port listens when this returns; connections wait in it for the accepting task."""
        if self._loop is not None and self._socket is not None and self._http is not None:
            self._socket.listen(1024)
            self._accepting = self._loop.create_task(self._accept(self._socket, self._http))

    async def _accept(self, listener: socket.socket, http: web.Server) -> None:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(http, sock=listener, start_serving=False)
        self._socket = None
        await self._listener.start_serving()

    def _shut(self) -> None:
        """Close the port, whether it is open or kept, and every connection."""
        if self._accepting is not None:
            self._accepting.cancel()
        for opened in (self._listener, self._socket):
            if opened is not None:
                opened.close()
        self._listener = self._socket = None
        for connection in self._http.connections if self._http is not None else ():
            connection.force_close()
            if connection.transport is not None:
                connection.transport.abort()

    def _kill(self) -> None:
        """A socket that is bound and does not listen keeps the port and refuses connections."""
        self._shut()
        self._socket = bind(self.port)
        self._alive = False

    def _revive(self) -> None:
        if not self._alive:
            self._open()
            self._alive = True

    def _in_loop(self, action: Callable[[], None]) -> None:
        """Run in the server's loop, from whichever thread this is called."""
        if self._loop is None:
            raise RuntimeError("the upstream does not run; use it as a context manager first")
        if self._thread is None or self._thread is threading.current_thread():
            action()
            return
        done: Future[None] = Future()

        def run() -> None:
            try:
                action()
            except OSError as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self._loop.call_soon_threadsafe(run)
        done.result()


def model_entry(
    model_name: str,
    model: str,
    base_url: str,
    *,
    id: str | None,
    info: Mapping[str, Any] | None,
    **litellm_params: Any,
) -> dict[str, Any]:
    """An entry for a Router's `model_list` that leads to a loopback server."""
    return {
        "model_name": model_name,
        "litellm_params": {
            "model": model,
            "api_base": base_url,
            "api_key": "loopback-key",
            **litellm_params,
        },
        "model_info": {**({} if id is None else {"id": id}), **(info or {})},
    }


def bind(port: int) -> socket.socket:
    """A socket on the loopback that does not listen yet; 0 chooses a free port."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
