"""One call's way through groups, attempts and errors, over real sockets."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    Router,
    ServiceUnavailableError,
    Timeout,
)

if TYPE_CHECKING:
    from conftest import Fleet

    from polyroute.testing import FakeClock

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]


def path(outcome: Any) -> list[tuple[str, str]]:
    """The attempts of an answer or error: deployment and reason."""
    return [(attempt.deployment_id, attempt.reason) for attempt in outcome.route.attempts]


async def failure(router: Router, model: str = "smart", **params: Any) -> APIError:
    """The error that a call ends in."""
    with pytest.raises(APIError) as caught:
        await router.acompletion(model, HI, **params)
    return caught.value


def in_flight(router: Router) -> int:
    """Attempts that the books still hold open."""
    return sum(row["in_flight"] for row in router.stats())


class TestChoice:
    async def test_alias_leads_to_its_deployments(self, fleet: Fleet) -> None:
        """A call for an alias is answered by one of its deployments and by no other."""
        mine, other = await fleet.start("openai", "openai")
        router = await fleet.router({"other": [other], "smart": [mine]})
        answer = await router.acompletion("smart", HI)
        assert answer.choices[0].message.content == "Hello!"
        assert (len(mine.requests), len(other.requests)) == (1, 0)

    async def test_deployment_id_is_a_name_too(self, fleet: Fleet) -> None:
        """A deployment can be called by its id, and its siblings stay out of it."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        answer = await router.acompletion("smart-1", HI)
        assert answer.route.served_by == "smart-1"
        assert router.aliases == ["smart"]

    async def test_id_may_not_be_taken_by_an_alias(self, fleet: Fleet) -> None:
        """An id and another deployment's alias that are equal would be ambiguous: refused."""
        (upstream,) = await fleet.start("openai")
        entries = [upstream.deployment("smart", id="cheap"), upstream.deployment("cheap", id="x")]
        with pytest.raises(ConfigurationError, match="cheap"):
            Router(model_list=entries)

    async def test_id_equal_to_its_own_alias(self, fleet: Fleet) -> None:
        """A deployment whose id is its alias is one deployment, and the alias can be seen."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream.deployment("smart", id="smart")]})
        assert router.aliases == ["smart"]
        assert len(router.stats()) == 1
        upstream.fail(500)
        assert (await failure(router, num_retries=0)).status_code == 500
        router.remove_deployment("smart")
        assert router.aliases == []

    async def test_unknown_alias_lists_the_known(self, fleet: Fleet) -> None:
        """An unknown alias is an error at once that names the nearest and all there are."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router(
            {"smart": [upstream], "b": [upstream]}, fallbacks=[{"*": ["b"]}]
        )
        error = await failure(router, "smrt")
        assert isinstance(error, NotFoundError)
        assert "did you mean 'smart'" in error.message
        assert error.message.endswith("there are: b, smart")
        assert upstream.requests == []

    @pytest.mark.parametrize("model", [None, 7, ["smart"], ""])
    async def test_model_that_is_no_name(self, fleet: Fleet, model: Any) -> None:
        """What cannot be an alias is refused like an unknown one, not with a TypeError."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        assert (await failure(router, model)).status_code in (400, 404)

    async def test_keywords_of_deployments_are_refused(self, fleet: Fleet) -> None:
        """A key or address given to a call is refused: it would silently go nowhere."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        error = await failure(router, api_key="sk-other", api_base="http://elsewhere")
        assert isinstance(error, BadRequestError)
        assert error.message.startswith("api_base, api_key belongs to a deployment")
        assert "sk-other" not in str(error)

    async def test_defaults_lie_under_the_call(self, fleet: Fleet) -> None:
        """A deployment's parameters are defaults that a call overrides one by one."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("smart", temperature=0.1, top_p=0.5, extra_body={"x": 1})
        router = await fleet.router({"smart": [entry]})
        await router.acompletion("smart", HI, temperature=0.9, extra_body={"y": 2})
        body = upstream.requests[0].body
        assert (body["temperature"], body["top_p"], body["x"], body["y"]) == (0.9, 0.5, 1, 2)

    async def test_what_cannot_do_it_is_passed_over(self, fleet: Fleet) -> None:
        """A parameter that one deployment cannot take leads to one that can, without a retry."""
        claude, gpt = await fleet.start("anthropic", "openai")
        router = await fleet.router({"smart": [claude, gpt]}, num_retries=0)
        answer = await router.acompletion("smart", HI, logit_bias={"50256": -100})
        assert answer.route.served_by == "smart-1"
        assert claude.requests == []

    async def test_refusal_where_nobody_can(self, fleet: Fleet) -> None:
        """A parameter that no deployment can take is the caller's error and nobody's failure."""
        (claude,) = await fleet.start("anthropic")
        router = await fleet.router({"smart": [claude]})
        error = await failure(router, logit_bias={"50256": -100})
        assert "logit_bias" in error.message
        assert router.stats()[0]["state"] == "closed"

    async def test_two_routers_do_not_meet(self, fleet: Fleet, clock: FakeClock) -> None:
        """What one Router learns about an address is no other Router's business."""
        (upstream,) = await fleet.start("openai")
        strict, patient = [
            await fleet.router({"smart": [upstream]}, allowed_fails=allowed, num_retries=0)
            for allowed in (0, 9)
        ]
        upstream.fail(500, times=2)
        await failure(strict)
        await failure(patient)
        assert [router.stats()[0]["state"] for router in (strict, patient)] == ["open", "closed"]


