"""What is tried again: where, when, how often, and what bounds it."""

from __future__ import annotations

import asyncio
import random
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, InternalServerError, RateLimitError, Timeout

from .helpers import LongestWait, ask, failure, outcomes, path, read, timed

if TYPE_CHECKING:
    from polyroute.testing import FakeClock

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

PASSING = (408, 409, 429, 500, 502, 503, 504, 529)
REFUSED_HERE = (401, 402, 403, 404)
REFUSED_ANYWHERE = (400, 413, 422)


class TestStatus:
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    @pytest.mark.parametrize("status", PASSING)
    async def test_what_passes(self, fleet: Fleet, status: int, stream: bool) -> None:
        """What may pass is tried again at the same deployment when there is no other."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(status, retry_after=0.01)
        answer = await ask(router, stream=stream)
        assert [reason for _, reason in path(answer)] == ["first", "retry"]
        if stream:
            assert await read(answer) == "Hello!"

    @pytest.mark.parametrize("status", [*PASSING, *REFUSED_HERE])
    async def test_sibling_at_once(self, fleet: Fleet, status: int) -> None:
        """Whatever is wrong with one deployment, its sibling is asked at once, without a pause."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, rng=LongestWait(1), num_retries=1)
        one.fail(status, retry_after=30, times=None)
        two.fail(status, retry_after=30, times=None)
        error, seconds = await timed(ask(router))
        assert [id for id, _ in path(error)] in (["smart-0", "smart-1"], ["smart-1", "smart-0"])
        assert error.status_code in (status, 403 if status == 402 else status)
        assert seconds < 0.2

    @pytest.mark.parametrize("status", [*REFUSED_HERE, *REFUSED_ANYWHERE])
    async def test_what_stays(self, fleet: Fleet, status: int) -> None:
        """What is refused is not asked again of the same deployment."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=5)
        upstream.fail(status, times=None)
        await failure(router)
        assert len(upstream.requests) == 1

    @pytest.mark.parametrize("status", REFUSED_ANYWHERE)
    async def test_callers_mistake(self, fleet: Fleet, status: int) -> None:
        """A bad request is not carried from one deployment to the next."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, num_retries=5)
        one.fail(status)
        assert (await failure(router)).status_code == status
        assert two.requests == []

    async def test_siblings_before_anybody_twice(self, fleet: Fleet) -> None:
        """Everybody is asked once before anybody is asked again."""
        upstreams = await fleet.start(*["openai"] * 3)
        router = await fleet.router({"smart": upstreams}, num_retries=5)
        for upstream in upstreams:
            upstream.fail(500)
        answer = await ask(router)
        reasons = [reason for _, reason in path(answer)]
        assert reasons == ["first", "sibling", "sibling", "retry"]
        assert len({id for id, _ in path(answer)[:3]}) == 3

    async def test_four_wire_formats_of_trouble(self, fleet: Fleet) -> None:
        """A refused connection, a hang-up, a cut body and rubbish all lead to the sibling."""
        good, dropping, cutting, dead = await fleet.start(*["openai"] * 4)
        rubbish = await fleet.raw(fleet.http(b"<html>no</html>", content_type="text/html"))
        dropping.drop(times=None)
        cutting.cut(times=None)
        dead.kill()
        members = [dropping, cutting, dead, rubbish.deployment("smart", weight=1), good]
        router = await fleet.router({"smart": members}, num_retries=4)
        answer = await ask(router)
        assert len(path(answer)) == 5
        assert answer.route.served_by == "smart-4"


