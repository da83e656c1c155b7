"""rpm, tpm and slots: exact however many callers come at once, and given back however they end."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, RateLimitError
from polyroute.testing import Reply

from .helpers import HI, ask, failure, in_flight, outcomes, path, quiet, read, served, timed

if TYPE_CHECKING:
    from polyroute import Router
    from polyroute.testing import FakeClock, Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

HURRY = {"timeout": 1.5}
"""So little time that no quota is waited for: 2 s must be left after a wait."""


async def limited(fleet: Fleet, upstream: Upstream, clock: Any = None, **params: Any) -> Router:
    """A Router with one deployment that has limits."""
    settings = {} if clock is None else {"clock": clock}
    return await fleet.router({"smart": [upstream.deployment("smart", **params)]}, **settings)


class TestRequests:
    @pytest.mark.parametrize("callers", [50, 1000])
    async def test_exact_at_one_instant(self, fleet: Fleet, clock: FakeClock, callers: int) -> None:
        """However many callers are released at one instant, rpm=20 lets 20 of them through."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=20)
        ended = await outcomes(*(ask(router, **HURRY) for _ in range(callers)))
        assert ended == {"ok": 20, "RateLimitError": callers - 20}
        assert len(upstream.requests) == 20

    async def test_exact_over_siblings(self, fleet: Fleet, clock: FakeClock) -> None:
        """Several limits add up: nobody is refused while a sibling has quota left."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", rpm=10), two.deployment("smart", rpm=30)]
        for strategy in ("simple-shuffle", "adaptive", "round-robin"):
            router = await fleet.router(
                {"smart": entries}, clock=clock, routing_strategy=strategy, rng=random.Random(1)
            )
            ended = await outcomes(*(ask(router, **HURRY) for _ in range(50)))
            assert ended == {"ok": 40, "RateLimitError": 10}
            assert (len(one.requests), len(two.requests)) == (10, 30)
            one.reset()
            two.reset()

    async def test_flows_back_steadily(self, fleet: Fleet, clock: FakeClock) -> None:
        """A used-up rpm of 30 has room for one more every two seconds."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=30)
        await outcomes(*(ask(router, **HURRY) for _ in range(30)))
        for seconds, more in ((2.01, 1), (6.01, 3), (60.01, 30)):
            clock.advance(seconds)
            ended = await outcomes(*(ask(router, **HURRY) for _ in range(40)))
            assert ended["ok"] == more

    async def test_waits_for_what_comes_back_in_time(self, fleet: Fleet, clock: FakeClock) -> None:
        """Quota that is back soon is waited for, and the route shows how long."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=30)
        await outcomes(*(ask(router, **HURRY) for _ in range(30)))
        clock.advance(1.95)
        answer, seconds = await timed(ask(router))
        assert 0.04 < seconds < 0.25
        assert answer.route.attempts[0].queued == pytest.approx(0.06, abs=0.03)

    async def test_waiting_is_a_reservation(self, fleet: Fleet, clock: FakeClock) -> None:
        """Those who wait stand behind each other: nobody takes the place of another."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=30)
        await outcomes(*(ask(router, **HURRY) for _ in range(30)))
        waiting = [asyncio.create_task(ask(router, timeout=7)) for _ in range(10)]
        await asyncio.sleep(0.02)
        # 7 s - 2 s in reserve: places at 2 s and 4 s, and no more
        refused = [task for task in waiting if task.done()]
        assert len(refused) == 8
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        assert len(upstream.requests) == 30
        assert in_flight(router) == 0

    async def test_refuses_at_once_with_a_time(self, fleet: Fleet, clock: FakeClock) -> None:
        """Quota that does not come back in time is refused at once, with when to come again."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=2)
        await asyncio.gather(ask(router), ask(router))
        error, seconds = await timed(ask(router))
        assert isinstance(error, RateLimitError)
        assert seconds < 0.1
        assert error.retry_after == pytest.approx(30, abs=1)
        assert len(upstream.requests) == 2

    async def test_waiting_is_short_before_a_fallback(self, fleet: Fleet, clock: FakeClock) -> None:
        """With a fallback group, quota that is more than a second away is not waited for."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one.deployment("smart", rpm=20)], "backup": [two]},
            fallbacks=[{"smart": ["backup"]}],
            clock=clock,
        )
        await asyncio.gather(*(ask(router) for _ in range(20)))
        answer, seconds = await timed(ask(router))
        assert answer.route.served_by == "backup-0"
        assert seconds < 0.2

    async def test_failures_give_it_back(self, fleet: Fleet, clock: FakeClock) -> None:
        """A call that failed has used no rpm."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=5)
        upstream.fail(400, times=20)
        for _ in range(20):
            await failure(router)
        ended = await outcomes(*(ask(router, **HURRY) for _ in range(10)))
        assert ended["ok"] == 5

    async def test_429_empties_the_bucket(self, fleet: Fleet, clock: FakeClock) -> None:
        """A 429 is believed: no rpm is left, whatever we had counted."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpm=30)
        upstream.fail(429, retry_after=0)
        await failure(router, num_retries=0)
        assert isinstance(await failure(router, num_retries=0, **HURRY), RateLimitError)
        assert len(upstream.requests) == 1

    async def test_headers_are_believed(self, fleet: Fleet, clock: FakeClock) -> None:
        """What the provider says is left corrects what we had counted."""
        (upstream,) = await fleet.start("openai")
        upstream.headers = {"x-ratelimit-remaining-requests": "1"}
        router = await limited(fleet, upstream, clock, rpm=30)
        await ask(router)
        upstream.headers = {}
        ended = await outcomes(*(ask(router, **HURRY) for _ in range(10)))
        assert ended == {"ok": 1, "RateLimitError": 9}

    async def test_siblings_take_over(self, fleet: Fleet, clock: FakeClock) -> None:
        """Where one deployment's quota is used up, a sibling is asked without any attempt there."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one.deployment("smart", id="a", rpm=1), two.deployment("smart", id="b")]},
            clock=clock,
        )
        answers = [await ask(router) for _ in range(4)]
        assert [path(it) for it in answers] == [[("a", "first")], *[[("b", "first")]] * 3]

    async def test_a_day_is_counted_too(self, fleet: Fleet, clock: FakeClock) -> None:
        """rpd=3 is three calls, also when minutes go by."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, clock, rpd=3)
        ended = await outcomes(*(ask(router, **HURRY) for _ in range(5)))
        clock.advance(600)
        assert ended["ok"] == 3
        assert isinstance(await failure(router, **HURRY), RateLimitError)

    async def test_wildcards_share_one_limit(self, fleet: Fleet, clock: FakeClock) -> None:
        """All models behind one wildcard have its limits together: it is one key."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("openai/*", rpm=4)
        entry["litellm_params"]["model"] = "openai/*"
        router = await fleet.router({"x": [entry]}, clock=clock)
        calls = (ask(router, f"openai/m{number % 3}", **HURRY) for number in range(12))
        assert (await outcomes(*calls))["ok"] == 4


class TestTokens:
    async def test_never_more_than_reserved(self, fleet: Fleet, clock: FakeClock) -> None:
        """1,000 callers at one instant never use more tokens than tpm says."""
        (upstream,) = await fleet.start(
            "openai", answer=Reply("x", prompt_tokens=10, completion_tokens=90)
        )
        router = await limited(fleet, upstream, clock, tpm=2000)
        ended = await outcomes(*(ask(router, max_tokens=90, **HURRY) for _ in range(1000)))
        assert 1000 <= 100 * len(upstream.requests) <= 2000
        assert ended["ok"] == len(upstream.requests)

    async def test_corrected_to_real_usage(self, fleet: Fleet, clock: FakeClock) -> None:
        """An answer shorter than expected gives back what it did not use."""
        (upstream,) = await fleet.start(
            "openai", answer=Reply("x", prompt_tokens=5, completion_tokens=5)
        )
        router = await limited(fleet, upstream, clock, tpm=2000)
        for _ in range(100):
            await ask(router, max_tokens=900, **HURRY)
        assert len(upstream.requests) == 100

    async def test_long_answers_go_into_debt(self, fleet: Fleet, clock: FakeClock) -> None:
        """An answer longer than expected counts in full: the next call has to wait."""
        (upstream,) = await fleet.start(
            "openai", answer=Reply("x", prompt_tokens=10, completion_tokens=5000)
        )
        router = await limited(fleet, upstream, clock, tpm=2000)
        await ask(router)
        error = await failure(router, **HURRY)
        assert isinstance(error, RateLimitError)
        assert error.retry_after is not None
        assert error.retry_after > 60

    async def test_streams_are_corrected_too(self, fleet: Fleet, clock: FakeClock) -> None:
        """The usage at the end of a stream takes the place of the estimate."""
        (upstream,) = await fleet.start(
            "openai", answer=Reply("x y", prompt_tokens=5, completion_tokens=5)
        )
        router = await limited(fleet, upstream, clock, tpm=2000)
        for _ in range(50):
            await read(await ask(router, stream=True, max_tokens=900, **HURRY))
        assert len(upstream.requests) == 50

    async def test_failures_give_them_back(self, fleet: Fleet, clock: FakeClock) -> None:
        """A call that failed, or was cancelled before anything came, has used no tokens."""
        (upstream,) = await fleet.start("openai", answer="x")
        router = await limited(fleet, upstream, clock, tpm=2000)
        upstream.fail(500, times=5)
        for _ in range(5):
            await failure(router, max_tokens=1900, num_retries=0, **HURRY)
        assert (await ask(router, max_tokens=1900, **HURRY)).choices

    async def test_larger_than_the_whole_limit(self, fleet: Fleet, clock: FakeClock) -> None:
        """A call that wants more than a minute's tokens goes when all of them are there."""
        (upstream,) = await fleet.start(
            "openai", answer=Reply("x", prompt_tokens=5, completion_tokens=45)
        )
        router = await limited(fleet, upstream, clock, tpm=100)
        assert (await ask(router, max_tokens=5000)).choices
        assert isinstance(await failure(router, max_tokens=5000, **HURRY), RateLimitError)
        clock.advance(60)
        assert (await ask(router, max_tokens=5000)).choices


