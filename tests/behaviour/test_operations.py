"""What is true of chats is true of every operation: one engine serves them all."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, Timeout

from .helpers import Steps, ask, in_flight, path, quiet, states, timed

if TYPE_CHECKING:
    from polyroute import Router
    from polyroute.testing import FakeClock, Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio


def embed(router: Router, **params: Any) -> Any:
    return router.aembedding("smart", "some text", **params)


def moderate(router: Router, **params: Any) -> Any:
    return router.amoderation("some text", model="smart", **params)


def draw(router: Router, **params: Any) -> Any:
    return router.aimage_generation("a house", model="smart", **params)


KINDS = pytest.mark.parametrize("operation", [embed, moderate, draw])


@KINDS
async def test_retries_and_fallbacks(fleet: Fleet, operation: Any) -> None:
    """Siblings and fallbacks are asked, and the route tells of it."""
    one, two, three = await fleet.start("openai", "openai", "openai")
    router = await fleet.router(
        {"smart": [one, two], "backup": [three]},
        fallbacks=[{"smart": ["backup"]}],
        num_retries=1,
    )
    one.fail(500)
    two.kill()
    answer = await operation(router)
    assert path(answer) == [
        ("smart-0", "first"),
        ("smart-1", "sibling"),
        ("backup-0", "fallback"),
    ]
    assert in_flight(router) == 0


@KINDS
async def test_deadline(fleet: Fleet, operation: Any) -> None:
    """The deadline holds, and the connection is closed."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    upstream.hang(times=None)
    error, seconds = await timed(operation(router, timeout=0.1))
    assert isinstance(error, Timeout)
    assert seconds < 0.15
    await quiet(upstream)
    assert in_flight(router) == 0


@KINDS
async def test_cancelled(fleet: Fleet, operation: Any) -> None:
    """A cancelled call gives its slot back."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream.deployment("smart", max_parallel_requests=1)]})
    upstream.hang()
    task = asyncio.ensure_future(operation(router))
    await upstream.until(lambda it: it.in_flight == 1)
    task.cancel()
    await asyncio.wait([task])
    assert in_flight(router) == 0
    assert await operation(router, timeout=1)


@KINDS
async def test_limits(fleet: Fleet, clock: FakeClock, operation: Any) -> None:
    """rpm is exact with 50 callers at one instant."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream.deployment("smart", rpm=10)]}, clock=clock)
    ended = await asyncio.gather(
        *(operation(router, timeout=1.5) for _ in range(50)), return_exceptions=True
    )
    assert sum(not isinstance(it, APIError) for it in ended) == 10
    assert len(upstream.requests) == 10


async def test_health_is_shared(fleet: Fleet, clock: FakeClock) -> None:
    """A deployment that fails at one operation rests for the others, too."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one, two]}, allowed_fails=0, clock=clock)
    one.fail(500)
    await embed(router)
    assert states(router) == ["open", "closed"]
    assert path(await ask(router)) == [("smart-1", "first")]


async def test_statistics_are_not_shared(fleet: Fleet) -> None:
    """Quick embeddings say nothing about who is quick at chats."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router(
        {"smart": [one, two]}, routing_strategy="adaptive", rng=random.Random(1)
    )
    for _ in range(15):
        one.latency, two.latency = 0, 0.02
        await embed(router)
        one.latency, two.latency = 0.02, 0
        await ask(router)
    one.requests.clear()
    two.requests.clear()
    for _ in range(10):
        await ask(router)
    assert len(two.requests) >= 8
    one.latency, two.latency = 0, 0.02
    before = len(one.requests)
    for _ in range(10):
        await embed(router)
    assert len(one.requests) - before >= 8


class TestParts:
    """Embeddings of more inputs than a model takes at once: one call in several requests."""

    @staticmethod
    async def small(fleet: Fleet, **settings: Any) -> tuple[Router, Upstream, Upstream]:
        one, two = await fleet.start("openai", "openai")
        entries = [
            it.deployment("smart", info={"max_inputs": 2}, max_parallel_requests=2)
            for it in (one, two)
        ]
        router = await fleet.router({"smart": entries}, disable_cooldowns=True, **settings)
        return router, one, two

    async def test_in_order(self, fleet: Fleet) -> None:
        """The parts are put together in order, slots are kept, and a failed part is tried again."""
        router, one, two = await self.small(fleet)
        one.fail(500, times=2)
        texts = [f"text {number}" for number in range(15)]
        answer = await router.aembedding("smart", texts)
        assert [item.index for item in answer.data] == list(range(15))
        assert max(one.most_in_flight, two.most_in_flight) <= 2
        assert in_flight(router) == 0

    async def test_one_part_fails(self, fleet: Fleet) -> None:
        """If a part cannot be had the call fails, and the other parts are let go."""
        router, one, two = await self.small(fleet, num_retries=0)
        one.hang(times=None)
        two.hang(times=1)
        two.fail(400, times=None)
        with pytest.raises(APIError):
            await router.aembedding("smart", ["x"] * 9, timeout=2)
        assert in_flight(router) == 0
        await quiet(one, two)

    @pytest.mark.parametrize("late", [False, True], ids=["waiting", "ready"])
    async def test_cancelled_anywhere(self, fleet: Fleet, late: bool) -> None:
        """Cancelled at any await point, no part goes on."""
        router, one, two = await self.small(fleet)
        for step in range(1, 30):
            steps = Steps(router.aembedding("smart", ["x"] * 9), step, late=late)

            async def awaited(steps: Steps = steps) -> Any:
                return await steps

            task = asyncio.ensure_future(awaited())
            await asyncio.wait([task])
            await asyncio.sleep(0)
            assert in_flight(router) == 0
            await quiet(one, two)
            if steps.taken < step:
                break
        assert task.result().data
