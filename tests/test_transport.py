"""The one place with sockets: what can go wrong with one, and that none is left behind."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIConnectionError, APIError, APIResponseValidationError, Router, Timeout
from polyroute.testing import Upstream

if TYPE_CHECKING:
    from conftest import Fleet

HI = [{"role": "user", "content": "Hi"}]
BODY = json.dumps(
    {
        "id": "x",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello!"}}],
    }
).encode()


async def ask(router: Router, **params: Any) -> Any:
    return await router.acompletion("smart", HI, **params)


async def failure(router: Router, **params: Any) -> APIError:
    """The error that a call ends in."""
    with pytest.raises(APIError) as caught:
        await ask(router, **params)
    return caught.value


async def quiet(raw: Any) -> bool:
    """Whether every connection to the server ends within 100 ms."""
    async with asyncio.timeout(0.1):
        while raw.open:
            await asyncio.sleep(0.001)
    return True


@pytest.mark.anyio
@pytest.mark.usefixtures("way")
class TestTrouble:
    async def test_refused(self, fleet: Fleet) -> None:
        """A refused connection is an APIConnectionError that names the address."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.kill()
        error = await failure(router)
        assert type(error) is APIConnectionError
        assert "127.0.0.1" in error.message

    @pytest.mark.parametrize("base", ["http://[::1/v1", "http://host:port/v1", "not an address"])
    async def test_no_address(self, fleet: Fleet, base: str) -> None:
        """What is no address is told as such, when a deployment is made or at the latest called."""
        params = {"model": "openai/x", "api_base": base, "api_key": "k"}
        entry = {"model_name": "smart", "litellm_params": params}
        router = await fleet.router({"smart": [entry]}, num_retries=0)
        error = await failure(router)
        assert (type(error).__name__, error.param) == ("BadRequestError", "api_base")

    async def test_dropped(self, fleet: Fleet) -> None:
        """A connection closed instead of an answer is a connection error."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.drop()
        assert "closed without an answer" in (await failure(router)).message

    async def test_reset_in_the_body(self, fleet: Fleet) -> None:
        """An answer cut in its middle is a connection error, not half an answer."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.cut()
        assert "in the middle of the answer" in (await failure(router)).message

    async def test_slow_headers(self, fleet: Fleet) -> None:
        """Headers that come in drops are bounded by the deadline."""
        raw = await fleet.raw(b"HTTP/1.1 200 OK\r\nX-", hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        assert isinstance(await failure(router, timeout=0.05), Timeout)
        assert await quiet(raw)

    @pytest.mark.parametrize(
        "garbage", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x00" * 64, b"HTTP/1.1 x\r\n\r\n"]
    )
    async def test_not_http(self, fleet: Fleet, garbage: bytes) -> None:
        """Something that does not speak HTTP is a connection error."""
        raw = await fleet.raw(garbage)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        assert isinstance(await failure(router), APIConnectionError)

    async def test_body_too_large(self, fleet: Fleet) -> None:
        """An answer beyond max_body_bytes is refused while it comes, and hung up on."""
        raw = await fleet.raw(fleet.http(), *[b"x" * 10_000] * 50, hold=True)
        router = await fleet.router(
            {"smart": [raw.deployment("smart")]}, num_retries=0, max_body_bytes=100_000
        )
        error = await failure(router)
        assert isinstance(error, APIResponseValidationError)
        assert "larger than 100000 bytes" in error.message
        assert await quiet(raw)

    async def test_event_too_large(self, fleet: Fleet) -> None:
        """One endless event of a stream is refused, too."""
        head = fleet.http(Content_Type="text/event-stream")
        raw = await fleet.raw(head + b"data: ", *[b"x" * 2**20] * 40, hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        error = await failure(router, stream=True)
        assert isinstance(error, APIResponseValidationError)
        assert "larger than" in error.message
        assert await quiet(raw)

    async def test_compressed(self, fleet: Fleet) -> None:
        """A compressed answer is read like a plain one."""
        raw = await fleet.raw(fleet.http(gzip.compress(BODY), Content_Encoding="gzip"))
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        assert (await ask(router)).choices[0].message.content == "Hello!"

    async def test_compressed_bomb(self, fleet: Fleet) -> None:
        """The limit counts what comes out of a compressed answer."""
        bomb = gzip.compress(b" " * 10_000_000)
        raw = await fleet.raw(fleet.http(bomb, Content_Encoding="gzip"))
        router = await fleet.router(
            {"smart": [raw.deployment("smart")]}, num_retries=0, max_body_bytes=1_000_000
        )
        assert "larger than" in (await failure(router)).message

    async def test_broken_compression(self, fleet: Fleet) -> None:
        """An answer that says gzip and is none is a typed error."""
        raw = await fleet.raw(fleet.http(b"not gzip at all", Content_Encoding="gzip"))
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        await failure(router)
        assert await quiet(raw)

    async def test_redirect_is_refused(self, fleet: Fleet) -> None:
        """A redirect is not followed: it would carry the key to another host."""
        (elsewhere,) = await fleet.start("openai")
        target = f"{elsewhere.base_url}/chat/completions"
        raw = await fleet.raw(fleet.http(status="307 Temporary Redirect", Location=target))
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        assert (await failure(router)).status_code == 307
        assert elsewhere.requests == []

    @pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
    async def test_empty_answer(self, fleet: Fleet, status: str) -> None:
        """Success without a body is no answer."""
        raw = await fleet.raw(fleet.http(status=status, Content_Length="0"))
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        assert isinstance(await failure(router), APIResponseValidationError)

    async def test_close_while_calls_run(self, fleet: Fleet) -> None:
        """Closing the Router under running calls ends them in typed errors, at once."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.hang(times=None)
        calls = [asyncio.create_task(failure(router)) for _ in range(5)]
        await upstream.until(lambda it: it.in_flight == 5)
        await router.aclose()
        assert all(isinstance(error, APIConnectionError) for error in await asyncio.gather(*calls))
        assert router.stats()[0]["in_flight"] == 0

    async def test_close_while_bodies_are_read(self, fleet: Fleet) -> None:
        """A Router closed when half an answer is there does not leave its reader waiting."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.hang(after_chunks=1)
        call = asyncio.create_task(failure(router))
        await upstream.until(lambda it: it.in_flight == 1)
        await asyncio.sleep(0.02)
        await router.aclose()
        async with asyncio.timeout(1):
            assert isinstance(await call, APIConnectionError)


@pytest.mark.anyio
@pytest.mark.usefixtures("way")
class TestConnections:
    async def test_one_connection_for_calls_in_turn(self, fleet: Fleet) -> None:
        """Calls one after the other share a connection, also behind errors and streams."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        await ask(router)
        upstream.fail(400)
        await failure(router)
        _ = [chunk async for chunk in await ask(router, stream=True)]
        await ask(router)
        assert len(upstream._server._http.connections) == 1

    async def test_closing_and_using_again(self, fleet: Fleet) -> None:
        """A closed Router has no connection left, and opens new ones if it is used again."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        await ask(router)
        await router.aclose()
        await router.aclose()
        await asyncio.sleep(0.01)
        assert len(upstream._server._http.connections) == 0
        assert (await ask(router)).choices[0].message.content == "Hello!"

    async def test_stale_connection_is_no_callers_problem(self, fleet: Fleet) -> None:
        """A kept connection that the server closed meanwhile costs at most an inner retry."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        await ask(router)
        upstream.kill()
        upstream.revive()
        await ask(router)

    async def test_limit_of_connections_waits(self, fleet: Fleet) -> None:
        """Beyond max_connections requests wait for each other and are all answered."""
        (upstream,) = await fleet.start("openai", latency=0.005)
        router = await fleet.router({"smart": [upstream]}, max_connections=2)
        assert len(await asyncio.gather(*(ask(router) for _ in range(10)))) == 10
        assert upstream.most_in_flight == 2


class TestLoops:
    def test_several_loops_one_after_the_other(self) -> None:
        """One Router serves loop after loop, closed in between or not."""
        with Upstream("openai") as upstream:
            router = Router(model_list=[upstream.deployment("smart")])
            for _ in range(3):
                answer = asyncio.run(ask(router))
                assert answer.choices[0].message.content == "Hello!"
            assert len(router._engine.transport._loops) == 1

    def test_each_loop_has_a_session(self) -> None:
        """Loops that run at the same time never share a session."""
        with Upstream("openai") as upstream:
            router = Router(model_list=[upstream.deployment("smart")])
            router.completion("smart", HI)
            asyncio.run(self._ask_and_close(router))
            assert router.completion("smart", HI).choices

    async def _ask_and_close(self, router: Router) -> None:
        await ask(router)
        assert len(router._engine.transport._loops) == 2
        await router.aclose()

    def test_stream_outlives_its_loop(self) -> None:
        """A stream left open when its loop ends holds nothing afterwards."""
        with Upstream("openai", answer="a b c") as upstream:
            router = Router(model_list=[upstream.deployment("smart")])
            stream = asyncio.run(ask(router, stream=True))
            del stream
            assert router.stats()[0]["in_flight"] == 0


def run(script: str) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, in which every warning is an error."""
    return subprocess.run(  # noqa: S603  our own interpreter, our own script
        [sys.executable, "-X", "dev", "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


USE = """
import aiohttp, pydantic  # loaded at first use: not while the debug loop watches for slow steps
import asyncio, logging, threading
# how long a step takes on a slow machine is no warning of ours
logging.getLogger("asyncio").addFilter(lambda record: "Executing" not in record.getMessage())
from polyroute import Router
from polyroute.testing import Upstream
HI = [{"role": "user", "content": "Hi"}]

def make(upstream):
    return Router(model_list=[upstream.deployment("smart")])

async def ask(router, **params):
    return await router.acompletion("smart", HI, **params)
"""

WAYS = {
    "closed": "async def main(upstream):\n"
    "    async with make(upstream) as router: await ask(router)\n"
    "with Upstream() as upstream: asyncio.run(main(upstream))",
    "never closed": "async def main(upstream): await ask(make(upstream))\n"
    "with Upstream() as upstream: asyncio.run(main(upstream))",
    "kept by the module": "upstream = Upstream(); upstream.__enter__()\n"
    "router = make(upstream)\nasyncio.run(ask(router))",
    "synchronous": "with Upstream() as upstream: make(upstream).completion('smart', HI)",
    "synchronous, kept": "upstream = Upstream(); upstream.__enter__()\n"
    "router = make(upstream)\nrouter.completion('smart', HI)\n"
    "stream = router.completion('smart', HI, stream=True)\nnext(stream)",
    "stream left open": "async def main(upstream):\n"
    "    stream = await ask(make(upstream), stream=True)\n"
    "    async for chunk in stream: break\n"
    "with Upstream(answer='a b c', chunk_delay=0.1) as upstream: asyncio.run(main(upstream))",
    "stream never read": "kept = []\nasync def main(upstream):\n"
    "    kept.append(await ask(make(upstream), stream=True))\n"
    "with Upstream(answer='a b c', chunk_delay=0.1) as upstream: asyncio.run(main(upstream))",
    "a loop of one's own": "with Upstream() as upstream:\n"
    "    loop = asyncio.new_event_loop()\n    router = make(upstream)\n"
    "    loop.run_until_complete(ask(router))\n    del router\n"
    "    loop.run_until_complete(loop.shutdown_asyncgens())\n    loop.close()",
    "call cut by the end": "async def main(upstream):\n"
    "    router = make(upstream)\n    task = asyncio.create_task(ask(router))\n"
    "    await asyncio.sleep(0.05)\n"
    "with Upstream(latency=5) as upstream: asyncio.run(main(upstream))",
}


FORKED = """
import os, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # the process has threads: that is the point
with Upstream() as upstream:
    router = make(upstream)
    router.completion("smart", HI)
    child = os.fork()
    if not child:
        os._exit(0 if router.completion("smart", HI, timeout=5).choices else 1)
    for _ in range(100):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        __import__("time").sleep(0.02)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        status = "it hangs"
assert status == 0, status
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_synchronous_calls_after_a_fork() -> None:
    """A process forked after the first synchronous call (gunicorn's preload) can call, too."""
    done = run(USE + FORKED)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("way", WAYS)
def test_process_ends_in_silence(way: str) -> None:
    """However a process used and left a Router, it ends without a warning and without hanging."""
    done = run(USE + WAYS[way])
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_happens_at_import() -> None:
    """Importing and building a Router starts no thread and opens no socket."""
    done = run(
        "import socket, threading\n"
        "opened = []\n"
        "class Watched(socket.socket):\n"
        "    def __init__(self, *a, **k): opened.append(a); super().__init__(*a, **k)\n"
        "socket.socket = Watched\n"
        "import polyroute, polyroute.router, polyroute.testing\n"
        "params = {'model': 'openai/x', 'api_key': 'k'}\n"
        "polyroute.Router(model_list=[{'model_name': 'a', 'litellm_params': params}])\n"
        "assert not opened and threading.active_count() == 1, (opened, threading.enumerate())\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
