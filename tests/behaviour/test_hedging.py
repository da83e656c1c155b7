"""A second attempt beside one that takes unusually long: whichever is first answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import Timeout

from .helpers import HI, ask, failure, in_flight, path, quiet, read, states, timed

if TYPE_CHECKING:
    from polyroute import Router
    from polyroute.testing import Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
PRICES = {"input_cost_per_token": 1.0, "output_cost_per_token": 1.0}
USUAL = 0.012
"""Seconds that the first deployment usually takes."""


async def experienced(
    fleet: Fleet, *, calls: int = 25, wire: str = "openai", **settings: Any
) -> tuple[Router, Upstream, Upstream]:
    """A Router that asks the first of two deployments and knows how long that usually takes."""
    one, two = await fleet.start("openai", wire, answer="It is me")
    one.latency = USUAL
    entries = [one.deployment("smart", info=PRICES), two.deployment("smart", info=PRICES)]
    for number, entry in enumerate(entries):
        entry["model_info"]["id"] = f"smart-{number}"
    router = await fleet.router(
        {"smart": entries}, **{"hedge": True, "timeout": 5, "disable_cooldowns": True, **settings}
    )
    for _ in range(5):
        await asyncio.gather(*(learn(router, "smart") for _ in range(calls // 5)))
        await learn(router, "smart-1")
    two.requests.clear()
    return router, one, two


async def learn(router: Router, model: str) -> None:
    """A call and a stream."""
    await ask(router, model)
    await read(await ask(router, model, stream=True))


async def text(answer: Any) -> str:
    """The text of an answer or stream."""
    if hasattr(answer, "choices"):
        return answer.choices[0].message.content
    return await read(answer)


@STREAM
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_slow_one_is_overtaken(fleet: Fleet, stream: bool, wire: str) -> None:
    """An attempt that hangs is overtaken by one elsewhere, long before the deadline."""
    router, one, _ = await experienced(fleet, wire=wire)
    one.hang()
    answer, seconds = await timed(ask(router, stream=stream))
    assert await text(answer) == "It is me"
    assert path(answer) == [("smart-0", "first"), ("smart-1", "hedge")]
    assert answer.route.served_by == "smart-1"
    assert seconds < 0.3
    await quiet(one)
    assert in_flight(router) == 0


@STREAM
async def test_loser_is_cancelled_and_booked(fleet: Fleet, stream: bool) -> None:
    """The loser's connection is closed, its attempt on the route has ended, its cost is booked."""
    router, one, _ = await experienced(fleet)
    before = router.costs()["deployments"]["smart-0"]
    one.hang()
    answer = await ask(router, stream=stream)
    await text(answer)
    await quiet(one)
    loser = answer.route.attempts[0]
    assert loser.outcome not in ("ok", None)
    assert loser.ended is not None
    assert loser.cost is not None
    assert loser.cost > 0
    assert router.costs()["deployments"]["smart-0"] > before
    assert answer.route.cost > loser.cost


async def test_first_may_still_win(fleet: Fleet) -> None:
    """If the first attempt answers before the second, it is the answer and the second is gone."""
    router, one, two = await experienced(fleet)
    one.latency = 0.12
    two.latency = 1
    answer = await ask(router)
    assert answer.route.served_by == "smart-0"
    await quiet(two)
    assert in_flight(router) == 0


async def test_failing_second_harms_nobody(fleet: Fleet) -> None:
    """A second attempt that fails leaves the first one running."""
    router, one, two = await experienced(fleet)
    one.latency = 0.12
    two.fail(500)
    answer = await ask(router)
    assert answer.route.served_by == "smart-0"
    assert len(path(answer)) == 2


async def test_failing_first_waits_for_the_second(fleet: Fleet) -> None:
    """A first attempt that fails while the second runs costs no third one."""
    router, one, two = await experienced(fleet)
    one.latency = 0.1
    one.fail(500)
    two.latency = 0.12
    answer = await ask(router)
    assert answer.route.served_by == "smart-1"
    assert len(path(answer)) == 2


async def test_both_fail(fleet: Fleet) -> None:
    """If both fail, the call goes on as after any failure."""
    router, one, two = await experienced(fleet)
    one.latency = 0.1
    one.fail(500)
    two.fail(500)
    answer = await ask(router)
    assert answer.choices
    assert len(path(answer)) == 3
    assert in_flight(router) == 0


