"""
An event loop whose connections lead to an upstream in memory, and whose clock the upstream moves.

Everything of the way of a call is there but the socket itself: aiohttp writes its requests to a
transport and parses the bytes that come back, in the pieces that the scenario says.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..upstream_python import render

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ..upstream_python import Answer

LATENCY = 0.05
"""Seconds that an answer takes to begin, by the loop's clock."""

CHUNK_PAUSE = 0.001
"""Seconds between the writes of a stream."""


class OfflineLoop(asyncio.SelectorEventLoop):
    """Connects to nothing, and knows the time from its upstream only.

    Attributes:
        now: the time.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__()

    def time(self) -> float:
        return self.now

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Every address is there."""

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        *_arguments: Any,
        sock: socket.socket | None = None,
        **_options: Any,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        if sock is not None:
            sock.close()
        protocol = protocol_factory()
        transport = Connection(self, protocol)
        protocol.connection_made(transport)
        return transport, protocol


class Connection(asyncio.Transport):
    """The client's end of a connection, with the upstream behind it."""

    def __init__(self, loop: OfflineLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._request = b""
        self._closing = False
        self._paused = False
        self._waiting: tuple[Answer, int] | None = None

    def write(self, data: Any) -> None:
        self._request += data
        head, end, body = self._request.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r", 1)[0]
        if not end or len(body) < int(length):
            return
        self._request = b""
        scenario = head.split(b"/", 2)[1].decode()
        answer = render(scenario, b'"stream":true' in body, b'"include_usage":' in body)
        self._loop.now += LATENCY
        self._loop.call_soon(self._send, answer, 0)

    def _send(self, answer: Answer, index: int) -> None:
        """Hand one write of the answer to the client, and the next one afterwards."""
        if self._paused:
            self._waiting = (answer, index)
            return
        if self._closing:
            return
        if index:
            self._loop.now += CHUNK_PAUSE
        self._protocol.data_received(answer.writes[index])
        if index + 1 < len(answer.writes):
            self._loop.call_soon(self._send, answer, index + 1)

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        if self._waiting is not None:
            self._loop.call_soon(self._send, *self._waiting)
            self._waiting = None

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass
