"""When a deployment rests, for how long, how it comes back, and what happens if all rest."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import RateLimitError, Timeout

from .helpers import (
    ask,
    failure,
    in_flight,
    outcomes,
    path,
    quiet,
    read,
    served,
    states,
    timed,
)

if TYPE_CHECKING:
    from polyroute import Router
    from polyroute.testing import FakeClock, Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio


async def pair(fleet: Fleet, clock: Any, **settings: Any) -> tuple[Router, Upstream, Upstream]:
    """A Router with two deployments, of which the first is asked while it can be."""
    one, two = await fleet.start("openai", "openai")
    return await fleet.router({"smart": [one, two]}, clock=clock, **settings), one, two


async def calls(router: Router, number: int) -> None:
    for _ in range(number):
        await ask(router)


class TestOpening:
    @pytest.mark.parametrize("allowed", [0, 1, 4])
    async def test_failures_in_a_row(self, fleet: Fleet, clock: FakeClock, allowed: int) -> None:
        """allowed_fails failures in a row are tolerated; one more, and the deployment rests."""
        router, one, _ = await pair(fleet, clock, allowed_fails=allowed)
        one.fail(500, times=None)
        await calls(router, 10)
        assert len(one.requests) == allowed + 1
        assert states(router) == ["open", "closed"]

    async def test_success_in_between(self, fleet: Fleet, clock: FakeClock) -> None:
        """A success in between starts the count of failures in a row anew."""
        router, one, _ = await pair(fleet, clock, allowed_fails=2)
        for _ in range(3):
            one.fail(500, times=2)
            one.fail(500, times=None)
            await calls(router, 2)
            one.heal()
            await calls(router, 4)
        assert states(router) == ["closed", "closed"]

    async def test_rate_of_failures(self, fleet: Fleet, clock: FakeClock) -> None:
        """Half of ten attempts failing is too much, also if they never fail in a row."""
        router, one, _ = await pair(fleet, clock)
        for _ in range(5):
            await calls(router, 1)
            one.fail(500)
            await calls(router, 1)
        assert states(router) == ["open", "closed"]

    async def test_rate_is_of_the_last_seconds(self, fleet: Fleet, clock: FakeClock) -> None:
        """Failures of long ago do not count towards the rate."""
        router, one, _ = await pair(fleet, clock)
        for _ in range(12):
            await calls(router, 1)
            one.fail(500)
            await calls(router, 1)
            clock.advance(20)
        assert states(router) == ["closed", "closed"]

    @pytest.mark.parametrize("successes", [0, 20, 1000])
    @pytest.mark.parametrize("callers", [1, 10])
    @pytest.mark.parametrize("how", ["500", "dead"])
    async def test_dead_deployment(
        self, fleet: Fleet, clock: FakeClock, successes: int, callers: int, how: str
    ) -> None:
        """A deployment that dies is asked at most ten times, whatever its history is."""
        router, one, _ = await pair(fleet, clock)
        for _ in range(successes // 50):
            await asyncio.gather(*(ask(router) for _ in range(50)))
        before = router.stats()[0]["failures"]
        if how == "dead":
            one.kill()
        else:
            one.fail(500, times=None)
        for _ in range(40 // callers):
            await asyncio.gather(*(ask(router) for _ in range(callers)))
        assert router.stats()[0]["failures"] - before <= 10
        assert states(router) == ["open", "closed"]

    async def test_hanging_deployment(self, fleet: Fleet, clock: FakeClock) -> None:
        """A deployment that hangs beyond its own limit is left alone after a few calls."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", timeout=0.02), two.deployment("smart")]
        router = await fleet.router({"smart": entries}, clock=clock)
        one.hang(times=None)
        await calls(router, 12)
        assert len(one.requests) <= 10
        assert states(router) == ["open", "closed"]

    async def test_cutting_deployment(self, fleet: Fleet, clock: FakeClock) -> None:
        """Streams that break off in their middle count as failures."""
        router, one, _ = await pair(fleet, clock, allowed_fails=1)
        one.answer = "a b c"
        one.cut(after_chunks=1, times=None)
        for _ in range(2):
            with pytest.raises(Exception, match="broke off"):
                await read(await ask(router, stream=True))
        assert states(router) == ["open", "closed"]

    @pytest.mark.parametrize("status", [400, 413, 422])
    async def test_bad_requests_harm_nobody(self, fleet: Fleet, status: int) -> None:
        """A caller's mistakes never make a deployment rest."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, allowed_fails=0)
        upstream.fail(status, times=None)
        for _ in range(20):
            await failure(router)
        assert states(router) == ["closed"]

    async def test_hurry_harms_nobody(self, fleet: Fleet) -> None:
        """Callers with little time, and callers who hang up, do not make a deployment rest."""
        (upstream,) = await fleet.start("openai", latency=0.05)
        router = await fleet.router({"smart": [upstream]}, allowed_fails=0)
        await ask(router)
        for _ in range(5):
            assert isinstance(await failure(router, timeout=0.01), Timeout)
            call = asyncio.create_task(ask(router))
            await asyncio.sleep(0.01)
            call.cancel()
            await asyncio.wait([call])
        assert states(router) == ["closed"]


class TestRest:
    @pytest.mark.parametrize("status", [401, 403, 404])
    async def test_refused_key_rests_a_minute(
        self, fleet: Fleet, clock: FakeClock, status: int
    ) -> None:
        """A refused key, permission or model rests the deployment for a minute at once."""
        router, one, _ = await pair(fleet, clock)
        one.fail(status)
        await calls(router, 1)
        clock.advance(53)
        await calls(router, 3)
        assert len(one.requests) == 1
        clock.advance(8)
        await calls(router, 1)
        assert len(one.requests) == 2
        assert states(router) == ["closed", "closed"]

    @pytest.mark.parametrize(("told", "rests"), [(7, 7), (0.5, 0.5), (3600, 60)])
    async def test_rate_limit_rests_as_told(
        self, fleet: Fleet, clock: FakeClock, told: float, rests: float
    ) -> None:
        """A 429 rests as long as it says, at most a minute."""
        router, one, _ = await pair(fleet, clock)
        one.fail(429, retry_after=told)
        await calls(router, 1)
        clock.advance(rests - 0.05)
        await calls(router, 1)
        assert len(one.requests) == 1
        clock.advance(0.1)
        await calls(router, 1)
        assert len(one.requests) == 2

    async def test_retry_after_zero(self, fleet: Fleet, clock: FakeClock) -> None:
        """A 429 that says 0 rests nobody, but such failures add up."""
        router, one, _ = await pair(fleet, clock, allowed_fails=3)
        one.fail(429, retry_after=0, times=None)
        await calls(router, 1)
        assert states(router) == ["closed", "closed"]
        await calls(router, 8)
        assert len(one.requests) == 4
        assert states(router) == ["open", "closed"]

    async def test_cooldown_time(self, fleet: Fleet, clock: FakeClock) -> None:
        """cooldown_time is the first rest, less a tenth at most."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0, cooldown_time=30)
        one.fail(500)
        await calls(router, 1)
        assert 27 <= router.stats()[0]["resting_for"] <= 30
        clock.advance(26.9)
        await calls(router, 2)
        assert len(one.requests) == 1
        clock.advance(3.2)
        await calls(router, 1)
        assert len(one.requests) == 2

    async def test_rests_grow(self, fleet: Fleet, clock: FakeClock) -> None:
        """When probes fail, rests grow by half, up to ten seconds."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router({"smart": [one, two, three]}, clock=clock, allowed_fails=0)
        one.fail(500, times=None)
        rests = []
        for _ in range(5):
            await calls(router, 1)
            rests.append(router.stats()[0]["resting_for"])
            clock.advance(rests[-1] + 0.01)
        assert rests == pytest.approx([5, 7.5, 10, 10, 10])

    async def test_rests_are_jittered(self, fleet: Fleet, clock: FakeClock) -> None:
        """Rests differ, so that probes of many deployments do not march in step."""
        upstreams = await fleet.start(*["openai"] * 6)
        router = await fleet.router(
            {"smart": upstreams},
            clock=clock,
            allowed_fails=0,
            num_retries=6,
            rng=random.Random(1),
        )
        for upstream in upstreams[:5]:
            upstream.fail(500, times=None)
        await calls(router, 10)
        rests = {row["resting_for"] for row in router.stats() if row["state"] == "open"}
        assert len(rests) == 5
        assert all(4.5 <= rest <= 5 for rest in rests)

    async def test_running_attempts_may_end(self, fleet: Fleet, clock: FakeClock) -> None:
        """What runs when the rest begins ends as it would have, and is not cut off."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        one.latency = 0.05
        running = asyncio.create_task(ask(router))
        await one.until(lambda it: it.in_flight == 1)
        one.latency = 0
        one.fail(401)
        await calls(router, 1)
        assert states(router)[0] == "open"
        assert (await running).route.served_by == "smart-0"