class TestRetries:
    async def test_sibling_comes_first_and_at_once(self, fleet: Fleet) -> None:
        """After a failure a sibling that has not failed is asked, without a back-off."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.fail(500)
        answer = await router.acompletion("smart", HI)
        assert path(answer) == [("smart-0", "first"), ("smart-1", "sibling")]
        assert fleet.chance.ceilings == []

    async def test_same_one_again_after_backing_off(self, fleet: Fleet) -> None:
        """Without a sibling the same deployment is asked again, after ever longer back-offs."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=3)
        upstream.fail(503, times=3)
        answer = await router.acompletion("smart", HI)
        assert [reason for _, reason in path(answer)] == ["first", "retry", "retry", "retry"]
        assert fleet.chance.ceilings == [0.5, 1.0, 2.0]

    async def test_retry_after_is_kept(self, fleet: Fleet) -> None:
        """A 429 with Retry-After is asked again after just that time, without jitter."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(429, retry_after=0.1)
        answer = await router.acompletion("smart", HI)
        assert 0.1 <= answer.route.attempts[1].queued < 0.2
        assert fleet.chance.ceilings == []

    async def test_retry_after_beyond_the_deadline_fails_at_once(self, fleet: Fleet) -> None:
        """A wait that would outlast the caller's time is not begun; the error says how long."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(429, retry_after=30, times=None)
        error = await failure(router, timeout=5)
        assert isinstance(error, RateLimitError)
        assert (error.retry_after, len(error.route.attempts)) == (30, 1)

    async def test_no_retries_is_one_attempt(self, fleet: Fleet) -> None:
        """num_retries=0 is exactly one attempt, even while siblings are well."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.fail(500)
        error = await failure(router, num_retries=0)
        assert path(error) == [("smart-0", "first")]
        assert two.requests == []

    async def test_number_counts_siblings_too(self, fleet: Fleet) -> None:
        """num_retries bounds all further attempts of a group, whoever they go to."""
        upstreams = await fleet.start(*["openai"] * 5)
        router = await fleet.router({"smart": upstreams}, num_retries=2)
        for upstream in upstreams:
            upstream.fail(500, times=None)
        assert len((await failure(router)).route.attempts) == 3

    async def test_call_beats_deployment_beats_router(self, fleet: Fleet) -> None:
        """The nearest word about the number of retries counts."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("smart", num_retries=1)
        router = await fleet.router({"smart": [entry]}, num_retries=5, disable_cooldowns=True)
        upstream.fail(500, times=None)
        assert len((await failure(router)).route.attempts) == 2
        assert len((await failure(router, num_retries=3)).route.attempts) == 4

    async def test_no_wait_after_the_last_attempt(self, fleet: Fleet) -> None:
        """When no attempt is left, no back-off is even drawn."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=1)
        upstream.fail(500, times=None)
        await failure(router)
        assert len(fleet.chance.ceilings) == 1

    async def test_budget_bounds_amplification(self, fleet: Fleet) -> None:
        """With everything down, retries of all calls together end near the budget's floor."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, disable_cooldowns=True)
        upstream.fail(500, times=None)
        for _ in range(30):
            await failure(router)
        assert 30 + 10 <= len(upstream.requests) <= 30 + 11

    @pytest.mark.parametrize(
        ("status", "attempts"),
        [
            *((status, 1) for status in (400, 401, 403, 404, 413, 422)),
            *((status, 2) for status in (408, 409, 429, 500, 502, 503, 504, 529)),
        ],
    )
    async def test_status_says_whether_again(
        self, fleet: Fleet, status: int, attempts: int
    ) -> None:
        """Only what may pass is tried again at the same deployment."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=1)
        upstream.fail(status, times=None)
        error = await failure(router)
        assert (error.status_code, len(upstream.requests)) == (status, attempts)

    @pytest.mark.parametrize(("status", "elsewhere"), [(400, 0), (401, 1), (404, 1), (422, 0)])
    async def test_status_says_whether_elsewhere(
        self, fleet: Fleet, status: int, elsewhere: int
    ) -> None:
        """A refused key leads to the sibling; a refused request would be refused there too."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.fail(status, times=None)
        if elsewhere:
            await router.acompletion("smart", HI)
        else:
            await failure(router)
        assert len(two.requests) == elsewhere

    async def test_first_meaningful_error_is_raised(self, fleet: Fleet) -> None:
        """When everything fails, the caller gets the first failure, with the whole route."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, num_retries=1)
        one.fail(500, message="the first")
        two.kill()
        error = await failure(router)
        assert isinstance(error, InternalServerError)
        assert error.message == "the first"
        assert [attempt.error for attempt in error.route.attempts] == [
            "InternalServerError",
            "APIConnectionError",
        ]

    async def test_first_error_keeps_its_own_cause(self, fleet: Fleet) -> None:
        """An error is never presented as the consequence of another attempt's trouble."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, num_retries=1)
        one.fail(500, message="the first")
        two.kill()
        assert (await failure(router)).__cause__ is None

    async def test_connection_errors_are_retried_elsewhere(self, fleet: Fleet) -> None:
        """A dead host costs the caller nothing while a sibling lives."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.kill()
        answer = await router.acompletion("smart", HI)
        assert answer.route.served_by == "smart-1"
        assert answer.route.attempts[0].status is None

    async def test_broken_answer_is_retried(self, fleet: Fleet) -> None:
        """An answer that breaks off in its middle is a failure like any other."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.cut()
        answer = await router.acompletion("smart", HI)
        assert [attempt.error for attempt in answer.route.attempts] == ["APIConnectionError", None]


