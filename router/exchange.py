"""
One request and its answer on one of aiohttp's connections, without what only browsers need.

aiohttp makes, keeps and closes the connections and parses what comes back. What its session does
around that for each request (cookies, redirects, a task to write the body, an object for the
request) costs a third of a call; none of it means anything here. `tests/test_transport.py` holds
this way and the session's, which is kept for proxies, to the same promises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.http import SERVER_SOFTWARE
from aiohttp.http_exceptions import HttpProcessingError

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Mapping

    from aiohttp.connector import Connection
    from yarl import URL

    from ..providers import Request

READ_BUFFER = 64 * 2**10
SMALL = 2**14
"""A body up to this is copied behind the head: one piece is sent faster than two."""

MOST_HEADS = 2000
"""Heads that are remembered: of deployments, and of calls that brought headers of their own."""

GRACE = 0.02
"""Seconds before a connection to a server that is `hasty` is used again after a stream: it closes
it without having said so, and a request that crosses with the end of its connection is lost."""

HABIT = 1.0
"""Seconds after which closing connections is a server's habit and no accident."""

USUAL_HEADERS = {
    **{
        name.lower(): f"{name}: {value}\r\n"
        for name, value in aiohttp.ClientRequest.DEFAULT_HEADERS.items()
    },
    "user-agent": f"User-Agent: {SERVER_SOFTWARE}\r\n",
}
"""What is said unless the request says otherwise, by the names in lower case."""

FORBIDDEN = frozenset({"content-length", "transfer-encoding"})
"""Headers that the body decides."""