async def test_both_hang(fleet: Fleet) -> None:
    """If both hang, the call ends at its deadline and leaves nothing behind."""
    router, one, two = await experienced(fleet)
    one.hang(times=None)
    two.hang(times=None)
    error, seconds = await timed(ask(router, timeout=0.2))
    assert isinstance(error, Timeout)
    assert seconds < 0.25
    await quiet(one, two)
    assert in_flight(router) == 0


async def test_off_by_default(fleet: Fleet) -> None:
    """Nobody is asked twice who did not want it; a call may want it, or not."""
    router, one, _ = await experienced(fleet, hedge=False, calls=100)
    one.latency = 0.3
    assert len(path(await ask(router, hedge=True))) == 2
    assert len(path(await ask(router))) == 1
    assert len(path(await ask(router, hedge=False))) == 1


async def test_not_without_history(fleet: Fleet) -> None:
    """Without enough history nobody knows what is slow: no second attempt is made."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one, two]}, hedge=True)
    for _ in range(5):
        await ask(router)
    one.latency = 0.12
    assert len(path(await ask(router))) == 1
    assert two.requests == []


async def test_not_to_somebody_slower(fleet: Fleet) -> None:
    """A second attempt goes only to who is predicted to be clearly faster."""
    router, one, two = await experienced(fleet)
    two.latency = 0.2
    for _ in range(3):
        await ask(router, "smart-1")
    two.requests.clear()
    one.latency = 0.1
    assert path(await ask(router)) == [("smart-0", "first")]
    assert two.requests == []


async def test_not_over_a_limit(fleet: Fleet) -> None:
    """A second attempt takes no slot that is not there."""
    one, two = await fleet.start("openai", "openai")
    one.latency = USUAL
    entries = [
        one.deployment("smart", id="a"),
        two.deployment("smart", id="b", max_parallel_requests=1),
    ]
    router = await fleet.router({"smart": entries}, hedge=True)
    for _ in range(5):
        await asyncio.gather(*(ask(router) for _ in range(5)))
    await ask(router, "b")
    two.hang()
    holder = asyncio.ensure_future(ask(router, "b"))
    await two.until(lambda it: it.in_flight == 1)
    one.latency = 0.1
    assert path(await ask(router)) == [("a", "first")]
    assert two.most_in_flight == 1
    holder.cancel()
    await asyncio.wait([holder])


async def test_not_to_somebody_resting(fleet: Fleet) -> None:
    """A second attempt never goes to a deployment that rests."""
    router, one, two = await experienced(fleet, disable_cooldowns=False)
    two.fail(401)
    await failure(router, "smart-1")
    two.requests.clear()
    one.latency = 0.1
    assert len(path(await ask(router))) == 1
    assert two.requests == []


async def test_budget(fleet: Fleet) -> None:
    """If everything gets slow, second attempts stay below 3 % of the calls and a few more."""
    router, one, two = await experienced(fleet)
    one.latency = 0.1
    calls = 200
    await asyncio.gather(*(ask(router) for _ in range(calls)))
    assert len(two.requests) <= 0.03 * calls + 11


async def test_within_num_retries(fleet: Fleet) -> None:
    """num_retries=0 is exactly one attempt after another; a hedge does not eat the retries."""
    router, one, _ = await experienced(fleet)
    one.latency = 0.1
    one.fail(503)
    answer = await router.acompletion("smart", HI, num_retries=1)
    assert answer.choices
    assert in_flight(router) == 0


async def test_losing_is_soft_evidence(fleet: Fleet) -> None:
    """Who is overtaken again and again rests, without having failed."""
    router, one, _ = await experienced(fleet, disable_cooldowns=False)
    one.hang(times=None)
    for _ in range(8):
        await ask(router)
    assert router.stats()[0]["failures"] == 0
    assert states(router)[1] == "closed"
    assert len(one.requests) - 50 <= 8


async def test_soft_limit_leaves_for_somebody_faster(fleet: Fleet) -> None:
    """A stream without a first token by soft_timeout is left if another is faster."""
    router, one, _ = await experienced(fleet, hedge=False, soft_timeout=0.05)
    one.hang()
    stream, seconds = await timed(ask(router, stream=True))
    assert await read(stream) == "It is me"
    assert stream.route.served_by == "smart-1"
    assert 0.04 < seconds < 0.3
    await quiet(one)


async def test_soft_limit_stays_if_nobody_is_faster(fleet: Fleet) -> None:
    """Without anybody faster a slow stream is waited for."""
    (upstream,) = await fleet.start("openai", latency=0.12)
    router = await fleet.router({"smart": [upstream]}, soft_timeout=0.03)
    stream = await ask(router, stream=True)
    assert len(path(stream)) == 1
    await stream.aclose()
