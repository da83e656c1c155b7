"""A call may be cancelled at any moment: the books are closed and the connection is gone."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError

from .helpers import HI, SOON, Steps, ask, in_flight, path, quiet, read, states

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from polyroute import Router
    from polyroute.testing import FakeClock, Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

LATE = pytest.mark.parametrize("late", [False, True], ids=["waiting", "ready"])
MOST = 200
"""Await points that no call here has as many of."""


async def whole(router: Router, **params: Any) -> Any:
    return await router.acompletion("smart", HI, **params)


async def streamed(router: Router, **params: Any) -> str:
    """A stream, from the call to its end."""
    stream = await router.acompletion("smart", HI, stream=True, **params)
    async with stream:
        return await read(stream)


async def at_every_step(
    call: Callable[[], Awaitable[Any]],
    after: Callable[[], Awaitable[None]],
    *,
    late: bool,
) -> int:
    """Cancel the call at its first await point, at its second and so on, until it gets through.

    Returns the number of await points. `after` checks what is left each time.
    """
    for step in count(1):
        assert step < MOST
        steps = Steps(call(), step, late=late)
        task = asyncio.ensure_future(_await(steps))
        done, _ = await asyncio.wait([task], timeout=3)
        assert done, f"cancelled at step {step}, it goes on"
        if not task.cancelled() and task.exception() is not None:
            assert isinstance(task.exception(), APIError)
        await after()
        if steps.taken < step:
            return steps.taken
    raise AssertionError


async def _await(steps: Steps) -> Any:
    return await steps


async def hedging(fleet: Fleet, call: Any) -> tuple[Router, Upstream, Upstream]:
    """A Router that asks the first deployment first and knows when that takes too long."""
    one, two = await fleet.start("openai", "openai", answer="a b")
    router = await fleet.router({"smart": [one, two]}, hedge=True, disable_cooldowns=True)
    one.latency = 0.004
    for _ in range(25):
        await call(router)
    for _ in range(5):
        await router.acompletion("smart-1", HI)
        await read(await router.acompletion("smart-1", HI, stream=True))
    two.requests.clear()
    return router, one, two


async def books_closed(router: Router, *upstreams: Upstream) -> None:
    """Nothing is in flight, neither in the books nor, soon, at the upstreams."""
    assert in_flight(router) == 0
    await quiet(*upstreams)


class TestEveryStep:
    @LATE
    @pytest.mark.parametrize("call", [whole, streamed])
    @pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])
    async def test_plain(self, fleet: Fleet, call: Any, wire: str, late: bool) -> None:
        """Cancelled at every await point, a call or stream leaves nothing behind."""
        (upstream,) = await fleet.start(wire, answer="a b c", chunk_delay=0.001)
        router = await fleet.router({"smart": [upstream]})
        steps = await at_every_step(
            lambda: call(router), lambda: books_closed(router, upstream), late=late
        )
        assert steps >= 3
        assert states(router) == ["closed"]
        assert router.stats()[0]["failures"] == 0

    @LATE
    async def test_new_connections(self, fleet: Fleet, late: bool) -> None:
        """Cancelled while it connects, a call leaves no connection open."""
        raw = await fleet.raw(hold=True)

        async def fresh() -> None:
            router = await fleet.router({"smart": [raw.deployment("smart")]}, timeout=0.05)
            async with router:
                await whole(router)

        async def closed() -> None:
            async with asyncio.timeout(SOON):
                while raw.open:
                    await asyncio.sleep(0.001)

        await at_every_step(fresh, closed, late=late)

    @LATE
    @pytest.mark.parametrize("call", [whole, streamed])
    async def test_retries_and_fallbacks(self, fleet: Fleet, call: Any, late: bool) -> None:
        """Cancelled anywhere on a way through siblings and fallbacks, all books are closed."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router(
            {"smart": [one, two], "backup": [three]},
            fallbacks=[{"smart": ["backup"]}],
            disable_cooldowns=True,
            num_retries=1,
        )
        one.fail(500, times=None)
        two.cut(times=None, after_chunks=0)
        steps = await at_every_step(
            lambda: call(router), lambda: books_closed(router, one, two, three), late=late
        )
        assert steps >= 5
        assert await call(router)

    @LATE
    @pytest.mark.parametrize("call", [whole, streamed])
    async def test_slots(self, fleet: Fleet, call: Any, late: bool) -> None:
        """Cancelled anywhere, a call with a slot gives it back: the next one has it."""
        (upstream,) = await fleet.start("openai", answer="a b")
        entry = upstream.deployment("smart", max_parallel_requests=1)
        router = await fleet.router({"smart": [entry]})

        async def free() -> None:
            assert (await whole(router, timeout=1)).choices
            await books_closed(router, upstream)

        await at_every_step(lambda: call(router), free, late=late)

    @LATE
    async def test_queue(self, fleet: Fleet, late: bool) -> None:
        """Cancelled in the queue, or as its turn comes, a call takes no slot along."""
        (upstream,) = await fleet.start("openai", latency=0.003)
        entry = upstream.deployment("smart", max_parallel_requests=1)
        router = await fleet.router({"smart": [entry]})

        async def queued() -> None:
            holder = asyncio.ensure_future(whole(router, timeout=2))
            await upstream.until(lambda it: it.in_flight == 1)
            try:
                await whole(router, timeout=2)
            finally:
                await asyncio.wait([holder])

        async def free() -> None:
            async with asyncio.timeout(1):
                while in_flight(router):
                    await asyncio.sleep(0.001)
            assert (await whole(router, timeout=1)).choices

        await at_every_step(queued, free, late=late)

    @LATE
    @pytest.mark.parametrize("call", [whole, streamed])
    async def test_hedged(self, fleet: Fleet, call: Any, late: bool) -> None:
        """Cancelled anywhere, also in the moment in which one of two attempts has won."""
        router, one, two = await hedging(fleet, call)
        one.hang(times=None)
        steps = await at_every_step(
            lambda: call(router), lambda: books_closed(router, one, two), late=late
        )
        assert steps >= 2
        assert len(two.requests) >= 2

    @LATE
    async def test_reserved_quota(self, fleet: Fleet, clock: FakeClock, late: bool) -> None:
        """Cancelled while it waits for its place, a call gives the place to the next one."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream.deployment("smart", rpm=30)]}, clock=clock)
        await asyncio.gather(*(whole(router) for _ in range(30)))
        clock.advance(1.97)  # the next place is 0.03 s away

        async def waits() -> None:
            await whole(router, timeout=3)

        steps = asyncio.ensure_future(_await(Steps(waits(), 1, late=late)))
        await asyncio.wait([steps])
        assert in_flight(router) == 0
        assert (await whole(router, timeout=3)).choices

    @LATE
    async def test_probe(self, fleet: Fleet, clock: FakeClock, late: bool) -> None:
        """A probe that is cancelled anywhere lets another call probe."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, clock=clock, allowed_fails=0)
        for step in range(1, 20):
            one.fail(500)
            while states(router)[0] == "closed":
                await whole(router)
            clock.advance(11)
            steps = Steps(whole(router), step, late=late)
            task = asyncio.ensure_future(_await(steps))
            await asyncio.wait([task])
            one.heal()
            await books_closed(router, one, two)
            if states(router)[0] != "closed":  # cancelled before it was answered
                assert path(await whole(router))[0] == ("smart-0", "probe")
            assert states(router)[0] == "closed"
            if steps.taken < step:
                break


