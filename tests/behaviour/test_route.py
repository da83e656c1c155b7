"""What is told of a call: every attempt on its route, every deployment in stats()."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from polyroute.testing import Reply

from .helpers import ask, failure, path, read

if TYPE_CHECKING:
    from polyroute.testing import FakeClock

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

PRICES = {"input_cost_per_token": 2.0, "output_cost_per_token": 3.0}
TIMES = ("queued", "started", "first_token", "ended")


async def test_every_field(fleet: Fleet) -> None:
    """An attempt tells deployment, group, reason, times, outcome, status, usage and cost."""
    (upstream,) = await fleet.start(
        "openai", answer=Reply("x", prompt_tokens=10, completion_tokens=4)
    )
    upstream.latency = 0.02
    router = await fleet.router({"smart": [upstream.deployment("smart", id="d", info=PRICES)]})
    answer = await ask(router)
    (attempt,) = answer.route.attempts
    assert (attempt.deployment_id, attempt.group, attempt.reason) == ("d", "smart", "first")
    assert (attempt.outcome, attempt.status, attempt.error) == ("ok", 200, None)
    assert (attempt.usage.prompt_tokens, attempt.usage.completion_tokens) == (10, 4)
    assert (attempt.cost, answer.route.cost) == (32.0, 32.0)
    assert 0 <= attempt.queued <= attempt.started < 0.02 <= attempt.ended < 0.2
    assert (answer.route.alias, answer.route.served_by) == ("smart", "d")


async def test_alias_is_what_the_caller_said(fleet: Fleet) -> None:
    """The route names the group that the call went to, whatever served it in the end."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router(
        {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}], num_retries=0
    )
    one.fail(500)
    answer = await ask(router)
    assert answer.route.alias == "smart"
    assert [attempt.group for attempt in answer.route.attempts] == ["smart", "backup"]


async def test_failed_attempts(fleet: Fleet) -> None:
    """Failed attempts have their status and the name of their error; no answer has no status."""
    one, two, three = await fleet.start("openai", "openai", "openai")
    router = await fleet.router({"smart": [one, two, three]})
    one.fail(503)
    two.kill()
    first, second, third = (await ask(router)).route.attempts
    assert (first.outcome, first.status, first.error) == ("failed", 503, "ServiceUnavailableError")
    assert (second.outcome, second.status, second.error) == ("failed", None, "APIConnectionError")
    assert (third.outcome, third.status, third.error) == ("ok", 200, None)
    assert first.started <= first.ended <= second.started <= second.ended <= third.started


async def test_reasons(fleet: Fleet, clock: FakeClock) -> None:
    """first, sibling, retry, fallback and probe are told apart."""
    one, two, three = await fleet.start("openai", "openai", "openai")
    router = await fleet.router(
        {"smart": [one, two], "backup": [three]},
        fallbacks=[{"smart": ["backup"]}],
        clock=clock,
        allowed_fails=1,
    )
    one.fail(500, times=2)
    two.fail(500)
    three.fail(500)
    answer = await ask(router)
    reasons = [reason for _, reason in path(answer)]
    assert reasons == ["first", "sibling", "retry", "fallback", "retry"]
    one.fail(500, times=5)
    for _ in range(4):
        await ask(router)
    clock.advance(11)
    one.heal()
    answers = [await ask(router) for _ in range(3)]
    assert "probe" in {reason for answer in answers for _, reason in path(answer)}


async def test_streams(fleet: Fleet) -> None:
    """A stream's route has the first token, and its end once it has been read."""
    (upstream,) = await fleet.start(
        "openai", answer=Reply("a b c", prompt_tokens=5, completion_tokens=3), chunk_delay=0.01
    )
    router = await fleet.router({"smart": [upstream.deployment("smart", info=PRICES)]})
    stream = await ask(router, stream=True)
    (attempt,) = stream.route.attempts
    assert attempt.first_token is not None
    assert (attempt.ended, attempt.outcome) == (None, None)
    await read(stream)
    assert attempt.started < attempt.first_token < attempt.ended
    assert (attempt.outcome, attempt.cost) == ("ok", 19.0)
    assert stream.route.served_by == attempt.deployment_id


async def test_cost_is_of_all_attempts(fleet: Fleet) -> None:
    """What an interrupted stream has cost is part of the cost of the call that went on."""
    one, two = await fleet.start("anthropic", "anthropic", answer="one two three")
    entries = [it.deployment("smart", info=PRICES) for it in (one, two)]
    router = await fleet.router({"smart": entries}, on_stream_break="resume")
    one.cut(after_chunks=1)
    stream = await ask(router, stream=True)
    assert await read(stream) == "one two three"
    broken, whole = stream.route.attempts
    assert broken.cost > 0
    assert stream.route.cost == broken.cost + whole.cost