class TestRetryAfter:
    @pytest.mark.parametrize(
        "headers",
        [
            {"retry-after": "0.08"},
            {"retry-after-ms": "80"},
            {"retry-after-ms": "80", "retry-after": "9"},
        ],
        ids=["fraction", "milliseconds", "milliseconds-first"],
    )
    @pytest.mark.parametrize("status", [429, 503])
    async def test_is_kept(self, fleet: Fleet, status: int, headers: dict[str, str]) -> None:
        """`Retry-After` in fractions and `retry-after-ms` are waited for, not longer."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, rng=LongestWait(1))
        upstream.headers = headers
        upstream.fail(status)
        answer, seconds = await timed(ask(router))
        assert len(path(answer)) == 2
        assert 0.08 <= seconds < 0.35

    async def test_date(self, fleet: Fleet) -> None:
        """`Retry-After` as a date is waited for until then."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.headers = {"retry-after": formatdate(time.time() + 30, usegmt=True)}
        upstream.fail(429)
        assert (await failure(router)).retry_after == pytest.approx(30, abs=2)

    async def test_date_that_has_passed(self, fleet: Fleet) -> None:
        """A date in the past means now."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, rng=LongestWait(1))
        upstream.headers = {"retry-after": formatdate(time.time() - 300, usegmt=True)}
        upstream.fail(429)
        answer, seconds = await timed(ask(router))
        assert len(path(answer)) == 2
        assert seconds < 0.3

    @pytest.mark.parametrize("nonsense", ["soon", "", "-5", "nan", "1e400"])
    async def test_nonsense(self, fleet: Fleet, nonsense: str) -> None:
        """A `Retry-After` that says nothing sensible does no harm."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.headers = {"retry-after": nonsense}
        one.fail(429)
        assert (await ask(router)).route.served_by == "smart-1"

    async def test_beyond_the_deadline(self, fleet: Fleet) -> None:
        """A wait that would outlast the caller's time is not begun; the error says how long."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(429, retry_after=25, times=None)
        error, seconds = await timed(ask(router, timeout=10))
        assert isinstance(error, RateLimitError)
        assert error.retry_after == 25
        assert seconds < 0.1

    async def test_beyond_twenty_seconds(self, fleet: Fleet) -> None:
        """Nobody is kept waiting longer than 20 s, however much time there would be."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(429, retry_after=25, times=None)
        error, seconds = await timed(ask(router, timeout=600))
        assert isinstance(error, RateLimitError)
        assert seconds < 0.1

    async def test_not_waited_for_with_a_fallback(self, fleet: Fleet) -> None:
        """With a fallback group at hand, a wait of more than a second is not begun."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}]
        )
        one.fail(429, retry_after=3)
        answer, seconds = await timed(ask(router))
        assert path(answer) == [("smart-0", "first"), ("backup-0", "fallback")]
        assert seconds < 0.2


class TestNumber:
    @pytest.mark.parametrize("number", [0, 1, 3])
    async def test_counts_further_attempts(self, fleet: Fleet, number: int) -> None:
        """num_retries is the number of further attempts; 0 is exactly one attempt."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=number)
        upstream.fail(500, times=None)
        await failure(router)
        assert len(upstream.requests) == 1 + number

    async def test_is_two_by_default(self, fleet: Fleet) -> None:
        """Without any word about it, there are two further attempts."""
        upstreams = await fleet.start(*["openai"] * 5)
        router = await fleet.router({"smart": upstreams})
        for upstream in upstreams:
            upstream.fail(500, times=None)
        assert len(path(await failure(router))) == 3

    @pytest.mark.parametrize(
        ("call", "deployment", "policy", "expected"),
        [(1, 2, 3, 1), (0, 2, 3, 0), (None, 2, 3, 2), (None, 0, 3, 0), (None, None, 3, 3)],
    )
    async def test_precedence(
        self, fleet: Fleet, call: Any, deployment: Any, policy: int, expected: int
    ) -> None:
        """The call's word comes before the deployment's, that before the exception's policy."""
        (upstream,) = await fleet.start("openai")
        own = {} if deployment is None else {"num_retries": deployment}
        router = await fleet.router(
            {"smart": [upstream.deployment("smart", **own)]},
            num_retries=4,
            retry_policy={"InternalServerError": policy},
            disable_cooldowns=True,
        )
        upstream.fail(500, times=None)
        assert len(path(await failure(router, num_retries=call))) == 1 + expected

    @pytest.mark.parametrize(("status", "attempts"), [(500, 1), (429, 4), (503, 2)])
    async def test_by_exception(self, fleet: Fleet, status: int, attempts: int) -> None:
        """retry_policy says by the kind of error how often it goes on."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router(
            {"smart": [upstream]},
            num_retries=1,
            retry_policy={"InternalServerError": 0, "RateLimitError": 3},
            disable_cooldowns=True,
        )
        upstream.fail(status, times=None, retry_after=0)
        assert len(path(await failure(router))) == attempts

    async def test_litellms_names(self, fleet: Fleet) -> None:
        """LiteLLM's field names (`TimeoutErrorRetries`) say the same."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router(
            {"smart": [upstream]}, retry_policy={"InternalServerErrorRetries": 0}, num_retries=3
        )
        upstream.fail(500, times=None)
        assert len(path(await failure(router))) == 1

    async def test_by_alias(self, fleet: Fleet) -> None:
        """model_group_retry_policy holds for its alias and for no other."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"a": [one], "b": [two]},
            num_retries=2,
            model_group_retry_policy={"a": {"InternalServerError": 0}},
        )
        one.fail(500, times=None)
        two.fail(500, times=None)
        assert len(path(await failure(router, "a"))) == 1
        assert len(path(await failure(router, "b"))) == 3

    async def test_by_call(self, fleet: Fleet) -> None:
        """A call can bring its own policy."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, retry_policy={"InternalServerError": 3})
        upstream.fail(500, times=None)
        assert len(path(await failure(router, retry_policy={"InternalServerError": 1}))) == 2

    async def test_each_group_has_its_own(self, fleet: Fleet) -> None:
        """The number counts inside a group: a fallback group begins with all of its attempts."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}], num_retries=1
        )
        one.fail(500, times=None)
        two.fail(500, times=1)
        answer = await ask(router)
        reasons = [reason for _, reason in path(answer)]
        assert reasons == ["first", "retry", "fallback", "retry"]


class TestPauses:
    async def test_none_past_the_deadline(self, fleet: Fleet) -> None:
        """No pause is begun that would end after the deadline: the true error comes at once."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, rng=LongestWait(1))
        upstream.fail(500, times=None)
        error, seconds = await timed(ask(router, timeout=0.3))
        assert isinstance(error, InternalServerError)
        assert seconds < 0.15

    async def test_none_after_the_last(self, fleet: Fleet) -> None:
        """After the last attempt there is no pause."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, rng=LongestWait(1), num_retries=0)
        upstream.fail(500, times=None)
        _, seconds = await timed(ask(router))
        assert seconds < 0.1

    async def test_cancelled_in_a_pause(self, fleet: Fleet) -> None:
        """A call that is cancelled while it backs off ends at once and asks nobody any more."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, rng=LongestWait(1))
        upstream.fail(500, times=None)
        call = asyncio.create_task(ask(router))
        await upstream.until(lambda it: bool(it.requests) and not it.in_flight)
        await asyncio.sleep(0.02)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert len(upstream.requests) == 1


