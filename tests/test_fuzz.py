"""Cancellation at every point, failures under load: the books stay even, nobody waits for ever."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from conftest import Fleet

    from polyroute import Router
    from polyroute.testing import FakeClock, Upstream

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]


class CancelledAt:
    """Runs a coroutine whose task is cancelled at its n-th suspension.

    Either while it waits, or, with `woken`, when what it waited for has just come.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], at: int, *, woken: bool) -> None:
        self.coroutine = coroutine
        self.left = at
        self.woken = woken

    def __await__(self) -> Generator[Any, Any, Any]:
        try:
            awaited = self.coroutine.send(None)
            while True:
                self.suspended(awaited)
                try:
                    yield awaited
                except BaseException as error:  # noqa: BLE001  handed on
                    awaited = self.coroutine.throw(error)
                else:
                    awaited = self.coroutine.send(None)
        except StopIteration as stop:
            return stop.value

    def suspended(self, awaited: Any) -> None:
        """Count a suspension; cancel when it is the one."""
        self.left -= 1
        if self.left:
            return
        task = asyncio.current_task()
        if self.woken and awaited is not None:
            awaited.add_done_callback(lambda _: task.cancel())
            awaited._asyncio_future_blocking = True
        else:
            task.cancel()


async def read(router: Router, **params: Any) -> str:
    """A whole answer's text, streamed."""
    stream = await router.acompletion("smart", HI, stream=True, **params)
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def whole(router: Router, **params: Any) -> str:
    """A whole answer's text."""
    return (await router.acompletion("smart", HI, **params)).choices[0].message.content


async def cancelled(coroutine: Coroutine[Any, Any, str], at: int, *, woken: bool) -> bool:
    """Whether the cancellation came before the coroutine's end; if not, it must have ended well."""

    async def run() -> str:
        return await CancelledAt(coroutine, at, woken=woken)

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    if not task.cancelled():
        assert task.result() == "one two three"
    return task.cancelled()


async def even(router: Router, *upstreams: Upstream) -> None:
    """Within 100 ms every slot, probe flag and connection in use has been given back."""
    async with asyncio.timeout(0.1):
        for upstream in upstreams:
            await upstream.until(lambda it: it.in_flight == 0)
    assert [row["in_flight"] for row in router.stats()] == [0] * len(router.stats())
    assert not any(d.circuit.probing for d in router._aliases.deployments.values())


@pytest.mark.parametrize("woken", [False, True])
@pytest.mark.parametrize("call", [whole, read])
@pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])
async def test_cancelled_at_every_point(fleet: Fleet, wire: str, call: Any, woken: bool) -> None:
    """A call cancelled wherever it waits, over a retry and a fallback, leaves nothing behind."""
    upstreams = await fleet.start(wire, wire, answer="one two three", chunk_delay=0.001)
    first, second = upstreams
    router = await fleet.router(
        {"smart": [first], "backup": [second]},
        fallbacks=[{"smart": ["backup"]}],
        num_retries=1,
        disable_cooldowns=True,
    )
    at, reached = 1, True
    while reached:
        first.heal()
        first.fail(500)
        first.cut(after_chunks=0)
        reached = await cancelled(call(router), at, woken=woken)
        await even(router, *upstreams)
        at += 1
    assert at > 8


@pytest.mark.parametrize("woken", [False, True])
@pytest.mark.parametrize("call", [whole, read])
async def test_cancelled_probe(fleet: Fleet, clock: FakeClock, call: Any, woken: bool) -> None:
    """A probe cancelled wherever it waits lets the next call probe."""
    (upstream,) = await fleet.start("openai", answer="one two three")
    router = await fleet.router({"smart": [upstream]}, allowed_fails=0, num_retries=0, clock=clock)
    at, reached = 1, True
    while reached:
        upstream.fail(500)
        with pytest.raises(APIError):
            await whole(router)
        clock.advance(20)
        reached = await cancelled(call(router), at, woken=woken)
        await even(router, upstream)
        assert (await router.acompletion("smart", HI)).route.attempts[0].reason in (
            "probe",
            "first",
        )
        assert router.stats()[0]["state"] == "closed"
        at += 1
    assert at >= 3


async def test_random_faults(fleet: Fleet) -> None:
    """Fifty callers at once, every kind of fault: answers or typed errors, and even books."""
    chance = random.Random(7)
    upstreams = await fleet.start("openai", "anthropic", "gemini", answer="one two three")
    router = await fleet.router({"smart": upstreams}, rng=random.Random(1), num_retries=3)
    for upstream in upstreams:
        for _ in range(25):
            match chance.randrange(5):
                case 0:
                    upstream.fail(chance.choice([400, 401, 429, 500, 503, 529]))
                case 1:
                    upstream.fail(500, after_chunks=chance.randrange(3))
                case 2:
                    upstream.drop()
                case 3:
                    upstream.cut(after_chunks=chance.randrange(3))
                case 4:
                    upstream.hang(after_chunks=chance.choice([None, 0, 1]))
    calls = [
        chance.choice([whole, read])(router, timeout=0.5, stream_idle_timeout=0.1)
        for _ in range(100)
    ]
    for half in (calls[:50], calls[50:]):
        ended = await asyncio.gather(*half, return_exceptions=True)
        assert all(it == "one two three" or isinstance(it, APIError) for it in ended)
    await even(router, *upstreams)


async def test_kill_and_revive_under_load(fleet: Fleet) -> None:
    """Upstreams die and come back in the middle of 1,000 calls and streams: no caller notices."""
    upstreams = await fleet.start("openai", "anthropic", "gemini", answer="Hello")
    router = await fleet.router({"smart": upstreams}, rng=random.Random(3), cooldown_time=0.02)
    numbers = iter(range(1000))

    async def caller() -> None:
        for number in numbers:
            upstream = upstreams[number // 300 % 3]
            if number % 300 == 100:
                upstream.kill()
            elif number % 300 == 250:
                upstream.revive()
            assert await (read if number % 2 else whole)(router) == "Hello"

    async with asyncio.TaskGroup() as group:
        for _ in range(48):
            group.create_task(caller())
    await even(router, *upstreams)
    assert all(len(upstream.requests) > 50 for upstream in upstreams)
