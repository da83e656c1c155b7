"""The caller's deadline is law: whatever hangs, nobody waits longer than he said."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, RateLimitError, StreamInterruptedError, Timeout

from .helpers import (
    LongestWait,
    ask,
    failure,
    in_flight,
    path,
    quiet,
    read,
    timed,
)

if TYPE_CHECKING:
    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

GRACE = 0.05
"""Seconds after its deadline within which a call must have ended."""


class TestWholeBudget:
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("deployments", [1, 3])
    @pytest.mark.parametrize("retries", [0, 5])
    async def test_hanging(
        self, fleet: Fleet, stream: bool, deployments: int, retries: int
    ) -> None:
        """However many deployments hang, a call ends at its deadline."""
        upstreams = await fleet.start(*["openai"] * deployments)
        router = await fleet.router({"smart": upstreams}, num_retries=retries)
        for upstream in upstreams:
            upstream.hang(times=None)
        error, seconds = await timed(ask(router, timeout=0.2, stream=stream))
        assert isinstance(error, Timeout)
        assert 0.19 < seconds < 0.2 + GRACE
        await quiet(*upstreams)
        assert in_flight(router) == 0

    async def test_many_hanging_at_once(self, fleet: Fleet) -> None:
        """50 callers of a hanging group all end at their own deadlines."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one, two]}, routing_strategy="adaptive", rng=random.Random(1)
        )
        one.hang(times=None)
        two.hang(times=None)
        limits = [0.1 + 0.004 * number for number in range(50)]
        ended = await asyncio.gather(*(timed(ask(router, timeout=limit)) for limit in limits))
        late = [seconds - limit for (_, seconds), limit in zip(ended, limits, strict=True)]
        assert max(late) < GRACE
        assert all(isinstance(error, Timeout) for error, _ in ended)
        assert in_flight(router) == 0

    @pytest.mark.parametrize("after", ["nothing", "headers", "half"])
    async def test_wherever_it_hangs(self, fleet: Fleet, after: str) -> None:
        """Silence after the connection, after the headers or within the body is all the same."""
        head = fleet.http(content_type="application/json", content_length="500")
        pieces = {"nothing": (), "headers": (head,), "half": (head, b'{"choices": [')}[after]
        raw = await fleet.raw(*pieces, hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        error, seconds = await timed(ask(router, timeout=0.15))
        assert isinstance(error, Timeout)
        assert seconds < 0.15 + GRACE
        async with asyncio.timeout(0.1):
            while raw.open:
                await asyncio.sleep(0.005)

    async def test_trickle(self, fleet: Fleet) -> None:
        """A body that comes byte by byte does not buy time."""
        head = fleet.http(content_type="application/json", content_length="500")
        raw = await fleet.raw(head, *[b" "] * 300)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        error, seconds = await timed(ask(router, timeout=0.15))
        assert isinstance(error, Timeout)
        assert seconds < 0.15 + GRACE

    async def test_role_and_pings_do_not_count(self, fleet: Fleet) -> None:
        """A stream without content has not begun: pings and roles do not stop the clock."""
        role = b'data: {"choices": [{"index": 0, "delta": {"role": "assistant"}}]}\n\n'
        head = fleet.http(content_type="text/event-stream")
        raw = await fleet.raw(head, role, *[b": ping\n\n"] * 200)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        error, seconds = await timed(ask(router, timeout=0.15, stream=True))
        assert isinstance(error, Timeout)
        assert seconds < 0.15 + GRACE

    async def test_router_timeout(self, fleet: Fleet) -> None:
        """`timeout` of the Router is the budget of calls that say nothing."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, timeout=0.1)
        upstream.hang(times=None)
        _, seconds = await timed(ask(router))
        assert seconds < 0.1 + GRACE
        _, seconds = await timed(ask(router, timeout=0.2))
        assert 0.19 < seconds < 0.2 + GRACE

    async def test_over_everything(self, fleet: Fleet) -> None:
        """Retries, pauses, siblings and fallbacks together stay within the budget."""
        upstreams = await fleet.start(*["openai"] * 4)
        groups = {"a": upstreams[:2], "b": upstreams[2:3], "c": upstreams[3:]}
        router = await fleet.router(groups, fallbacks=[{"a": ["b", "c"]}], rng=LongestWait(1))
        upstreams[0].fail(503, times=None)
        for upstream in upstreams[1:]:
            upstream.hang(times=None)
        error, seconds = await timed(ask(router, "a", timeout=0.3))
        assert isinstance(error, Timeout)
        assert seconds < 0.3 + GRACE
        assert len(path(error)) >= 3

    async def test_timeout_that_is_none_of_ours(self, fleet: Fleet) -> None:
        """A caller's own asyncio.timeout around a call works and leaves nothing behind."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.hang()
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                await ask(router)
        assert not isinstance(caught.value, APIError)
        await quiet(upstream)
        assert in_flight(router) == 0

    @pytest.mark.parametrize("nonsense", [0, -1, "soon", float("nan"), True])
    async def test_nonsense(self, fleet: Fleet, nonsense: Any) -> None:
        """A timeout that is no positive number of seconds is refused by name."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        assert "timeout" in (await failure(router, timeout=nonsense)).message
        assert upstream.requests == []


class TestShares:
    async def test_sibling_is_reachable(self, fleet: Fleet) -> None:
        """An attempt gets 60 % of the time while a sibling is left."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.hang(times=None)
        answer = await ask(router, timeout=0.4)
        assert answer.route.attempts[0].ended == pytest.approx(0.24, abs=0.04)
        assert answer.route.served_by == "smart-1"

    async def test_fallback_is_reachable(self, fleet: Fleet) -> None:
        """An attempt gets 60 % of the time while a fallback group is left."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"a": [one], "b": [two]}, fallbacks=[{"a": ["b"]}])
        one.hang(times=None)
        answer = await ask(router, "a", timeout=0.4)
        assert answer.route.attempts[0].ended == pytest.approx(0.24, abs=0.04)
        assert answer.route.served_by == "b-0"

    async def test_last_one_has_all_that_is_left(self, fleet: Fleet) -> None:
        """The last that can be asked has the whole rest of the time."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"a": [one], "b": [two]}, fallbacks=[{"a": ["b"]}], num_retries=0
        )
        one.hang(times=None)
        two.latency = 0.11
        answer = await ask(router, "a", timeout=0.4)
        assert answer.route.served_by == "b-0"

    async def test_only_one_has_all(self, fleet: Fleet) -> None:
        """Without anybody else an attempt has the whole budget."""
        (upstream,) = await fleet.start("openai", latency=0.17)
        router = await fleet.router({"smart": [upstream]})
        assert path(await ask(router, timeout=0.2)) == [("smart-0", "first")]

    async def test_own_limit(self, fleet: Fleet) -> None:
        """`timeout` of a deployment limits one attempt there."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", id="a", timeout=0.05), two.deployment("smart", id="b")]
        router = await fleet.router({"smart": entries})
        one.hang(times=None)
        answer, seconds = await timed(ask(router))
        assert path(answer) == [("a", "first"), ("b", "sibling")]
        assert 0.04 < seconds < 0.05 + GRACE
        assert answer.route.attempts[0].error == "Timeout"

    async def test_own_limit_is_not_the_callers(self, fleet: Fleet) -> None:
        """A deployment's generous limit never stretches the caller's budget."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream.deployment("smart", timeout=30)]})
        upstream.hang(times=None)
        _, seconds = await timed(ask(router, timeout=0.1))
        assert seconds < 0.1 + GRACE


class TestStreams:
    async def test_timeout_ends_with_the_first_content(self, fleet: Fleet) -> None:
        """`timeout` bounds a stream up to its first content, not beyond."""
        (upstream,) = await fleet.start("openai", answer="a b c d", chunk_delay=0.04)
        router = await fleet.router({"smart": [upstream]})
        assert await read(await ask(router, timeout=0.08, stream=True)) == "a b c d"

    @pytest.mark.parametrize("where", ["router", "call", "deployment"])
    async def test_stream_timeout(self, fleet: Fleet, where: str) -> None:
        """stream_timeout bounds each attempt up to the first content: the sibling is asked."""
        one, two = await fleet.start("openai", "openai")
        limit = {"stream_timeout": 0.05}
        entries = [
            one.deployment("smart", **(limit if where == "deployment" else {})),
            two.deployment("smart", id="b"),
        ]
        router = await fleet.router({"smart": entries}, **(limit if where == "router" else {}))
        one.hang(times=None)
        stream, seconds = await timed(
            ask(router, stream=True, **(limit if where == "call" else {}))
        )
        assert stream.route.attempts[-1].deployment_id == "b"
        assert 0.04 < seconds < 0.05 + GRACE
        await stream.aclose()

    async def test_stream_timeout_is_for_streams(self, fleet: Fleet) -> None:
        """stream_timeout says nothing about whole answers."""
        (upstream,) = await fleet.start("openai", latency=0.06)
        router = await fleet.router({"smart": [upstream]}, stream_timeout=0.03)
        assert (await ask(router)).choices

    @pytest.mark.parametrize("where", ["router", "call"])
    async def test_idle_limit(self, fleet: Fleet, where: str) -> None:
        """stream_idle_timeout bounds each gap; what had come is in the error."""
        (upstream,) = await fleet.start("openai", answer="a b c")
        limit = {"stream_idle_timeout": 0.06}
        router = await fleet.router({"smart": [upstream]}, **(limit if where == "router" else {}))
        upstream.hang(after_chunks=2)
        stream = await ask(router, stream=True, **(limit if where == "call" else {}))
        start = time.monotonic()
        with pytest.raises(StreamInterruptedError) as caught:
            await read(stream)
        assert 0.05 < time.monotonic() - start < 0.06 + GRACE
        assert caught.value.partial_message.content == "a b"
        await quiet(upstream)

    async def test_idle_limit_is_for_gaps(self, fleet: Fleet) -> None:
        """A stream of many short gaps may last longer than the limit; so may a slow reader."""
        (upstream,) = await fleet.start("openai", answer="a b c d e", chunk_delay=0.03)
        router = await fleet.router({"smart": [upstream]}, stream_idle_timeout=0.06)
        assert await read(await ask(router, stream=True)) == "a b c d e"
        stream = await ask(router, stream=True)
        await anext(stream)
        await asyncio.sleep(0.1)
        assert (await read(stream)).endswith("e")

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    async def test_force_timeout(self, fleet: Fleet, stream: bool) -> None:
        """force_timeout bounds everything, a stream's end included."""
        (upstream,) = await fleet.start("openai", answer="a " * 100, chunk_delay=0.02)
        upstream.latency = 0 if stream else 5
        router = await fleet.router({"smart": [upstream]})
        start = time.monotonic()
        with pytest.raises((StreamInterruptedError, Timeout)):
            await read(await ask(router, stream=stream, force_timeout=0.12))
        assert 0.11 < time.monotonic() - start < 0.12 + GRACE
        await quiet(upstream)
        assert in_flight(router) == 0