class TestLoopSteps:
    """Cancelled after so many turns of the loop, whatever tasks run in them."""

    @pytest.mark.parametrize("call", [whole, streamed])
    async def test_hanging_upstream(self, fleet: Fleet, call: Any) -> None:
        """Cancelled after any number of turns, a call lets its connection go."""
        (upstream,) = await fleet.start("openai", answer="a b c")
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(times=None, after_chunks=1)
        for turns in range(40):
            task = asyncio.ensure_future(call(router))
            await _turn(turns)
            task.cancel()
            await asyncio.wait([task])
            assert in_flight(router) == 0
            await quiet(upstream)
        await asyncio.sleep(0.01)
        await quiet(upstream)
        assert {received.outcome for received in upstream.requests} <= {"abandoned"}

    @pytest.mark.parametrize("call", [whole, streamed])
    async def test_hedged(self, fleet: Fleet, call: Any) -> None:
        """Cancelled any number of turns after it was hedged, a call lets both attempts go."""
        router, one, two = await hedging(fleet, call)
        one.hang(times=None)
        two.latency = 0.003
        for turns in range(10):
            task = asyncio.ensure_future(call(router, timeout=1))
            asked = len(two.requests)
            async with asyncio.timeout(1):
                await two.until(lambda it, asked=asked: len(it.requests) > asked)
            await _turn(turns)
            task.cancel()
            await asyncio.wait([task])
            assert in_flight(router) == 0
            await quiet(one, two)

    async def test_many_at_once(self, fleet: Fleet) -> None:
        """50 callers who all go away at one instant, queued ones too, leave nothing behind."""
        one, two = await fleet.start("openai", "openai")
        entries = [it.deployment("smart", max_parallel_requests=7) for it in (one, two)]
        for turns in (1, 3, 7, 20, 50):
            router = await fleet.router({"smart": entries})
            one.hang(times=None)
            two.hang(times=None)
            tasks = [asyncio.ensure_future(ask(router)) for _ in range(50)]
            await _turn(turns)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert in_flight(router) == 0
            await quiet(one, two)
            one.heal()
            two.heal()
            assert len(await asyncio.gather(*(ask(router) for _ in range(30)))) == 30


class TestConnections:
    async def test_closed_at_once(self, fleet: Fleet) -> None:
        """The upstream sees the connection of a cancelled call closed within 100 ms."""
        raw = await fleet.raw(hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        task = asyncio.ensure_future(ask(router))
        while not raw.heads:
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(SOON):
            while raw.open:
                await asyncio.sleep(0.001)

    async def test_abandoned_stream_is_closed_at_once(self, fleet: Fleet) -> None:
        """So it does for a stream whose reader is cancelled between two chunks."""
        chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "x"}}]}\n\n'
        head = fleet.http(content_type="text/event-stream")
        raw = await fleet.raw(head, chunk, hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]})

        task = asyncio.ensure_future(streamed(router))
        while not raw.heads:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(SOON):
            while raw.open:
                await asyncio.sleep(0.001)
        assert in_flight(router) == 0

    async def test_others_are_not_disturbed(self, fleet: Fleet) -> None:
        """Cancelling one call does nothing to its neighbours on the same deployment."""
        (upstream,) = await fleet.start("openai", latency=0.02)
        router = await fleet.router({"smart": [upstream]})
        tasks = [asyncio.ensure_future(ask(router)) for _ in range(20)]
        await upstream.until(lambda it: it.in_flight == 20)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [True, False] * 10


async def _turn(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