class TestFallbacks:
    async def test_in_order(self, fleet: Fleet) -> None:
        """When a group has failed, the fallbacks are asked in their order."""
        one, two, three = await fleet.start("openai", "anthropic", "gemini")
        router = await fleet.router(
            {"smart": [one], "backup": [two], "cheap": [three]},
            fallbacks=[{"smart": ["backup", "cheap"]}],
            num_retries=0,
        )
        one.fail(500)
        two.fail(500)
        answer = await router.acompletion("smart", HI)
        assert path(answer) == [
            ("smart-0", "first"),
            ("backup-0", "fallback"),
            ("cheap-0", "fallback"),
        ]

    async def test_given_with_the_call(self, fleet: Fleet) -> None:
        """Fallbacks of a call replace those of the Router."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two], "cheap": [three]},
            fallbacks=[{"smart": ["backup"]}],
            num_retries=0,
        )
        one.fail(500)
        answer = await router.acompletion("smart", HI, fallbacks=["cheap"])
        assert answer.route.served_by == "cheap-0"
        assert two.requests == []

    async def test_empty_list_turns_them_off(self, fleet: Fleet) -> None:
        """A call with an empty list of fallbacks has none."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}], num_retries=0
        )
        one.fail(500)
        await failure(router, fallbacks=[])
        assert two.requests == []

    async def test_unknown_one_is_refused_before_anything_is_sent(self, fleet: Fleet) -> None:
        """A misspelt fallback is found at once, not on the day it is needed."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        assert isinstance(await failure(router, fallbacks=["bakup"]), NotFoundError)
        assert upstream.requests == []

    async def test_star_stands_for_every_alias(self, fleet: Fleet) -> None:
        """Fallbacks of `*` are for every alias that has none of its own."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"*": ["backup"]}], num_retries=0
        )
        one.fail(500)
        assert (await router.acompletion("smart", HI)).route.served_by == "backup-0"

    async def test_cycles_are_impossible(self, fleet: Fleet) -> None:
        """Each group is asked at most once in a call, however the chains are written."""
        one, two = await fleet.start("openai", "openai")
        chains = [{"smart": ["backup", "smart", "backup"]}, {"backup": ["smart"]}]
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=chains, num_retries=0
        )
        one.fail(500, times=None)
        two.fail(500, times=None)
        error = await failure(router)
        assert [attempt.group for attempt in error.route.attempts] == ["smart", "backup"]

    async def test_most_fallbacks_is_a_cap(self, fleet: Fleet) -> None:
        """max_fallbacks bounds the groups after the first."""
        upstreams = await fleet.start(*["openai"] * 4)
        aliases = ["a", "b", "c", "d"]
        groups = {name: [upstream] for name, upstream in zip(aliases, upstreams, strict=True)}
        router = await fleet.router(
            groups, fallbacks=[{"a": ["b", "c", "d"]}], max_fallbacks=2, num_retries=0
        )
        for upstream in upstreams:
            upstream.fail(500)
        error = await failure(router, "a")
        assert [attempt.group for attempt in error.route.attempts] == ["a", "b", "c"]

    async def test_bad_request_stays(self, fleet: Fleet) -> None:
        """A plain 400 does not fall back: the request is wrong wherever it goes."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}]
        )
        one.fail(400)
        assert isinstance(await failure(router), BadRequestError)
        assert two.requests == []

    @pytest.mark.parametrize("where", ["router", "call"])
    async def test_bad_request_falls_back_on_demand(self, fleet: Fleet, where: str) -> None:
        """Who asks for it gets fallbacks after a 400 too, from the Router or the call."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]},
            fallbacks=[{"smart": ["backup"]}],
            fallback_on_bad_request=where == "router",
        )
        one.fail(400)
        said = {"fallback_on_bad_request": True} if where == "call" else {}
        assert (await router.acompletion("smart", HI, **said)).route.served_by == "backup-0"

    async def test_fallback_to_a_group_that_is_gone(self, fleet: Fleet) -> None:
        """A fallback whose last deployment was removed is passed over; the true error is told."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two], "cheap": [three]},
            fallbacks=[{"smart": ["backup", "cheap"]}],
            num_retries=0,
        )
        router.remove_deployment("backup-0")
        one.fail(500)
        assert (await router.acompletion("smart", HI)).route.served_by == "cheap-0"


class TestHealth:
    async def test_failures_in_a_row_open_the_circuit(self, fleet: Fleet, clock: FakeClock) -> None:
        """After more failures in a row than allowed, a deployment is left alone."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, allowed_fails=2, clock=clock)
        one.fail(500, times=None)
        for _ in range(5):
            await router.acompletion("smart", HI)
        assert (len(one.requests), router.stats()[0]["state"]) == (3, "open")

    async def test_one_probe_after_the_rest(self, fleet: Fleet, clock: FakeClock) -> None:
        """When the rest is over, one call probes; when it succeeds, the deployment is back."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, allowed_fails=0, clock=clock)
        one.fail(500)
        await router.acompletion("smart", HI)
        clock.advance(6)
        answer = await router.acompletion("smart", HI)
        assert path(answer) == [("smart-0", "probe")]
        assert router.stats()[0]["state"] == "closed"

    async def test_only_one_probe_at_a_time(self, fleet: Fleet, clock: FakeClock) -> None:
        """While a probe runs, everybody else is sent elsewhere."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, allowed_fails=0, clock=clock)
        one.fail(500)
        await router.acompletion("smart", HI)
        clock.advance(6)
        one.hang()
        probe = asyncio.create_task(router.acompletion("smart", HI))
        await one.until(lambda it: it.in_flight == 1)
        for _ in range(3):
            assert (await router.acompletion("smart", HI)).route.served_by == "smart-1"
        probe.cancel()
        await asyncio.wait([probe])
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-0"

    async def test_old_attempts_leave_the_probe_alone(self, fleet: Fleet, clock: FakeClock) -> None:
        """An attempt from before the rest that ends during the probe does not allow another."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, allowed_fails=0, clock=clock)
        one.hang(times=1)
        old = asyncio.create_task(router.acompletion("smart", HI))
        await one.until(lambda it: it.in_flight == 1)
        one.fail(500)
        await router.acompletion("smart", HI)
        clock.advance(6)
        one.hang(times=1)
        probe = asyncio.create_task(router.acompletion("smart", HI))
        await one.until(lambda it: it.in_flight == 2)
        old.cancel()
        await asyncio.wait([old])
        answer = await router.acompletion("smart", HI)
        probe.cancel()
        await asyncio.wait([probe])
        assert answer.route.served_by == "smart-1"

    async def test_refused_key_rests_long(self, fleet: Fleet, clock: FakeClock) -> None:
        """A 401 rests the deployment for a minute at once."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, clock=clock)
        one.fail(401)
        await router.acompletion("smart", HI)
        clock.advance(50)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-1"
        clock.advance(20)
        assert path(await router.acompletion("smart", HI)) == [("smart-0", "probe")]

    async def test_rate_limit_rests_as_long_as_it_says(
        self, fleet: Fleet, clock: FakeClock
    ) -> None:
        """A 429 rests the deployment exactly for its Retry-After."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, clock=clock)
        one.fail(429, retry_after=30)
        await router.acompletion("smart", HI)
        clock.advance(29.9)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-1"
        clock.advance(0.2)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-0"

    async def test_bad_requests_harm_nobody(self, fleet: Fleet) -> None:
        """Callers' errors never open a circuit."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, allowed_fails=0)
        upstream.fail(400, times=5)
        for _ in range(5):
            await failure(router)
        assert router.stats()[0]["state"] == "closed"

    async def test_caller_in_a_hurry_harms_nobody(self, fleet: Fleet) -> None:
        """A short deadline of a caller's own does not count against the deployment."""
        (upstream,) = await fleet.start("openai", latency=5)
        router = await fleet.router({"smart": [upstream]}, allowed_fails=0)
        assert isinstance(await failure(router, timeout=0.05), Timeout)
        assert router.stats()[0]["state"] == "closed"

    async def test_own_limit_counts(self, fleet: Fleet) -> None:
        """Passing the limit of the deployment itself is a failure of its own."""
        (upstream,) = await fleet.start("openai", latency=5)
        entry = upstream.deployment("smart", timeout=0.05)
        router = await fleet.router({"smart": [entry]}, allowed_fails=0, num_retries=0)
        assert isinstance(await failure(router), Timeout)
        assert router.stats()[0]["state"] == "open"

    async def test_panic_asks_somebody(self, fleet: Fleet, clock: FakeClock) -> None:
        """When all deployments rest and no fallback is left, one is asked all the same."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, allowed_fails=0, clock=clock)
        one.fail(500)
        two.fail(500)
        await failure(router, num_retries=1)
        assert [row["state"] for row in router.stats()] == ["open", "open"]
        assert (await router.acompletion("smart", HI)).choices[0].message.content == "Hello!"

    async def test_panic_spreads_callers(self, fleet: Fleet, clock: FakeClock) -> None:
        """In panic the single-probe rule is suspended: callers at once are all answered."""
        (one,) = await fleet.start("openai", latency=0.02)
        router = await fleet.router({"smart": [one]}, allowed_fails=0, clock=clock, num_retries=0)
        one.fail(500)
        await failure(router)
        answers = await asyncio.gather(*(router.acompletion("smart", HI) for _ in range(5)))
        assert len(answers) == 5
        assert router.stats()[0]["state"] == "closed"

    async def test_fallback_comes_before_panic(self, fleet: Fleet, clock: FakeClock) -> None:
        """While a fallback can be asked, resting deployments are left alone."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]},
            fallbacks=[{"smart": ["backup"]}],
            allowed_fails=0,
            num_retries=0,
            clock=clock,
        )
        one.fail(500)
        await router.acompletion("smart", HI)
        assert path(await router.acompletion("smart", HI)) == [("backup-0", "fallback")]
        assert len(one.requests) == 1

    async def test_fallbacks_beyond_the_cap_do_not_prevent_panic(
        self, fleet: Fleet, clock: FakeClock
    ) -> None:
        """A fallback that max_fallbacks rules out is none: a resting deployment is asked."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]},
            fallbacks=[{"smart": ["backup"]}],
            max_fallbacks=0,
            allowed_fails=0,
            num_retries=0,
            clock=clock,
        )
        one.fail(500)
        await failure(router)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-0"

    async def test_short_rate_limit_is_waited_for(self, fleet: Fleet) -> None:
        """A new call waits for a rest that the provider asked for, when it soon ends."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.fail(429, retry_after=0.1)
        await failure(router)
        answer = await router.acompletion("smart", HI)
        assert 0.05 < answer.route.attempts[0].queued < 0.3

    async def test_cooldowns_can_be_turned_off(self, fleet: Fleet) -> None:
        """disable_cooldowns keeps every deployment in, whatever it does."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, disable_cooldowns=True, num_retries=0)
        upstream.fail(401, times=20)
        for _ in range(20):
            await failure(router)
        assert router.stats()[0]["state"] == "closed"


class TestDeadline:
    async def test_silence_ends_with_the_budget(self, fleet: Fleet) -> None:
        """`timeout` is the whole budget: nothing outlasts it, whatever is retried."""
        (upstream,) = await fleet.start("openai", latency=5)
        router = await fleet.router({"smart": [upstream]}, num_retries=5)
        start = time.monotonic()
        error = await failure(router, timeout=0.15)
        assert isinstance(error, Timeout)
        assert 0.14 < time.monotonic() - start < 0.3
        assert "budget of 0.15 s" in error.message

    async def test_fallback_stays_reachable(self, fleet: Fleet) -> None:
        """A hanging deployment gets 60 % of the time, so that the fallback is still asked."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}]
        )
        one.hang(times=None)
        answer = await router.acompletion("smart", HI, timeout=0.3)
        assert answer.route.served_by == "backup-0"
        assert answer.route.attempts[0].ended == pytest.approx(0.18, abs=0.05)

    async def test_siblings_stay_reachable(self, fleet: Fleet) -> None:
        """A hanging deployment leaves time for its siblings."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.hang(times=None)
        answer = await router.acompletion("smart", HI, timeout=0.3)
        assert answer.route.served_by == "smart-1"

    async def test_whole_chain_keeps_it(self, fleet: Fleet) -> None:
        """Hanging fallbacks do not stretch the budget either."""
        upstreams = await fleet.start("openai", "openai", "openai")
        groups = dict(zip(("a", "b", "c"), ([it] for it in upstreams), strict=True))
        router = await fleet.router(groups, fallbacks=[{"a": ["b", "c"]}])
        for upstream in upstreams:
            upstream.hang(times=None)
        start = time.monotonic()
        assert isinstance(await failure(router, "a", timeout=0.3), Timeout)
        assert time.monotonic() - start < 0.4

    async def test_timeout_comes_from_the_last_error(self, fleet: Fleet) -> None:
        """A passed budget says so, and its cause is what the last attempt died of."""
        (upstream,) = await fleet.start("openai", latency=5)
        router = await fleet.router({"smart": [upstream]})
        error = await failure(router, timeout=0.05)
        assert isinstance(error.__cause__, APIError)
        assert error.__cause__.message.startswith("no answer within")

    async def test_deployment_limit_is_for_one_attempt(self, fleet: Fleet) -> None:
        """A deployment's own timeout ends an attempt; the call goes on elsewhere."""
        one, two = await fleet.start("openai", "openai")
        entries = [
            one.deployment("smart", id="slow", timeout=0.05),
            two.deployment("smart", id="ok"),
        ]
        router = await fleet.router({"smart": entries})
        one.hang()
        answer = await router.acompletion("smart", HI)
        assert answer.route.served_by == "ok"
        assert answer.route.attempts[0].ended == pytest.approx(0.05, abs=0.04)

    async def test_long_limit_of_its_own_is_no_limit(self, fleet: Fleet) -> None:
        """A deployment's own limit beyond what remains does not make the fallback unreachable."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [one.deployment("smart", timeout=60)], "backup": [two]},
            fallbacks=[{"smart": ["backup"]}],
        )
        one.hang(times=None)
        answer = await router.acompletion("smart", HI, timeout=0.2)
        assert answer.route.served_by == "backup-0"

    async def test_slow_body_is_within_the_budget(self, fleet: Fleet) -> None:
        """A body that stops in its middle is bounded like headers that never come."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.hang(after_chunks=1)
        assert isinstance(await failure(router, timeout=0.1), Timeout)
        assert in_flight(router) == 0

    async def test_nothing_is_left_running(self, fleet: Fleet) -> None:
        """The upstream's connection is closed as soon as an attempt has timed out."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0)
        upstream.hang()
        await failure(router, timeout=0.05)
        async with asyncio.timeout(0.1):
            await upstream.until(lambda it: it.in_flight == 0)


class TestRoute:
    async def test_answer_tells_how_it_came(self, fleet: Fleet) -> None:
        """Every attempt is on the route with times in order, status, usage and cost."""
        (upstream,) = await fleet.start("openai", answer="Hello there", headers={"x-limit": "5"})
        prices = {"input_cost_per_token": 1.0, "output_cost_per_token": 10.0}
        router = await fleet.router({"smart": [upstream.deployment("smart", id="d", info=prices)]})
        answer = await router.acompletion("smart", HI)
        (attempt,) = answer.route.attempts
        assert (attempt.deployment_id, attempt.group, attempt.outcome) == ("d", "smart", "ok")
        assert (attempt.status, attempt.error, attempt.usage) == (200, None, answer.usage)
        assert 0 <= attempt.queued <= attempt.started < attempt.ended
        assert answer.route.cost == answer.usage.prompt_tokens + 20.0
        assert answer.response_headers["x-limit"] == "5"

    async def test_route_reads_as_a_sentence(self, fleet: Fleet) -> None:
        """str(route) tells the story of the call in one line."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.fail(429)
        route = (await router.acompletion("smart", HI)).route
        assert str(route) == "smart: smart-0 (first: RateLimitError) → smart-1 (sibling: ok)"

    async def test_unknown_price_is_no_cost(self, fleet: Fleet) -> None:
        """Without prices the cost is unknown, not zero."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        assert (await router.acompletion("smart", HI)).route.cost is None

    async def test_dropped_parameters_are_named(self, fleet: Fleet) -> None:
        """What drop_params leaves out stands on the route."""
        (claude,) = await fleet.start("anthropic")
        router = await fleet.router({"smart": [claude]})
        answer = await router.acompletion("smart", HI, logit_bias={"1": 1}, drop_params=True)
        assert answer.route.dropped_params == ["logit_bias"]

    async def test_stats_count(self, fleet: Fleet) -> None:
        """stats() shows calls, successes, failures and latency of every deployment."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.fail(500)
        await router.acompletion("smart", HI)
        first, second = router.stats()
        assert (first["calls"], first["failures"], first["latency"]) == (1, 1, None)
        assert (second["successes"], second["in_flight"]) == (1, 0)
        assert 0 < second["latency"] < 1


