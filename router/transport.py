"""
The one place with sockets.

A :class:`Transport` belongs to one Router. It keeps one aiohttp session per running event loop,
so that a Router can be used from several loops, and closes them all: with `aclose`, when a loop
shuts down, when the Router is collected, or at exit. Nothing of aiohttp's leaves this module but
what answers are read from; its exceptions become polyroute's.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import ssl
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from ..exceptions import (
    APIConnectionError,
    APIResponseValidationError,
    BadRequestError,
    ImageFetchError,
    Timeout,
)
from ..providers import File
from .alarm import Alarms
from .exchange import READ_BUFFER, Exchanges

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import AsyncGenerator

    from aiohttp import ClientResponse

    from ..providers import Request
    from .exchange import Reply

    Response = ClientResponse | Reply


FAILURES = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)
"""What aiohttp raises when a connection fails, before or while it is read."""

GONE = aiohttp.ClientOSError
"""What it raises when a request cannot be written, or a connection not be made."""

CONNECTIONS = 1000
DRAIN_SECONDS = 0.1
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


class Connector(aiohttp.TCPConnector):
    """Connections that are known to be new while their first request is sent.

    A server may close a connection that we keep at the moment we use it again. A request that
    could not be written there was not taken and can be sent again; on a new connection the same
    failure is the server's own (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1).
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)
        self.making: set[asyncio.Task[Any] | None] = set()
        """Tasks whose request has made its own connection."""

    async def _create_connection(self, *args: Any, **kwargs: Any) -> Any:
        self.making.add(asyncio.current_task())
        return await super()._create_connection(*args, **kwargs)


@dataclass(slots=True)
class Here:
    """What a transport keeps for one event loop."""

    session: aiohttp.ClientSession
    connector: Connector
    exchanges: Exchanges
    by_session: bool
    """Whether the session has to send requests: it knows of proxies."""
    keeper: AsyncGenerator[None, None]
    alarms: Alarms
    reading: set[Response]
    """Answers that are being read: whoever waits for one must hear when the session closes."""

    async def ask_session(
        self, request: Request, url: URL, context: ssl.SSLContext | bool
    ) -> ClientResponse:
        """As `Exchanges.ask`, by aiohttp's session: it knows of proxies and names in addresses."""
        return await self.session.request(
            request.method,
            url,
            data=io.BytesIO(request.body) if request.body else None,
            headers=request.headers,
            allow_redirects=False,
            ssl=context,
        )