class Reply:
    """An answer whose headers have come; its body is read from `content`.

    The connection goes back to the others when the body has been read, and nowhere if not.
    """

    __slots__ = ("_connection", "_rest", "content", "headers", "status")

    def __init__(
        self,
        message: Any,
        content: aiohttp.StreamReader,
        connection: Connection,
        rest: Callable[[Connection], None] | None,
    ) -> None:
        self.status: int = message.code
        self.headers: Mapping[str, str] = message.headers
        self.content: aiohttp.StreamReader = content
        self._connection: Connection | None = connection
        self._rest: Callable[[Connection], None] | None = rest
        content.on_eof(self._release)

    @property
    def content_type(self) -> str:
        """The media type, without parameters."""
        said = self.headers.get("Content-Type", "application/octet-stream")
        return said.partition(";")[0].strip().lower()

    def close(self) -> None:
        """Close the connection, if it is still this answer's."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._rest is not None and self.content_type == "text/event-stream":
                self._rest(connection)
            else:
                connection.release()


class Exchanges:
    """Requests and answers of one event loop, over the connections of one connector."""

    __slots__ = (
        "_awaited",
        "_connector",
        "_hasty",
        "_heads",
        "_loop",
        "_peers",
        "_resting",
        "_timeout",
        "_unsent",
    )

    def __init__(self, connector: aiohttp.BaseConnector, loop: asyncio.AbstractEventLoop) -> None:
        self._connector: aiohttp.BaseConnector = connector
        self._loop: asyncio.AbstractEventLoop = loop
        self._timeout: aiohttp.ClientTimeout = aiohttp.ClientTimeout(total=None, sock_connect=None)
        self._peers: dict[tuple[Any, ...], aiohttp.ClientRequest] = {}
        self._heads: dict[tuple[str, int], tuple[Mapping[str, str], bytes]] = {}
        self._resting: set[Connection] = set()
        self._hasty: dict[str | None, float] = {}
        self._awaited: int = 0
        self._unsent: list[tuple[asyncio.WriteTransport, bytes]] = []

    async def ask(self, request: Request, url: URL, context: ssl.SSLContext | bool) -> Reply:
        """Send a request; returns when the headers of the answer are there.

        Raises:
            aiohttp.ClientError, OSError: the connection could not be made or broke.
            ValueError: a header cannot be sent.
        """
        head = self._head(request, url)
        peer = self._peers.get((url.scheme, url.raw_host, url.port)) or self._meet(url, context)
        connection = await self._connector.connect(peer, traces=[], timeout=self._timeout)
        try:
            protocol: Any = connection.protocol
            protocol.set_response_params(read_until_eof=True, read_bufsize=READ_BUFFER)
            transport = protocol.transport
            if transport is None or transport.is_closing():
                raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
            if len(request.body) > SMALL:
                transport.writelines((head, request.body))
            elif self._awaited:
                self._send_soon(transport, head + request.body)
            else:
                transport.write(head + request.body)
            self._awaited += 1
            try:
                message, content = await protocol.read()
                while 100 <= message.code < 200:
                    message, content = await protocol.read()
            finally:
                self._awaited -= 1
            rest = self._give_back_later if url.authority in self._hasty else None
            return Reply(message, content, connection, rest)
        except HttpProcessingError as error:
            connection.close()
            raise aiohttp.ClientConnectionError(f"not HTTP: {error.message}") from error
        except BaseException:
            connection.close()
            raise

    def _send_soon(self, transport: asyncio.WriteTransport, data: bytes) -> None:
        """Send at the end of this turn of the loop, with what others have to send in it.

        Requests that go out one right after the other wake their server once; those with other
        work in between, each time, at the sender's expense.
        """
        if not self._unsent:
            self._loop.call_soon(self._send_all)
        self._unsent.append((transport, data))

    def _send_all(self) -> None:
        for transport, data in self._unsent:
            if not transport.is_closing():  # whoever waits there has been told
                transport.write(data)
        self._unsent.clear()

    def beware(self, url: URL) -> bool:
        """A server has closed a connection that was about to be used again: it is hasty.

        Returns whether that has been known for a while; at first it may as well have died.
        """
        now = self._loop.time()
        return now - self._hasty.setdefault(url.authority, now) > HABIT

    def _give_back_later(self, connection: Connection) -> None:
        """Let a connection be used again after a moment, if it has not been closed by then."""
        self._resting.add(connection)
        self._loop.call_later(GRACE, self._give_back, connection)

    def close(self) -> None:
        """Nothing is given back any more: the connector closes."""
        while self._resting:
            self._resting.pop().close()

    def _give_back(self, connection: Connection) -> None:
        if connection in self._resting:
            self._resting.remove(connection)
            connection.release()

    def _meet(self, url: URL, context: ssl.SSLContext | bool) -> aiohttp.ClientRequest:
        """What a connector needs to know of a server; kept, it is the same for every request."""
        if len(self._peers) > 10_000:
            self._peers.clear()
        peer = aiohttp.ClientRequest("POST", url.origin(), loop=self._loop, ssl=context)
        self._peers[url.scheme, url.raw_host, url.port] = peer
        return peer

    def _head(self, request: Request, url: URL) -> bytes:
        """The request line and the headers; those of a deployment are written once."""
        key = request.url, id(request.headers)  # alive as long as it is remembered here
        known = self._heads.get(key)
        if known is None:
            if len(self._heads) > MOST_HEADS:
                self._heads.clear()
            known = self._heads[key] = request.headers, _write_head(url, request.headers)
        start = known[1]
        method = request.method.encode()
        if not request.body and request.method == "GET":
            return b"%b %b\r\n" % (method, start)
        return b"%b %bContent-Length: %d\r\n\r\n" % (method, start, len(request.body))


def _write_head(url: URL, headers: Mapping[str, str]) -> bytes:
    """All of the head between the method and the length of the body.

    Raises:
        ValueError: a header has a line end or another control character.
    """
    lines = {"host": f"Host: {_authority(url)}\r\n", **USUAL_HEADERS}
    for name, value in headers.items():
        if name.lower() not in FORBIDDEN:
            lines[name.lower()] = f"{name}: {value}\r\n"
    head = f"{url.raw_path_qs} HTTP/1.1\r\n{''.join(lines.values())}"
    if head.count("\n") != len(lines) + 1 or head.count("\r") != len(lines) + 1 or "\0" in head:
        raise ValueError("a header has a line end in it, or another control character.")
    return head.encode()


def _authority(url: URL) -> str:
    """The host as the server knows it: with its port, unless that is the usual one."""
    host = url.host_subcomponent or ""
    return host if url.is_default_port() else f"{host}:{url.port}"