class TestProbe:
    @pytest.mark.parametrize("callers", [50])
    async def test_exactly_one(self, fleet: Fleet, clock: FakeClock, callers: int) -> None:
        """Over all tasks exactly one call probes; all others are answered elsewhere meanwhile."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        one.fail(500)
        await calls(router, 1)
        clock.advance(6)
        one.latency = 0.05
        answers = await asyncio.gather(*(ask(router) for _ in range(callers)))
        assert one.most_in_flight == 1
        assert [p for it in answers for p in path(it)].count(("smart-0", "probe")) == 1
        assert served(answers)["smart-1"] >= callers - 1
        assert states(router) == ["closed", "closed"]

    async def test_failed_probe_costs_its_caller_nothing(
        self, fleet: Fleet, clock: FakeClock
    ) -> None:
        """A probe that fails is followed by a sibling, and the rest begins again."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        one.fail(500, times=2)
        await calls(router, 1)
        clock.advance(6)
        answer = await ask(router)
        assert path(answer) == [("smart-0", "probe"), ("smart-1", "sibling")]
        assert states(router) == ["open", "closed"]

    async def test_hanging_probe_costs_its_caller_little(
        self, fleet: Fleet, clock: FakeClock
    ) -> None:
        """A probe that hangs is hedged: its caller is answered long before the deadline."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        await calls(router, 100)
        one.fail(500)
        await calls(router, 1)
        clock.advance(6)
        one.hang()
        answer, seconds = await timed(ask(router, timeout=5))
        assert answer.route.served_by == "smart-1"
        assert seconds < 0.5
        await quiet(one)
        assert in_flight(router) == 0

    async def test_hanging_probe_without_history(self, fleet: Fleet, clock: FakeClock) -> None:
        """So is a probe before anybody knows how long calls take."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        one.fail(500)
        await calls(router, 3)
        clock.advance(6)
        one.hang()
        answer, seconds = await timed(ask(router, timeout=5))
        assert answer.route.served_by == "smart-1"
        assert seconds < 1.5
        await quiet(one)

    async def test_cancelled_probe_makes_room(self, fleet: Fleet, clock: FakeClock) -> None:
        """A probe whose caller goes away is no verdict: the next call probes."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        one.fail(500)
        await calls(router, 1)
        clock.advance(6)
        one.hang()
        probe = asyncio.create_task(ask(router))
        await one.until(lambda it: it.in_flight == 1)
        probe.cancel()
        await asyncio.wait([probe])
        assert path(await ask(router)) == [("smart-0", "probe")]
        assert states(router) == ["closed", "closed"]

    async def test_bad_request_is_no_verdict(self, fleet: Fleet, clock: FakeClock) -> None:
        """A probe that is refused for the caller's mistake leaves the question open."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0)
        one.fail(500)
        await calls(router, 1)
        clock.advance(6)
        one.fail(400)
        await failure(router)
        assert path(await ask(router)) == [("smart-0", "probe")]

    async def test_traffic_comes_back_slowly(self, fleet: Fleet, clock: FakeClock) -> None:
        """Right after a rest a deployment does not get everything at once."""
        router, one, two = await pair(fleet, clock, allowed_fails=0)
        one.fail(500)
        await calls(router, 1)
        clock.advance(6)
        await calls(router, 1)
        one.latency = two.latency = 0.02
        await asyncio.gather(*(ask(router) for _ in range(50)))
        assert one.most_in_flight < 25
        clock.advance(60)
        await asyncio.gather(*(ask(router) for _ in range(50)))
        assert one.most_in_flight == 50


