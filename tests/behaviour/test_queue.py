"""Waiting for a slot: who goes first, for how long, and what comes instead."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import NotFoundError, Timeout

from .helpers import ask, failure, in_flight, outcomes, path, timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polyroute import Router
    from polyroute.testing import FakeClock, Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio


class Counter:
    """One deployment with one slot, which is taken until it is released."""

    def __init__(self, router: Router, upstream: Upstream) -> None:
        self.router = router
        self.upstream = upstream
        self.tasks: list[asyncio.Task[Any]] = []

    async def take(self) -> None:
        self.upstream.hang()
        self.holder = asyncio.create_task(ask(self.router, user="holder"))
        await self.upstream.until(lambda it: it.in_flight == 1)

    async def line_up(self, user: str, **params: Any) -> asyncio.Task[Any]:
        """One more who waits."""
        task = asyncio.create_task(ask(self.router, user=user, **params))
        self.tasks.append(task)
        for _ in range(5):
            await asyncio.sleep(0)
        return task

    async def served(self) -> Sequence[str]:
        """Let the holder go; the order in which the others are served."""
        self.holder.cancel()
        await asyncio.gather(self.holder, *self.tasks, return_exceptions=True)
        return [received.body["user"] for received in self.upstream.requests[1:]]


async def counter(fleet: Fleet, **settings: Any) -> Counter:
    (upstream,) = await fleet.start("openai")
    entry = upstream.deployment("smart", id="only", max_parallel_requests=1)
    made = Counter(await fleet.router({"smart": [entry]}, **settings), upstream)
    await made.take()
    return made


async def test_first_come_first_served(fleet: Fleet) -> None:
    """Among equals, who came first goes first."""
    line = await counter(fleet)
    for user in "abcdef":
        await line.line_up(user)
    assert "".join(await line.served()) == "abcdef"


async def test_urgent_ones_first(fleet: Fleet) -> None:
    """A lower priority goes before everybody who is less urgent, whenever it came."""
    line = await counter(fleet)
    for user, priority in (("c", 5), ("b", 1), ("d", 9), ("a", 0)):
        await line.line_up(user, priority=priority)
    assert "".join(await line.served()) == "abcd"


async def test_urgent_under_load(fleet: Fleet) -> None:
    """However long the line is, an urgent call has the next free slot."""
    (upstream,) = await fleet.start("openai", latency=0.01)
    router = await fleet.router({"smart": [upstream.deployment("smart", max_parallel_requests=2)]})
    line = [asyncio.ensure_future(ask(router, priority=5)) for _ in range(150)]
    await asyncio.sleep(0.03)
    _, seconds = await timed(ask(router, priority=0))
    assert seconds < 0.1
    for call in line:
        call.cancel()
    await asyncio.wait(line)
    assert in_flight(router) == 0


async def test_default_priority(fleet: Fleet) -> None:
    """Calls that say nothing have the Router's default priority."""
    line = await counter(fleet, default_priority=3)
    for user, said in (("c", {"priority": 4}), ("b", {}), ("a", {"priority": 2})):
        await line.line_up(user, **said)
    assert "".join(await line.served()) == "abc"


async def test_waiting_makes_urgent(fleet: Fleet, clock: FakeClock) -> None:
    """Nobody waits for ever: who has waited long goes before a newcomer of higher priority."""
    line = await counter(fleet, clock=clock, timeout=100_000)
    await line.line_up("patient", priority=3)
    clock.advance(3600)
    await line.line_up("newcomer", priority=0)
    assert list(await line.served()) == ["patient", "newcomer"]


async def test_newcomers_do_not_jump_in(fleet: Fleet) -> None:
    """A slot that becomes free belongs to who waits, not to who calls at that moment."""
    line = await counter(fleet)
    await line.line_up("waiting")
    line.holder.cancel()
    late = asyncio.create_task(ask(line.router, user="late"))
    await asyncio.wait([line.holder, late, *line.tasks])
    assert [it.body["user"] for it in line.upstream.requests[1:]] == ["waiting", "late"]


async def test_deadline_holds_in_the_queue(fleet: Fleet) -> None:
    """Who waits in vain is told when the caller's time is over, not later."""
    line = await counter(fleet)
    error, seconds = await timed(ask(line.router, timeout=0.1))
    assert isinstance(error, Timeout)
    assert 0.09 < seconds < 0.15
    assert in_flight(line.router) == 1
    line.holder.cancel()
    await asyncio.wait([line.holder])