async def test_free_is_no_unknown_price(fleet: Fleet) -> None:
    """A price of 0 costs 0; without a price the cost is unknown."""
    (upstream,) = await fleet.start("openai")
    free = {"input_cost_per_token": 0, "output_cost_per_token": 0}
    router = await fleet.router(
        {"free": [upstream.deployment("free", info=free)], "unknown": [upstream]}
    )
    assert (await ask(router, "free")).route.cost == 0
    assert (await ask(router, "unknown")).route.cost is None


async def test_estimates_and_drops_are_visible(fleet: Fleet) -> None:
    """A parameter that was dropped stands on the route."""
    (claude,) = await fleet.start("anthropic")
    router = await fleet.router({"smart": [claude]})
    answer = await ask(router, logit_bias={"1": 1}, drop_params=True)
    assert answer.route.dropped_params == ["logit_bias"]
    assert (await ask(router)).route.dropped_params == []


async def test_routes_are_a_calls_own(fleet: Fleet) -> None:
    """Calls at once never see each other's attempts."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one, two]}, disable_cooldowns=True)
    one.fail(500, times=25)
    answers = await asyncio.gather(*(ask(router) for _ in range(50)))
    assert sorted(len(it.route.attempts) for it in answers) == [1] * 25 + [2] * 25
    assert len({id(it.route) for it in answers}) == 50


async def test_route_is_data(fleet: Fleet) -> None:
    """A route can be pickled and printed; it holds no secret."""
    one, two = await fleet.start("openai", "openai")
    entries = [it.deployment("smart", api_key="sk-very-secret") for it in (one, two)]
    router = await fleet.router({"smart": entries})
    one.fail(500)
    answer = await ask(router)
    again: Any = pickle.loads(pickle.dumps(answer.route))  # noqa: S301  our own bytes
    assert again == answer.route
    assert "InternalServerError" in str(again)
    assert "very-secret" not in f"{answer.route!r}{router!r}{router.stats()}"


async def test_budget_that_passed(fleet: Fleet) -> None:
    """A Timeout has the route, with what was tried until then."""
    one, two = await fleet.start("openai", "openai")
    router = await fleet.router({"smart": [one, two]})
    one.hang(times=None)
    two.hang(times=None)
    error = await failure(router, timeout=0.1)
    assert len(error.route.attempts) >= 2
    assert all(attempt.ended <= 0.16 for attempt in error.route.attempts)
    assert {attempt.error for attempt in error.route.attempts} == {"Timeout"}


async def test_waits_are_told(fleet: Fleet) -> None:
    """The pause before a retry is the `queued` of the attempt after it."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    upstream.fail(503, retry_after=0.06)
    first, second = (await ask(router)).route.attempts
    assert second.queued == pytest.approx(0.06, abs=0.03)
    assert second.started >= first.ended + 0.05


class TestStats:
    async def test_counts(self, fleet: Fleet) -> None:
        """stats() counts calls, successes and failures of every deployment."""
        one, two = await fleet.start("openai", "openai")
        entries = [one.deployment("smart", id="a", info=PRICES), two.deployment("smart", id="b")]
        router = await fleet.router({"smart": entries})
        one.fail(500, times=2)
        for _ in range(5):
            await ask(router)
        first, second = router.stats()
        assert (first["id"], first["model_name"], first["provider"]) == ("a", "smart", "openai")
        assert (first["calls"], first["successes"], first["failures"]) == (5, 3, 2)
        assert (second["calls"], second["successes"], second["failures"]) == (2, 2, 0)
        assert first["cost"] > 0
        assert 0 < first["latency"] < 1

    async def test_in_flight(self, fleet: Fleet) -> None:
        """in_flight counts what runs at this moment, streams included."""
        (upstream,) = await fleet.start("openai", answer="a b")
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(times=2, after_chunks=1)
        stream = await ask(router, stream=True)
        other = await ask(router, stream=True)
        assert router.stats()[0]["in_flight"] == 2
        await stream.aclose()
        assert router.stats()[0]["in_flight"] == 1
        await other.aclose()
        assert router.stats()[0]["in_flight"] == 0

    async def test_rest(self, fleet: Fleet, clock: FakeClock) -> None:
        """A resting deployment shows its state and how long it will rest."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, clock=clock)
        one.fail(429, retry_after=30)
        await ask(router)
        clock.advance(10)
        first, second = router.stats()
        assert (first["state"], first["resting_for"]) == ("open", pytest.approx(20))
        assert (second["state"], second["resting_for"]) == ("closed", 0.0)