class TestChanges:
    async def test_added_deployment_takes_part(self, fleet: Fleet) -> None:
        """A deployment added at run time is asked from then on."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one]}, routing_strategy="round-robin")
        assert router.add_deployment(two.deployment("smart", id="new")) == "new"
        for _ in range(2):
            await router.acompletion("smart", HI)
        assert (len(one.requests), len(two.requests)) == (1, 1)

    async def test_removed_deployment_finishes_its_work(self, fleet: Fleet) -> None:
        """What runs on a removed deployment ends as it would have; nothing new goes there."""
        one, two = await fleet.start("openai", "openai", latency=0.05)
        router = await fleet.router({"smart": [one, two]})
        running = asyncio.create_task(router.acompletion("smart", HI))
        await one.until(lambda it: it.in_flight == 1)
        router.remove_deployment("smart-0")
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-1"
        assert (await running).route.served_by == "smart-0"

    async def test_last_one_takes_the_alias_along(self, fleet: Fleet) -> None:
        """An alias without deployments is unknown."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        router.remove_deployment("smart-0")
        assert router.aliases == []
        assert isinstance(await failure(router), NotFoundError)

    async def test_removed_while_being_retried(self, fleet: Fleet) -> None:
        """A group that loses its only deployment during a call tells the attempt's error."""
        (upstream,) = await fleet.start("openai", latency=0.05)
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(500, message="true cause")
        call = asyncio.create_task(failure(router))
        await upstream.until(lambda it: it.in_flight == 1)
        router.remove_deployment("smart-0")
        assert (await call).message == "true cause"

    async def test_changes_under_load(self, fleet: Fleet) -> None:
        """Deployments come and go under load and no caller notices."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one]})
        calls = []
        for turn in range(40):
            calls += [asyncio.create_task(router.acompletion("smart", HI)) for _ in range(3)]
            if turn % 2:
                router.remove_deployment("extra")
            else:
                router.add_deployment(two.deployment("smart", id="extra"))
            await asyncio.sleep(0)
        assert len(await asyncio.gather(*calls)) == 120
        assert in_flight(router) == 0

    async def test_unknown_id_cannot_be_removed(self, fleet: Fleet) -> None:
        """Removing what is not there names what is."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        with pytest.raises(ConfigurationError, match="smart-0"):
            router.remove_deployment("smart-9")

    async def test_ids_without_an_id(self, fleet: Fleet) -> None:
        """Equal entries without ids get different ids, the same in every process."""
        (upstream,) = await fleet.start("openai")
        entry = upstream.deployment("smart")
        ids = [[row["id"] for row in Router(model_list=[entry, entry]).stats()] for _ in range(2)]
        assert ids[0] == ids[1]
        assert len(set(ids[0])) == 2