async def test_those_who_gave_up_are_passed_over(fleet: Fleet) -> None:
    """Cancelled and timed-out callers leave no hole in the queue."""
    line = await counter(fleet)
    gone = await line.line_up("gone")
    await line.line_up("late", timeout=0.02)
    await line.line_up("there")
    gone.cancel()
    await asyncio.sleep(0.03)
    assert list(await line.served()) == ["there"]


async def test_fallback_after_a_second(fleet: Fleet) -> None:
    """With a fallback group nobody waits for a slot longer than a second."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router(
        {"smart": [one.deployment("smart", max_parallel_requests=1)], "backup": [two]},
        fallbacks=[{"smart": ["backup"]}],
    )
    one.hang(times=None)
    holder = asyncio.create_task(ask(router))
    await one.until(lambda it: it.in_flight == 1)
    answer, seconds = await timed(ask(router))
    assert path(answer) == [("backup-0", "fallback")]
    assert seconds < 1.1
    holder.cancel()
    await asyncio.wait([holder])


async def test_queued_time_is_on_the_route(fleet: Fleet) -> None:
    """`queued` says how long a call stood in line."""
    line = await counter(fleet)
    waiting = await line.line_up("a")
    await asyncio.sleep(0.05)
    line.holder.cancel()
    answer = await waiting
    assert answer.route.attempts[0].queued == pytest.approx(0.05, abs=0.03)
    await asyncio.wait([line.holder])


async def test_slot_of_a_newcomer_deployment(fleet: Fleet) -> None:
    """A deployment that is added while calls wait takes them over."""
    line = await counter(fleet)
    waiting = await line.line_up("a")
    (other,) = await fleet.start("openai")
    line.router.add_deployment(other.deployment("smart", id="new"))
    async with asyncio.timeout(0.5):
        assert (await waiting).route.served_by == "new"
    line.holder.cancel()
    await asyncio.wait([line.holder])


async def test_whose_deployment_is_removed(fleet: Fleet) -> None:
    """Who waits for a deployment that is removed is served by what is left, or told at once."""
    line = await counter(fleet)
    (other,) = await fleet.start("openai")
    line.router.add_deployment(other.deployment("smart", id="new", max_parallel_requests=1))
    other.hang()
    second = asyncio.create_task(ask(line.router))
    await other.until(lambda it: it.in_flight == 1)
    waiting = await line.line_up("a")
    line.router.remove_deployment("only")
    second.cancel()
    async with asyncio.timeout(0.5):
        assert (await waiting).route.served_by == "new"
    line.holder.cancel()
    await asyncio.wait([line.holder, second])


async def test_whose_last_deployment_is_removed(fleet: Fleet) -> None:
    """Who waits for a group that no longer exists is told at once."""
    line = await counter(fleet)
    waiting = await line.line_up("a")
    line.router.remove_deployment("only")
    ended, seconds = await timed(asyncio.wait_for(waiting, 1))
    assert isinstance(ended, NotFoundError)
    assert seconds < 0.1
    line.holder.cancel()
    await asyncio.wait([line.holder])


async def test_end_of_a_rest_serves_the_queue(fleet: Fleet, clock: FakeClock) -> None:
    """While calls wait for a slot, a deployment whose rest is over is probed all the same."""
    one, two = await fleet.start("openai", "openai")
    entries = [
        one.deployment("smart", id="full", max_parallel_requests=1),
        two.deployment("smart", id="back"),
    ]
    router = await fleet.router({"smart": entries}, clock=clock, allowed_fails=0, num_retries=0)
    two.fail(500)
    await failure(router, "back")
    one.hang()
    holder = asyncio.create_task(ask(router))
    await one.until(lambda it: it.in_flight == 1)
    waiting = asyncio.create_task(ask(router))
    await asyncio.sleep(0.01)
    clock.advance(6)
    async with asyncio.timeout(0.5):
        answers = [await ask(router), await waiting]
    assert {answer.route.served_by for answer in answers} == {"back"}
    holder.cancel()
    await asyncio.wait([holder])


async def test_who_waits_for_one_that_begins_to_rest(fleet: Fleet) -> None:
    """When the only deployment begins to rest, those who wait for its slot ask it all the same."""
    (upstream,) = await fleet.start("openai")
    entry = upstream.deployment("smart", max_parallel_requests=2)
    router = await fleet.router({"smart": [entry]}, allowed_fails=0, num_retries=0)
    upstream.latency = 0.01
    upstream.fail(500, times=2)
    ended = await outcomes(*(ask(router, timeout=5) for _ in range(20)))
    assert ended == {"ok": 18, "InternalServerError": 2}
    assert upstream.most_in_flight == 2


async def test_who_waits_falls_back_from_one_that_begins_to_rest(fleet: Fleet) -> None:
    """When the deployment of a slot begins to rest, those in line go on to their fallback."""
    one, two = await fleet.start("openai", "openai")
    entry = one.deployment("smart", max_parallel_requests=1)
    router = await fleet.router(
        {"smart": [entry], "backup": [two]}, fallbacks=[{"smart": ["backup"]}], num_retries=0
    )
    one.latency = 0.02
    one.fail(401, times=None)
    (answers, seconds) = await timed(asyncio.gather(*(ask(router) for _ in range(5))))
    assert {answer.route.served_by for answer in answers} == {"backup-0"}
    assert len(one.requests) == 1
    assert seconds < 0.3


class TestUnlikeCallers:
    """Callers who can be served by different deployments of one group."""

    @staticmethod
    async def tagged(fleet: Fleet, **params: Any) -> tuple[Router, Upstream, Upstream, Any]:
        """Two deployments with a slot and a tag each, the first of them taken."""
        one, two = await fleet.start("openai", "openai")
        entries = [
            it.deployment("smart", id=tag, tags=[tag], max_parallel_requests=1, **params)
            for it, tag in ((one, "a"), (two, "b"))
        ]
        router = await fleet.router({"smart": entries})
        one.hang()
        holder = asyncio.create_task(ask(router, tags=["a"]))
        await one.until(lambda it: it.in_flight == 1)
        return router, one, two, holder

    async def test_newcomer_is_not_held_up(self, fleet: Fleet) -> None:
        """Who can go to an idle deployment is not held up by those who wait for another."""
        router, _, _, holder = await self.tagged(fleet)
        waiting = asyncio.create_task(ask(router, tags=["a"]))
        await asyncio.sleep(0.005)
        async with asyncio.timeout(0.5):
            assert (await ask(router, tags=["b"])).route.served_by == "b"
        assert not waiting.done()
        holder.cancel()
        assert (await waiting).route.served_by == "a"
        await asyncio.wait([holder])

    async def test_those_behind_are_not_held_up(self, fleet: Fleet) -> None:
        """A slot that the first in line cannot use goes to the next who can."""
        router, _, two, holder = await self.tagged(fleet)
        two.hang()
        other = asyncio.create_task(ask(router, tags=["b"]))
        await two.until(lambda it: it.in_flight == 1)
        first = asyncio.create_task(ask(router, tags=["a"]))
        await asyncio.sleep(0.005)
        second = asyncio.create_task(ask(router, tags=["b"]))
        await asyncio.sleep(0.005)
        other.cancel()
        async with asyncio.timeout(0.5):
            assert (await second).route.served_by == "b"
        assert not first.done()
        holder.cancel()
        assert (await first).route.served_by == "a"
        await asyncio.wait([holder, other])

    async def test_first_come_among_equals_all_the_same(self, fleet: Fleet) -> None:
        """Among those who can use it, a slot goes to who came first."""
        router, one, _, holder = await self.tagged(fleet)
        tasks = []
        for number in range(6):
            tag = "ab"[number % 2]
            tasks.append(asyncio.create_task(ask(router, tags=[tag], user=f"{tag}{number}")))
            await asyncio.sleep(0.002)
        holder.cancel()
        await asyncio.gather(*tasks)
        assert [it.body["user"] for it in one.requests[1:]] == ["a0", "a2", "a4"]
        await asyncio.wait([holder])

    async def test_many(self, fleet: Fleet) -> None:
        """500 callers of two kinds all get through two slots, in little time."""
        router, _, _, holder = await self.tagged(fleet)
        calls = [ask(router, tags=["ab"[number % 2]]) for number in range(500)]
        holder.cancel()
        assert await outcomes(*calls) == {"ok": 500}
        await asyncio.wait([holder])


async def test_broken_strategy_harms_no_neighbour(fleet: Fleet) -> None:
    """A strategy that fails for who waits is no reason for the call that made room to fail."""

    class Fragile:
        def pick(self, candidates: Sequence[Any], request: Any) -> Any:
            if broken:
                raise ZeroDivisionError
            return candidates[0]

    broken: list[bool] = []
    (upstream,) = await fleet.start("openai", latency=0.02)
    entry = upstream.deployment("smart", max_parallel_requests=1)
    router = await fleet.router({"smart": [entry]}, routing_strategy=Fragile())
    first = asyncio.ensure_future(ask(router))
    await upstream.until(lambda it: it.in_flight == 1)
    second = asyncio.ensure_future(ask(router, timeout=0.3))
    await asyncio.sleep(0.005)
    broken.append(True)
    await asyncio.wait([first, second])
    assert first.exception() is None
    assert second.exception() is not None
    assert in_flight(router) == 0
    broken.clear()
    assert (await ask(router, timeout=1)).choices