class TestSlots:
    @pytest.mark.parametrize("callers", [50, 1000])
    async def test_never_more_at_once(self, fleet: Fleet, callers: int) -> None:
        """max_parallel_requests is never exceeded, and everybody is answered in the end."""
        one, two = await fleet.start("openai", "openai", latency=0.001)
        entries = [
            one.deployment("smart", max_parallel_requests=3),
            two.deployment("smart", max_parallel_requests=20),
        ]
        router = await fleet.router(
            {"smart": entries}, routing_strategy="adaptive", rng=random.Random(1)
        )
        ended = await outcomes(*(ask(router) for _ in range(callers)))
        assert ended == {"ok": callers}
        assert one.most_in_flight == 3
        assert two.most_in_flight == 20
        assert in_flight(router) == 0

    async def test_default_for_all(self, fleet: Fleet) -> None:
        """default_max_parallel_requests holds for deployments that say nothing themselves."""
        one, two = await fleet.start("openai", "openai", latency=0.002)
        router = await fleet.router(
            {"smart": [one, two.deployment("smart", max_parallel_requests=4)]},
            default_max_parallel_requests=2,
            rng=random.Random(1),
        )
        await asyncio.gather(*(ask(router) for _ in range(50)))
        assert (one.most_in_flight, two.most_in_flight) == (2, 4)

    async def test_streams_hold_their_slot_to_the_end(self, fleet: Fleet) -> None:
        """A stream has its slot until it is exhausted, not until it begins."""
        (upstream,) = await fleet.start("openai", answer="a b c")
        router = await limited(fleet, upstream, max_parallel_requests=1)
        stream = await ask(router, stream=True)
        assert isinstance(await failure(router, timeout=0.05), APIError)
        assert await read(stream) == "a b c"
        assert (await ask(router, timeout=1)).choices

    @pytest.mark.parametrize(
        "ending", ["error", "timeout", "cancelled", "abandoned", "forgotten", "broken", "refused"]
    )
    async def test_slot_comes_back(self, fleet: Fleet, ending: str) -> None:
        """However a call ends, its slot is free at once for the next one."""
        (upstream,) = await fleet.start("openai", answer="a b c")
        entry = upstream.deployment("smart", max_parallel_requests=1)
        router = await fleet.router({"smart": [entry]}, num_retries=0, disable_cooldowns=True)
        await END[ending](router, upstream)
        await quiet(upstream)
        assert in_flight(router) == 0
        assert (await ask(router, timeout=0.5)).choices

    async def test_dead_connections_give_it_back(self, fleet: Fleet) -> None:
        """A slot that nobody could be reached with is free again."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("smart", max_parallel_requests=1)
        router = await fleet.router({"smart": [entry]}, num_retries=0, disable_cooldowns=True)
        upstream.kill()
        ended = await outcomes(*(ask(router, timeout=1) for _ in range(20)))
        assert ended == {"APIConnectionError": 20}
        upstream.revive()
        assert (await ask(router, timeout=0.5)).choices

    async def test_quota_used_up_in_the_queue(self, fleet: Fleet, clock: FakeClock) -> None:
        """Who waits for a slot is told at once when the quota behind it has been used up."""
        (upstream,) = await fleet.start("openai", latency=0.01)
        router = await limited(fleet, upstream, clock, rpm=5, max_parallel_requests=5)
        ended, seconds = await timed(outcomes(*(ask(router, timeout=1) for _ in range(20))))
        assert ended == {"ok": 5, "RateLimitError": 15}
        assert seconds < 0.3

    async def test_retry_waits_without_a_slot(self, fleet: Fleet) -> None:
        """A call that backs off holds nobody up meanwhile."""
        (upstream,) = await fleet.start("openai")
        router = await limited(fleet, upstream, max_parallel_requests=1)
        upstream.fail(503, retry_after=0.2)
        backing_off = asyncio.create_task(ask(router))
        await upstream.until(lambda it: bool(it.requests))
        other, seconds = await timed(ask(router))
        assert seconds < 0.15
        assert other.choices
        await backing_off

    async def test_sibling_before_waiting(self, fleet: Fleet) -> None:
        """Nobody stands in a queue while a sibling has a free slot."""
        one, two = await fleet.start("openai", "openai", latency=0.02)
        entries = [
            it.deployment("smart", id=it.base_url, max_parallel_requests=5) for it in (one, two)
        ]
        router = await fleet.router({"smart": entries})
        answers = await asyncio.gather(*(ask(router) for _ in range(10)))
        assert set(served(answers).values()) == {5}
        assert max(it.route.attempts[0].queued for it in answers) < 0.015


async def _error(router: Router, upstream: Upstream) -> None:
    upstream.fail(500)
    await failure(router)


async def _refused(router: Router, upstream: Upstream) -> None:
    with pytest.raises(APIError):
        await router.acompletion("smart", HI, temperature=object())


async def _timeout(router: Router, upstream: Upstream) -> None:
    upstream.hang()
    await failure(router, timeout=0.03)


async def _cancelled(router: Router, upstream: Upstream) -> None:
    upstream.hang()
    call = asyncio.create_task(ask(router))
    await upstream.until(lambda it: it.in_flight == 1)
    call.cancel()
    await asyncio.wait([call])


async def _abandoned(router: Router, upstream: Upstream) -> None:
    upstream.hang(after_chunks=1)
    async with await ask(router, stream=True) as stream:
        await anext(stream)


async def _forgotten(router: Router, upstream: Upstream) -> None:
    upstream.hang(after_chunks=1)
    stream = await ask(router, stream=True)
    del stream
    await asyncio.sleep(0.01)


async def _broken(router: Router, upstream: Upstream) -> None:
    upstream.cut(after_chunks=1)
    with pytest.raises(APIError):
        await read(await ask(router, stream=True))


END = {
    "abandoned": _abandoned,
    "broken": _broken,
    "cancelled": _cancelled,
    "error": _error,
    "forgotten": _forgotten,
    "refused": _refused,
    "timeout": _timeout,
}


class TestPlaces:
    """Calls that wait for a place in a quota, while things change."""

    @staticmethod
    async def emptied(fleet: Fleet, **settings: Any) -> tuple[Router, Upstream, Upstream]:
        """A deployment whose quota has just been used up, with a place every 60 ms, and a spare."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one.deployment("smart", id="a", rpm=1200)], "spare": [two]},
            num_retries=0,
            **settings,
        )
        one.fail(429, retry_after=0)
        await failure(router, fallbacks=[])
        one.requests.clear()
        return router, one, two

    async def test_dead_meanwhile(self, fleet: Fleet) -> None:
        """Who waits for a place at a deployment that begins to rest is not sent there any more."""
        router, one, _ = await self.emptied(
            fleet, fallbacks=[{"smart": ["spare"]}], allowed_fails=1
        )
        calls = [asyncio.ensure_future(ask(router)) for _ in range(10)]
        await asyncio.sleep(0)
        one.fail(500, times=None)
        answers = await asyncio.gather(*calls)
        assert served(answers) == {"spare-0": 10}
        assert len(one.requests) <= 3
        assert in_flight(router) == 0

    async def test_removed_meanwhile(self, fleet: Fleet) -> None:
        """Who waits for a place at a deployment that is removed goes elsewhere."""
        router, one, _ = await self.emptied(fleet, fallbacks=[{"smart": ["spare"]}])
        calls = [asyncio.ensure_future(ask(router)) for _ in range(5)]
        await asyncio.sleep(0.01)
        router.remove_deployment("a")
        answers = await asyncio.gather(*calls)
        assert served(answers) == {"spare-0": 5}
        assert one.requests == []

    async def test_places_are_taken_in_order(self, fleet: Fleet) -> None:
        """Places are given to callers in the order in which they come, one after the other."""
        router, one, _ = await self.emptied(fleet)
        await asyncio.gather(*(ask(router, user=name) for name in "abcde"))
        assert "".join(it.body["user"] for it in one.requests) == "abcde"