class TestConcurrency:
    async def test_failing_upstreams(self, fleet: Fleet) -> None:
        """Fifty callers at once over failing upstreams: all are answered, all books are even."""
        one, two, three = await fleet.start("openai", "anthropic", "gemini")
        router = await fleet.router(
            {"smart": [one, two, three]}, routing_strategy="least-busy", num_retries=9
        )
        for _ in range(10):
            one.fail(500)
            two.drop()
            three.fail(429)
        answers = await asyncio.gather(*(router.acompletion("smart", HI) for _ in range(50)))
        assert all(answer.choices[0].message.content == "Hello!" for answer in answers)
        assert [row["calls"] - row["successes"] - row["failures"] for row in router.stats()] == [
            0
        ] * 3
        assert in_flight(router) == 0

    async def test_cancelled_callers(self, fleet: Fleet) -> None:
        """Cancelled calls give their slot and connection back within 100 ms."""
        (upstream,) = await fleet.start("openai", latency=5)
        router = await fleet.router({"smart": [upstream]})
        calls = [asyncio.create_task(router.acompletion("smart", HI)) for _ in range(20)]
        await upstream.until(lambda it: it.in_flight == 20)
        for call in calls:
            call.cancel()
        async with asyncio.timeout(0.1):
            await asyncio.wait(calls)
            await upstream.until(lambda it: it.in_flight == 0)
        assert in_flight(router) == 0
        assert router.stats()[0]["failures"] == 0


