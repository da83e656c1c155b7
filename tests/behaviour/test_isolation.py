"""What one Router or call does is nobody else's business."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import RateLimitError, Router
from polyroute.testing import Upstream

from .helpers import ask, failure, in_flight, outcomes, served, states

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polyroute.testing import FakeClock

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio


async def test_health_is_a_routers_own(fleet: Fleet) -> None:
    """A deployment that rests in one Router is well in another with the same configuration."""
    (upstream,) = await fleet.start("openai")
    strict, other = [
        await fleet.router({"smart": [upstream]}, allowed_fails=0, num_retries=0) for _ in "ab"
    ]
    upstream.fail(500)
    await failure(strict)
    assert states(strict) + states(other) == ["open", "closed"]


async def test_limits_are_a_routers_own(fleet: Fleet, clock: FakeClock) -> None:
    """Each Router counts its own rpm and slots, even for the same entry object."""
    (upstream,) = await fleet.start("openai", latency=0.01)
    entry = upstream.deployment("smart", rpm=5, max_parallel_requests=5)
    routers = [await fleet.router({"smart": [entry]}, clock=clock) for _ in range(3)]
    ended = await outcomes(*(ask(it, timeout=1) for it in routers for _ in range(10)))
    assert ended == {"ok": 15, "RateLimitError": 15}
    assert upstream.most_in_flight == 15


async def test_budgets_are_a_routers_own(fleet: Fleet) -> None:
    """One Router's spent retries are none of another's."""
    (upstream,) = await fleet.start("openai")
    worn, fresh = [await fleet.router({"smart": [upstream]}, disable_cooldowns=True) for _ in "ab"]
    upstream.fail(500, times=None)
    for _ in range(30):
        await failure(worn)
    assert len((await failure(worn)).route.attempts) == 1
    assert len((await failure(fresh)).route.attempts) == 3


async def test_statistics_are_a_routers_own(fleet: Fleet) -> None:
    """What one Router has learned of latencies does not steer another."""
    slow, fast = await fleet.start("openai", "openai")
    slow.latency = 0.02
    make = {"routing_strategy": "lowest-latency", "rng": random.Random(1)}
    one = await fleet.router({"smart": [slow, fast]}, **make)
    for _ in range(6):
        await ask(one)
    other = await fleet.router({"smart": [slow, fast]}, **make)
    assert all(row["latency"] is None and row["calls"] == 0 for row in other.stats())


async def test_closing_one(fleet: Fleet) -> None:
    """Closing one Router does not disturb the calls of another."""
    (upstream,) = await fleet.start("openai", latency=0.03)
    one, other = [await fleet.router({"smart": [upstream]}) for _ in "ab"]
    await ask(one)
    running = asyncio.ensure_future(ask(other))
    await asyncio.sleep(0.01)
    await one.aclose()
    assert (await running).choices


async def test_used_again_after_closing(fleet: Fleet) -> None:
    """A Router that was closed opens new connections when it is used again."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    for _ in range(3):
        assert (await ask(router)).choices
        await router.aclose()
        await router.aclose()


async def test_aliases_of_one_router(fleet: Fleet) -> None:
    """Groups of one Router that lead to the same server have their own health and limits."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"a": [upstream], "b": [upstream]}, allowed_fails=0, num_retries=0)
    upstream.fail(500)
    await failure(router, "a")
    assert states(router) == ["open", "closed"]


async def test_options_are_a_calls_own(fleet: Fleet) -> None:
    """What one call says about retries and time holds for no other call."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]}, num_retries=1, disable_cooldowns=True)
    upstream.fail(500, times=None)
    errors = await asyncio.gather(
        *(failure(router, num_retries=number) for number in (0, 2, 0, 3)), failure(router)
    )
    assert [len(error.route.attempts) for error in errors] == [1, 3, 1, 4, 2]


async def test_shared_strategy_object(fleet: Fleet) -> None:
    """A strategy object may serve several Routers at once."""

    class First:
        def pick(self, candidates: Sequence[Any], request: Any) -> Any:
            return candidates[0]

    one, two = await fleet.start("openai", "openai")
    strategy = First()
    routers = [await fleet.router({"smart": [it]}, routing_strategy=strategy) for it in (one, two)]
    for router in routers:
        assert served([await ask(router)]) == {"smart-0": 1}
    assert (len(one.requests), len(two.requests)) == (1, 1)


def test_loops_after_each_other() -> None:
    """One Router serves one event loop after another, each with its own connections."""
    with Upstream("openai", latency=0.01) as upstream:
        entry = upstream.deployment("smart", max_parallel_requests=2)
        router = Router(model_list=[entry])

        async def several() -> int:
            async with router:
                return len(await asyncio.gather(*(ask(router) for _ in range(6))))

        assert [asyncio.run(several()) for _ in range(3)] == [6, 6, 6]
        assert upstream.most_in_flight == 2
        assert in_flight(router) == 0


async def test_deployments_are_not_changed(fleet: Fleet) -> None:
    """The entries of model_list are left as they were, and later changes of them do nothing."""
    (upstream,) = await fleet.start("openai")
    entry = upstream.deployment("smart", rpm=1)
    before = repr(entry)
    router = await fleet.router({"smart": [entry]})
    await ask(router)
    assert repr(entry) == before
    entry["litellm_params"]["rpm"] = 100
    assert isinstance(await failure(router, timeout=1), RateLimitError)