class TestBudget:
    @pytest.mark.parametrize("deployments", [1, 2, 3, 6])
    @pytest.mark.parametrize("how", ["500", "dead"])
    async def test_total_outage(self, fleet: Fleet, deployments: int, how: str) -> None:
        """With everything down, upstreams see at most 1.2 times the offered calls."""
        calls = 300
        upstreams = await fleet.start(*["openai"] * deployments)
        router = await fleet.router(
            {"smart": upstreams}, routing_strategy="adaptive", rng=random.Random(1)
        )
        for upstream in upstreams:
            if how == "dead":
                upstream.kill()
            else:
                upstream.fail(500, times=None)
        await outcomes(*(ask(router, timeout=1.5) for _ in range(20)))
        for _ in range(calls - 20):
            await failure(router, timeout=1.5)
        attempts = sum(row["calls"] for row in router.stats())
        assert attempts <= 1.2 * calls
        if how != "dead":
            assert sum(len(upstream.requests) for upstream in upstreams) == attempts

    async def test_total_outage_without_rests(self, fleet: Fleet) -> None:
        """Also without cooldowns the retries of all calls together stay within the budget."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, disable_cooldowns=True)
        upstream.fail(500, times=None)
        for _ in range(300):
            await failure(router)
        assert len(upstream.requests) <= 1.2 * 300

    @pytest.mark.parametrize("callers", [1, 50, 300])
    @pytest.mark.parametrize("deployments", [1, 3])
    async def test_outage_after_good_times(
        self, fleet: Fleet, deployments: int, callers: int
    ) -> None:
        """A thousand successes before it do not let an outage be multiplied."""
        upstreams = await fleet.start(*["openai"] * deployments)
        router = await fleet.router({"smart": upstreams}, routing_strategy="adaptive")
        for _ in range(20):
            await asyncio.gather(*(ask(router) for _ in range(50)))
        for upstream in upstreams:
            upstream.fail(500, times=None)
            upstream.requests.clear()
        for _ in range(300 // callers):
            await asyncio.gather(*(failure(router, timeout=1.5) for _ in range(callers)))
        assert sum(len(upstream.requests) for upstream in upstreams) <= 1.2 * 300

    async def test_outage_of_429(self, fleet: Fleet, clock: FakeClock) -> None:
        """Callers are not multiplied by a provider that refuses everybody with 429."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, clock=clock)
        for upstream in (one, two):
            upstream.fail(429, retry_after=0, times=None)
        for _ in range(300):
            await failure(router, timeout=1.5)
        assert len(one.requests) + len(two.requests) <= 1.2 * 300

    async def test_is_earned_by_success(self, fleet: Fleet, clock: FakeClock) -> None:
        """After an outage successes bring retries back."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, disable_cooldowns=True, clock=clock)
        upstream.fail(500, times=None)
        for _ in range(40):
            await failure(router)
        before = len(upstream.requests)
        await failure(router)
        assert len(upstream.requests) == before + 1
        upstream.heal()
        for _ in range(50):
            await ask(router)
        upstream.fail(500)
        assert len(path(await ask(router))) == 2


class TestVerdict:
    async def test_first_meaningful_error(self, fleet: Fleet) -> None:
        """When everything fails the first error of a provider is raised, with the whole route."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router(
            {"smart": [one, two], "backup": [three]},
            fallbacks=[{"smart": ["backup"]}],
            num_retries=1,
        )
        one.fail(503, message="the first", times=None)
        two.fail(500, times=None)
        three.kill()
        error = await failure(router)
        assert error.message == "the first"
        assert len(path(error)) == 4

    async def test_passed_budget_is_a_timeout(self, fleet: Fleet) -> None:
        """If time has run out, the error is a Timeout that comes from the last error."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(500)
        upstream.hang(times=None)
        error = await failure(router, timeout=0.1)
        assert isinstance(error, Timeout)
        assert isinstance(error.__cause__, APIError)

    async def test_our_own_bug_is_not_retried(self, fleet: Fleet) -> None:
        """An exception of a user's strategy goes to the caller as it is, and asks nobody."""

        class Broken:
            def pick(self, candidates: Any, request: Any) -> Any:
                raise ZeroDivisionError

        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, routing_strategy=Broken())
        with pytest.raises(ZeroDivisionError):
            await ask(router)
        assert one.requests == two.requests == []


async def test_whoever_is_back_first(fleet: Fleet) -> None:
    """If all siblings refuse with 429, the one that is back first is asked, when it is."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one, two]})
    one.fail(429, retry_after=1.5)
    two.fail(429, retry_after=0.1)
    answer, seconds = await timed(ask(router))
    assert answer.route.served_by == "smart-1"
    assert 0.1 <= seconds < 0.4