class TestSettings:
    async def test_allowed_fails_policy(self, fleet: Fleet, clock: FakeClock) -> None:
        """allowed_fails_policy says by the kind of error how many are tolerated."""
        policy = {"InternalServerError": 7, "ServiceUnavailableError": 0}
        router, one, _ = await pair(fleet, clock, allowed_fails_policy=policy)
        one.fail(500, times=7)
        await calls(router, 7)
        assert states(router) == ["closed", "closed"]
        one.fail(503)
        await calls(router, 1)
        assert states(router) == ["open", "closed"]

    @pytest.mark.parametrize("status", [401, 429, 500])
    async def test_disabled(self, fleet: Fleet, status: int) -> None:
        """disable_cooldowns: nobody ever rests, whatever happens."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, disable_cooldowns=True)
        one.fail(status, times=None, retry_after=30)
        await calls(router, 10)
        assert states(router) == ["closed", "closed"]
        assert len(one.requests) == 10

    async def test_cooldown_zero(self, fleet: Fleet, clock: FakeClock) -> None:
        """cooldown_time=0 is a rest of no time: the next call may probe at once."""
        router, one, _ = await pair(fleet, clock, allowed_fails=0, cooldown_time=0)
        one.fail(500)
        await calls(router, 1)
        assert path(await ask(router)) == [("smart-0", "probe")]


class TestPanic:
    async def test_somebody_is_asked(self, fleet: Fleet, clock: FakeClock) -> None:
        """If all rest, the call is tried all the same: one that has recovered answers."""
        router, one, two = await pair(fleet, clock, allowed_fails=0, num_retries=1)
        one.fail(500)
        two.fail(500)
        await failure(router)
        assert states(router) == ["open", "open"]
        assert (await ask(router, num_retries=0)).choices

    async def test_closest_to_recovery(self, fleet: Fleet, clock: FakeClock) -> None:
        """Of those that rest the one closest to recovery is asked."""
        router, one, two = await pair(fleet, clock, allowed_fails=0, num_retries=1)
        one.fail(401)
        two.fail(500)
        await failure(router)
        assert (await ask(router, num_retries=0)).route.served_by == "smart-1"

    async def test_callers_are_spread(self, fleet: Fleet, clock: FakeClock) -> None:
        """In panic not everybody is sent to the same one, and many may probe at once."""
        upstreams = await fleet.start(*["openai"] * 4)
        router = await fleet.router(
            {"smart": upstreams},
            clock=clock,
            allowed_fails=0,
            num_retries=4,
            rng=random.Random(1),
        )
        for upstream in upstreams:
            upstream.fail(500)
            upstream.latency = 0.01
        await failure(router, num_retries=3)
        assert states(router) == ["open"] * 4
        for upstream in upstreams:
            upstream.reset()
        answers = await asyncio.gather(*(ask(router) for _ in range(20)))
        assert len(served(answers)) >= 3

    async def test_after_the_fallbacks(self, fleet: Fleet, clock: FakeClock) -> None:
        """While a fallback is left, those that rest are left alone; then somebody is asked."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]},
            fallbacks=[{"smart": ["backup"]}],
            clock=clock,
            allowed_fails=0,
            num_retries=0,
        )
        one.fail(500)
        await ask(router)
        assert path(await ask(router)) == [("backup-0", "fallback")]
        two.fail(500)
        await failure(router)
        answer = await ask(router)
        assert answer.route.served_by == "backup-0"

    async def test_short_rest_is_waited_for(self, fleet: Fleet) -> None:
        """A rest that the provider has asked for and that ends soon is waited for."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.fail(429, retry_after=0.1)
        await failure(router)
        answer, seconds = await timed(ask(router))
        assert answer.choices
        assert seconds < 0.35
        assert upstream.requests[-1].outcome == "answered"

    async def test_slots_hold_in_panic(self, fleet: Fleet, clock: FakeClock) -> None:
        """max_parallel_requests is kept in panic, too."""
        (upstream,) = await fleet.start("openai", latency=0.005)
        entry = upstream.deployment("smart", max_parallel_requests=2)
        router = await fleet.router({"smart": [entry]}, clock=clock, allowed_fails=0, num_retries=0)
        upstream.fail(500)
        await failure(router)
        assert await outcomes(*(ask(router) for _ in range(20))) == {"ok": 20}
        assert upstream.most_in_flight == 2

    async def test_quota_holds_in_panic(self, fleet: Fleet, clock: FakeClock) -> None:
        """rpm is kept in panic, too."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("smart", rpm=5)
        router = await fleet.router({"smart": [entry]}, clock=clock, allowed_fails=0, num_retries=0)
        upstream.fail(401)
        await failure(router)
        upstream.fail(401, times=None)
        await outcomes(*(ask(router, timeout=1.5) for _ in range(20)))
        upstream.heal()
        upstream.reset()
        await outcomes(*(ask(router, timeout=1.5) for _ in range(20)))
        assert len(upstream.requests) <= 5

    async def test_recovers_by_itself(self, fleet: Fleet, clock: FakeClock) -> None:
        """After a total outage the first success brings the traffic back."""
        router, one, two = await pair(fleet, clock, num_retries=1)
        for upstream in (one, two):
            upstream.fail(500, times=None)
        for _ in range(20):
            await failure(router, timeout=1.5)
        one.heal()
        two.heal()
        clock.advance(11)
        ended = await outcomes(*(ask(router) for _ in range(30)))
        assert ended == {"ok": 30}
        assert "closed" in states(router)

    async def test_rate_limited_group_says_when(self, fleet: Fleet, clock: FakeClock) -> None:
        """If all rest for a provider's 429 beyond the caller's time, the error is a 429."""
        router, one, two = await pair(fleet, clock, num_retries=1)
        for upstream in (one, two):
            upstream.fail(429, retry_after=50, times=None)
        error = await failure(router, timeout=1.5)
        assert isinstance(error, RateLimitError)
        assert error.retry_after == 50