class TestWaits:
    async def test_quota_is_no_excuse(self, fleet: Fleet) -> None:
        """Waiting for quota or a rest never outlasts the deadline."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream.deployment("smart", rpm=1)]})
        await ask(router)
        error, seconds = await timed(ask(router, timeout=2.1))
        assert isinstance(error, RateLimitError)
        assert seconds < 0.1

    async def test_total_outage_ends_in_time(self, fleet: Fleet) -> None:
        """When everybody rests, callers are told the truth within their deadline."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, rng=random.Random(1))
        upstream.fail(500, times=None)
        ended = await asyncio.gather(*(timed(ask(router, timeout=0.5)) for _ in range(100)))
        assert max(seconds for _, seconds in ended) < 0.5 + GRACE
        assert all(isinstance(error, APIError) for error, _ in ended)


class TestGuilt:
    """Whose fault it is that time ran out."""

    async def test_usual_time_passed(self, fleet: Fleet) -> None:
        """A deployment that hangs far beyond its usual time is to blame, limit or not."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, allowed_fails=1)
        for _ in range(30):
            await ask(router)
        one.hang(times=None)
        for _ in range(2):
            await ask(router, timeout=0.3)
        assert router.stats()[0]["state"] == "open"

    async def test_many_at_once(self, fleet: Fleet) -> None:
        """However many callers time out there at once, who hangs is known to hang."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        for _ in range(20):
            await ask(router)
        one.hang(times=None)
        answers = await asyncio.gather(*(ask(router, timeout=0.4) for _ in range(30)))
        assert {answer.route.served_by for answer in answers} == {"smart-1"}
        assert router.stats()[0]["state"] == "open"

    async def test_force_timeout_is_the_callers(self, fleet: Fleet) -> None:
        """A stream that the caller's force_timeout ends is nobody's failure, and not resumed."""
        one, two = await fleet.start("openai", "openai", answer="a b c d", chunk_delay=0.03)
        router = await fleet.router(
            {"smart": [one, two]}, allowed_fails=0, on_stream_break="resume"
        )
        start = time.monotonic()
        with pytest.raises(StreamInterruptedError):
            await read(await ask(router, stream=True, force_timeout=0.08))
        assert time.monotonic() - start < 0.08 + GRACE
        assert two.requests == []
        assert [row["state"] for row in router.stats()] == ["closed", "closed"]

    async def test_force_timeout_bounds_going_on(self, fleet: Fleet) -> None:
        """A stream that goes on elsewhere is still bounded by the caller's force_timeout."""
        one, two = await fleet.start("openai", "openai", answer="a b c d")
        router = await fleet.router({"smart": [one, two]}, on_stream_break="resume")
        one.cut(after_chunks=2)
        two.hang(times=None, after_chunks=3)
        start = time.monotonic()
        with pytest.raises(StreamInterruptedError) as caught:
            await read(await ask(router, stream=True, force_timeout=0.15))
        assert time.monotonic() - start < 0.15 + GRACE
        assert caught.value.partial_message.content == "a b c"
        await quiet(one, two)
        assert in_flight(router) == 0
