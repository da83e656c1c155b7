"""What most tests need: loopback upstreams, Routers over them, time and chance under control."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import pytest

from polyroute import Router, model_cost
from polyroute.testing import FakeClock, Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator


class FirstChoice(random.Random):
    """Chance that always takes the first, and waits 0 seconds where it may draw a wait.

    `ceilings` remembers how long each of these waits could have been.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.ceilings: list[float] = []

    def random(self) -> float:
        return 0.0

    def uniform(self, low: float, high: float) -> float:
        self.ceilings.append(high)
        return low


class RawServer:
    """A TCP server that sends prepared bytes to every request, and knows who is connected.

    With `hold` the connection stays open after the last piece until the client closes it.
    """

    def __init__(self, pieces: tuple[bytes, ...], *, hold: bool) -> None:
        self.pieces = pieces
        self.hold = hold
        self.heads: list[bytes] = []
        self.open = 0
        self.base_url = ""

    def deployment(self, alias: str, **params: Any) -> dict[str, Any]:
        """An entry for `model_list` that leads here, in OpenAI's format."""
        reach = {"model": "openai/raw", "api_base": self.base_url, "api_key": "raw-key"}
        return {"model_name": alias, "litellm_params": {**reach, **params}}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, send the pieces."""
        self.open += 1
        try:
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            for piece in self.pieces:
                writer.write(piece)
                await asyncio.sleep(0.002)
            while self.hold and await reader.read(2**16):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        while self.open:
            await asyncio.sleep(0.001)


class Fleet:
    """Upstreams on the loopback and Routers over them, all of which end with the test."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.chance = FirstChoice()

    async def start(self, *formats: str, **settings: Any) -> list[Upstream]:
        """One upstream for each wire format."""
        upstreams = [Upstream(format, **settings) for format in formats]
        return [await self._stack.enter_async_context(upstream) for upstream in upstreams]

    async def raw(self, *pieces: bytes, hold: bool = False) -> RawServer:
        """A server that sends these bytes, whatever it is asked."""
        return await self._stack.enter_async_context(RawServer(pieces, hold=hold))

    @staticmethod
    def http(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
        """An HTTP answer that ends with its connection, unless headers say otherwise."""
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode() + body

    async def router(self, groups: dict[str, Any], **settings: Any) -> Router:
        """A Router whose deployments are called ``alias-0``, ``alias-1`` and so on.

        A group is a list of upstreams or of entries for `model_list`. Choices fall on the first
        deployment and back-offs last no time unless another strategy or `rng` is given.
        """
        entries = [
            member.deployment(alias, id=f"{alias}-{number}")
            if isinstance(member, Upstream)
            else member
            for alias, members in groups.items()
            for number, member in enumerate(members)
        ]
        usual = {"rng": self.chance, "routing_strategy": "simple-shuffle"}
        router = Router(model_list=entries, **{**usual, **settings})
        return await self._stack.enter_async_context(router)


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    """Seconds that pass when the test says so."""
    return FakeClock()


@pytest.fixture
def chance() -> FirstChoice:
    """A generator that always takes the first."""
    return FirstChoice()


@pytest.fixture
async def fleet() -> AsyncGenerator[Fleet, None]:
    """Starts upstreams and Routers and ends them after the test."""
    async with AsyncExitStack() as stack:
        yield Fleet(stack)


@pytest.fixture
def catalogue() -> Iterator[None]:
    """Forget afterwards what a test has registered."""
    before = dict(model_cost._registered)
    yield
    model_cost._registered.clear()
    model_cost._registered.update(before)
    model_cost.find.cache_clear()


@pytest.fixture(params=["own", "session"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The two ways of a request: our own, and aiohttp's session's, which knows of proxies."""
    if request.param == "session":
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    way: str = request.param
    return way