class Transport:
    """Sessions, bounded reading, and the translation of what goes wrong.

    Args:
        max_body_bytes: a whole answer beyond this is refused with a typed error.
        max_connections: connections per event loop; further requests wait for one.
        verify: False turns certificate checks off; a path names the certificate authority.
    """

    def __init__(
        self,
        *,
        max_body_bytes: int = 64 * 2**20,
        max_connections: int = CONNECTIONS,
        verify: bool | str = True,
    ) -> None:
        self._max_body = max_body_bytes
        self._max_connections = max_connections
        self._verify = verify
        self._loops: dict[AbstractEventLoop, Here] = {}
        self._urls: dict[str, URL] = {}
        self._ssl: ssl.SSLContext | None = None
        self._finalizer = weakref.finalize(self, _abandon, self._loops)

    def here(self) -> Here:
        """What there is for the running loop."""
        return self._loops.get(asyncio.get_running_loop()) or self._arrive()

    async def send(self, request: Request, here: Here) -> Response:
        """Send a request; returns when the headers of the answer are there.

        Raises:
            APIConnectionError: the connection could not be made or broke.
        """
        url = self._urls.get(request.url) or self._remember(request.url)
        making = here.connector.making
        context = True if url.scheme == "http" else self._ssl_context()
        while True:
            try:
                by_session = here.by_session or url.raw_user is not None
                ask = here.ask_session if by_session else here.exchanges.ask
                response: Response = await ask(request, url, context)
                break
            except GONE as error:
                if asyncio.current_task() in making:
                    raise translate(error) from error
                # a kept connection that the server had closed: the next one, or a new one
            except aiohttp.ServerDisconnectedError as error:
                failure = translate(error)
                if asyncio.current_task() not in making:
                    failure.stale = here.exchanges.beware(url)
                raise failure from error
            except FAILURES as error:
                raise translate(error) from error
            except ValueError as error:
                raise _cannot_be_sent(error) from None
            finally:
                if making:
                    making.discard(asyncio.current_task())
        here.reading.add(response)
        return response

    async def read(self, response: Response, here: Here) -> bytes:
        """The whole body, as long as it is within the limit.

        Raises:
            APIConnectionError: the connection broke.
            APIResponseValidationError: the body is too large; the connection is closed.
        """
        blocks: list[bytes] = []
        size = 0
        content = response.content
        try:
            while block := await content.readany():
                blocks.append(block)
                size += len(block)
                if size > self._max_body:
                    response.close()
                    raise APIResponseValidationError(
                        f"the answer is larger than {self._max_body} bytes (max_body_bytes)"
                    )
        except FAILURES as error:
            response.close()
            raise translate(error) from error
        except BaseException:
            response.close()
            raise
        finally:
            here.reading.discard(response)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    async def read_some(self, response: Response) -> bytes:
        """The next bytes of a streamed answer, empty at its end.

        Raises:
            APIConnectionError: the connection broke.
        """
        content: Any = response.content
        try:
            data: bytes = await content.readany()
        except FAILURES as error:
            data = content._read_nowait(-1)  # what had come: the failure is raised before it
            if not data:
                raise translate(error) from error
        return data

    async def drain(self, response: Response) -> None:
        """Read what follows a stream's own end marker, so that the connection can be used again.

        A server that does not close its answer within a moment loses the connection instead.
        """
        if response.content.at_eof():
            return
        alarm = asyncio.get_running_loop().call_later(DRAIN_SECONDS, response.close)
        try:
            while await response.content.readany():
                pass
        except FAILURES:
            response.close()  # nothing is lost: the answer was whole
        except BaseException:
            response.close()
            raise
        finally:
            alarm.cancel()

    def interrupt(self, response: Response, error: BaseException) -> None:
        """Make whoever reads this answer see `error`, and close its connection."""
        interrupt(response, error)

    async def fetch(self, url: str) -> File:
        """The bytes behind a URL of the request.

        Raises:
            ImageFetchError: it cannot be had, or is too large.
        """
        here = self.here()
        try:
            context = True if url.startswith("http:") else self._ssl_context()
            async with here.session.get(url, ssl=context) as response:
                if response.status != 200:
                    raise ImageFetchError(f"{url} answered with status {response.status}")
                return File(await self.read(response, here), response.content_type)
        except (*FAILURES, APIConnectionError, APIResponseValidationError, ValueError) as error:
            raise ImageFetchError(f"{url} could not be fetched: {error}") from error

    async def aclose(self) -> None:
        """Close every session of this transport; the running loop's with all courtesy."""
        here = self._loops.pop(asyncio.get_running_loop(), None)
        if here is not None:
            here.alarms.close()
            await here.keeper.aclose()
        _abandon(self._loops)

    def _arrive(self) -> Here:
        """Open a session on a loop that is new here; loops that are closed are forgotten."""
        loop = asyncio.get_running_loop()
        for closed in [known for known in self._loops if known.is_closed()]:
            _abandon({closed: self._loops.pop(closed)})
        proxied = any(
            os.environ.get(name) or os.environ.get(name.upper()) for name in PROXY_VARIABLES
        )
        connector = Connector(self._max_connections)
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            read_bufsize=READ_BUFFER,
            trust_env=proxied,
        )
        reading: set[Response] = set()
        exchanges = Exchanges(connector, loop)
        keeper = _keep(session, exchanges, reading)
        with contextlib.suppress(StopIteration):
            keeper.__anext__().send(None)  # run to its yield: the loop knows it from now on
        here = Here(session, connector, exchanges, proxied, keeper, Alarms(loop), reading)
        self._loops[loop] = here
        return here

    def _remember(self, url: str) -> URL:
        if len(self._urls) > 10_000:
            self._urls.clear()
        try:
            made = URL(url, encoded=True)
            if not made.host or made.port is None:
                raise ValueError("no host")
        except ValueError:
            raise BadRequestError(
                "api_base is not an address like https://host/path", param="api_base"
            ) from None
        self._urls[url] = made
        return made

    def _ssl_context(self) -> ssl.SSLContext | bool:
        if self._verify is False:
            return False
        if self._ssl is None:
            cafile = self._verify if isinstance(self._verify, str) else None
            self._ssl = ssl.create_default_context(cafile=cafile)
        return self._ssl


def _cannot_be_sent(error: ValueError) -> BadRequestError:
    return BadRequestError(
        f"the request cannot be sent: {error} Look at api_base, api_key and the headers."
    )


def interrupt(response: Response, error: BaseException) -> None:
    """Make whoever reads this answer see `error`, and close its connection."""
    response.content.set_exception(error)
    response.close()


def translate(error: BaseException) -> APIConnectionError:
    """polyroute's exception for one of aiohttp's."""
    if isinstance(error, TimeoutError):
        return Timeout(str(error) or "the connection timed out")
    if isinstance(error, aiohttp.ClientConnectorError):
        what = f"cannot connect to {error.host}:{error.port}: {error.os_error}"
    elif isinstance(error, aiohttp.ServerDisconnectedError):
        what = "the connection was closed without an answer"
    elif isinstance(error, aiohttp.ClientPayloadError):
        what = "the connection broke in the middle of the answer"
    else:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return APIConnectionError(what)


async def _keep(
    session: aiohttp.ClientSession, exchanges: Exchanges, reading: set[Response]
) -> AsyncGenerator[None, None]:
    """Close a session when its loop shuts down its asynchronous generators: this is one."""
    try:
        yield
    finally:
        for response in list(reading):
            interrupt(response, aiohttp.ClientConnectionError("the Router was closed"))
        exchanges.close()
        await session.close()


def _abandon(loops: dict[AbstractEventLoop, Here]) -> None:
    """Let go of sessions without awaiting; running loops close theirs by their keeper."""
    for loop, here in loops.items():
        connector: Any = here.session.connector
        if connector is not None and not loop.is_running():
            here.exchanges.close()
            connector._close()
    loops.clear()