class TestTelling:
    async def test_logger_is_told_about_streams(self, fleet: Fleet) -> None:
        """logger_fn gets the call and its outcome when it has been answered."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        told: list[dict[str, Any]] = []
        said = {"temperature": 0.5, "logger_fn": told.append}
        stream = await router.acompletion("smart", HI, stream=True, **said)
        assert told[0]["response"] is stream
        assert (told[0]["model"], told[0]["params"]) == ("smart", {"temperature": 0.5})
        await stream.aclose()

    async def test_logger_that_fails(self, fleet: Fleet, caplog: pytest.LogCaptureFixture) -> None:
        """A logger_fn that raises does not cost the caller the answer."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        answer = await router.acompletion("smart", HI, logger_fn=lambda _: 1 / 0)
        assert answer.choices[0].message.content == "Hello!"
        assert "ZeroDivisionError" in caplog.text


class TestAbsentKeys:
    async def test_missing_key_is_told_and_rests(self, fleet: Fleet) -> None:
        """A deployment without its key is passed over while another can answer."""
        (upstream,) = await fleet.start("openai")
        keyless = {"model_name": "smart", "litellm_params": {"model": "groq/some-model"}}
        router = await fleet.router({"smart": [keyless, upstream]}, num_retries=0)
        assert (await router.acompletion("smart", HI)).route.served_by == "smart-1"

    async def test_missing_key_alone_is_an_authentication_error(self, fleet: Fleet) -> None:
        """Alone, it names the variable that would hold the key."""
        keyless = {"model_name": "smart", "litellm_params": {"model": "groq/some-model"}}
        router = await fleet.router({"smart": [keyless]})
        error = await failure(router)
        assert isinstance(error, AuthenticationError)
        assert "GROQ_API_KEY" in error.message

    async def test_key_with_a_line_end(self, fleet: Fleet) -> None:
        """A key read from a file with its line end is refused with a word, when it is given."""
        entry = {"model_name": "smart", "litellm_params": {"model": "openai/x"}}
        entry["litellm_params"] |= {"api_key": "sk-secret\n"}
        with pytest.raises(ConfigurationError, match=r"api_key.*line end") as caught:
            await fleet.router({"smart": [entry]})
        assert "sk-secret" not in str(caught.value)


async def test_everything_down_is_typed(fleet: Fleet) -> None:
    """Refused connections everywhere end in a typed error that names the address."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    upstream.kill()
    error = await failure(router)
    assert type(error) is APIConnectionError
    assert f"127.0.0.1:{upstream.base_url.split(':')[2].split('/')[0]}" in error.message


async def test_all_resting_with_exhausted_fallbacks(fleet: Fleet, clock: FakeClock) -> None:
    """When the fallbacks rest too, the last group is asked in panic rather than nobody."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router(
        {"smart": [one], "backup": [two]},
        fallbacks=[{"smart": ["backup"]}],
        allowed_fails=0,
        num_retries=0,
        clock=clock,
    )
    one.fail(500)
    two.fail(500)
    error = await failure(router)
    assert not isinstance(error, ServiceUnavailableError)
    assert (await router.acompletion("smart", HI)).route.served_by == "backup-0"
