"""Which group is asked after one has failed, in which order, and when none is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import (
    APIError,
    BadRequestError,
    ConfigurationError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    NotFoundError,
    Router,
)

from .helpers import HI, ask, failure, path, read, timed

if TYPE_CHECKING:
    from polyroute.testing import FakeClock, Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

LONG = [{"role": "user", "content": "word " * 3000}]
TOO_LONG = (
    b'{"error": {"message": "This model\'s maximum context length is 10 tokens.", '
    b'"type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}'
)
REFUSED = (
    b'{"error": {"message": "The response was filtered", "type": "invalid_request_error", '
    b'"param": "prompt", "code": "content_policy_violation"}}'
)


async def chain(fleet: Fleet, *names: str, **settings: Any) -> tuple[Router, list[Upstream]]:
    """A Router with one group for each name; the first falls back on the others."""
    upstreams = await fleet.start(*["openai"] * len(names))
    groups = {name: [upstream] for name, upstream in zip(names, upstreams, strict=True)}
    usual = {"fallbacks": [{names[0]: list(names[1:])}], "num_retries": 0}
    return await fleet.router(groups, **{**usual, **settings}), upstreams


async def refusing(fleet: Fleet, body: bytes, **settings: Any) -> Router:
    """A group whose provider refuses every call with this body, and three others."""
    bad = await fleet.raw(fleet.http(body, "400 Bad Request", content_type="application/json"))
    others = await fleet.start("openai", "openai", "openai")
    groups = dict(zip(("large", "safe", "backup"), ([it] for it in others), strict=True))
    return await fleet.router({"smart": [bad.deployment("smart")], **groups}, **settings)


class TestChains:
    async def test_in_order(self, fleet: Fleet) -> None:
        """A chain is asked in its order, each group once."""
        router, upstreams = await chain(fleet, "a", "b", "c", "d")
        for upstream in upstreams[:3]:
            upstream.fail(500)
        answer = await ask(router, "a")
        assert path(answer) == [
            ("a-0", "first"),
            ("b-0", "fallback"),
            ("c-0", "fallback"),
            ("d-0", "fallback"),
        ]
        assert [it.group for it in answer.route.attempts] == ["a", "b", "c", "d"]

    @pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 429, 500, 502, 503, 504, 529])
    async def test_whatever_is_wrong_there(self, fleet: Fleet, status: int) -> None:
        """Every error but the caller's own leads to the fallback."""
        router, (one, _) = await chain(fleet, "a", "b")
        one.fail(status, retry_after=5)
        assert (await ask(router, "a")).route.served_by == "b-0"

    async def test_other_formats(self, fleet: Fleet) -> None:
        """A fallback may speak another wire format, whole and streamed."""
        one, two, three = await fleet.start("openai", "anthropic", "gemini", answer="It is me.")
        router = await fleet.router(
            {"a": [one], "b": [two], "c": [three]}, fallbacks=[{"a": ["b", "c"]}], num_retries=0
        )
        one.kill()
        two.fail(529, times=1)
        assert (await ask(router, "a")).choices[0].message.content == "It is me."
        two.fail(529, times=1)
        assert await read(await ask(router, "a", stream=True)) == "It is me."

    async def test_star(self, fleet: Fleet) -> None:
        """`"*"` stands for every alias that has no chain of its own."""
        one, two, three, four = await fleet.start(*["openai"] * 4)
        router = await fleet.router(
            {"a": [one], "b": [two], "own": [three], "all": [four]},
            fallbacks=[{"*": ["all"]}, {"b": ["own"]}],
            num_retries=0,
        )
        for upstream in (one, two):
            upstream.fail(500, times=None)
        assert (await ask(router, "a")).route.served_by == "all-0"
        assert (await ask(router, "b")).route.served_by == "own-0"

    async def test_default_fallbacks(self, fleet: Fleet) -> None:
        """default_fallbacks serve aliases without a chain, and nobody who has one."""
        one, two, three, four = await fleet.start(*["openai"] * 4)
        router = await fleet.router(
            {"a": [one], "b": [two], "own": [three], "all": [four]},
            fallbacks=[{"b": ["own"]}],
            default_fallbacks=["all"],
            num_retries=0,
        )
        for upstream in (one, two, three):
            upstream.fail(500, times=None)
        assert (await ask(router, "a")).route.served_by == "all-0"
        assert [id for id, _ in path(await failure(router, "b"))] == ["b-0", "own-0"]

    async def test_alias_map_has_its_targets_chain(self, fleet: Fleet) -> None:
        """Another name of an alias has the fallbacks of that alias."""
        router, (one, _) = await chain(fleet, "a", "b", model_group_alias={"gpt-4": "a"})
        one.fail(500)
        assert (await ask(router, "gpt-4")).route.served_by == "b-0"

    @pytest.mark.parametrize("most", [0, 1, 2])
    async def test_max_fallbacks(self, fleet: Fleet, most: int) -> None:
        """max_fallbacks is a true cap of the groups asked after the first."""
        router, upstreams = await chain(fleet, "a", "b", "c", "d", max_fallbacks=most)
        for upstream in upstreams:
            upstream.fail(500, times=None)
        assert len(path(await failure(router, "a"))) == 1 + most

    async def test_cycles(self, fleet: Fleet) -> None:
        """Fallbacks that point at each other end: each group is tried once in a call."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"a": [one], "b": [two]},
            fallbacks=[{"a": ["b", "a"]}, {"b": ["a", "b"]}],
            num_retries=0,
            max_fallbacks=50,
        )
        for upstream in (one, two):
            upstream.fail(500, times=None)
        assert len(path(await failure(router, "a"))) == 2
        assert len(path(await failure(router, "b", num_retries=0))) == 2

    async def test_twice_in_a_chain(self, fleet: Fleet) -> None:
        """A group that a chain names twice is asked once."""
        router, (one, two) = await chain(fleet, "a", "b", fallbacks=[{"a": ["b", "b", "a"]}])
        one.fail(500, times=None)
        two.fail(500, times=None)
        assert len(path(await failure(router, "a"))) == 2

    async def test_each_has_its_retries(self, fleet: Fleet) -> None:
        """Inside a fallback group siblings and retries work as anywhere."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router({"a": [one], "b": [two, three]}, fallbacks=[{"a": ["b"]}])
        one.fail(401)
        two.fail(500)
        reasons = [reason for _, reason in path(await ask(router, "a"))]
        assert reasons == ["first", "fallback", "sibling"]

    async def test_within_the_deadline(self, fleet: Fleet) -> None:
        """Hanging groups leave time for every fallback that comes after them."""
        router, (one, two, _) = await chain(fleet, "a", "b", "c")
        one.hang(times=None)
        two.hang(times=None)
        answer, seconds = await timed(ask(router, "a", timeout=0.5))
        assert answer.route.served_by == "c-0"
        assert seconds < 0.5

    async def test_concurrent_calls_do_not_mix(self, fleet: Fleet) -> None:
        """50 calls that fall back at once each have a route of their own."""
        router, (one, _) = await chain(fleet, "a", "b", disable_cooldowns=True)
        one.fail(500, times=None)
        answers = await asyncio.gather(*(ask(router, "a") for _ in range(50)))
        assert all(path(it) == [("a-0", "first"), ("b-0", "fallback")] for it in answers)


class TestPerCall:
    async def test_replaces_the_routers(self, fleet: Fleet) -> None:
        """`fallbacks` of a call replace those of the Router."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        router = await fleet.router(
            {"a": [one], "b": [two], "c": [three]}, fallbacks=[{"a": ["b"]}], num_retries=0
        )
        one.fail(500, times=None)
        assert (await ask(router, "a", fallbacks=["c"])).route.served_by == "c-0"
        assert two.requests == []

    async def test_empty_is_none(self, fleet: Fleet) -> None:
        """An empty list on a call turns the Router's fallbacks off."""
        router, (one, two) = await chain(fleet, "a", "b", default_fallbacks=["b"])
        one.fail(500)
        await failure(router, "a", fallbacks=[])
        assert two.requests == []

    async def test_unknown_fallback(self, fleet: Fleet) -> None:
        """A fallback that does not exist is an error at once, before anything is sent."""
        router, (one, _) = await chain(fleet, "a", "b")
        error = await failure(router, "a", fallbacks=["nowhere"])
        assert isinstance(error, NotFoundError)
        assert "nowhere" in error.message
        assert one.requests == []

    def test_unknown_fallback_of_the_router(self) -> None:
        """A Router with a fallback that does not exist is not made."""
        entry = {"model_name": "a", "litellm_params": {"model": "openai/x", "api_key": "k"}}
        for setting in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks"):
            with pytest.raises(ConfigurationError, match="nowhere"):
                Router([entry], **{setting: [{"a": ["nowhere"]}]})
        with pytest.raises(ConfigurationError, match="nowhere"):
            Router([entry], default_fallbacks=["nowhere"])


class TestBadRequests:
    @pytest.mark.parametrize("status", [400, 413, 422])
    async def test_not_by_themselves(self, fleet: Fleet, status: int) -> None:
        """A refused request is not carried to other groups, whatever `fallbacks` says."""
        router, (one, two) = await chain(fleet, "a", "b", default_fallbacks=["b"])
        one.fail(status)
        error = await failure(router, "a", fallbacks=["b"])
        assert error.status_code == status
        assert two.requests == []

    @pytest.mark.parametrize("status", [400, 413, 422])
    @pytest.mark.parametrize("where", ["router", "call"])
    async def test_on_request(self, fleet: Fleet, status: int, where: str) -> None:
        """fallback_on_bad_request, of the Router or of a call, carries it on."""
        asked = {"fallback_on_bad_request": True}
        router, (one, _) = await chain(fleet, "a", "b", **(asked if where == "router" else {}))
        one.fail(status)
        answer = await ask(router, "a", **(asked if where == "call" else {}))
        assert answer.route.served_by == "b-0"

    async def test_call_may_say_no(self, fleet: Fleet) -> None:
        """A call can turn off what the Router allows."""
        router, (one, two) = await chain(fleet, "a", "b", fallback_on_bad_request=True)
        one.fail(400)
        assert isinstance(
            await failure(router, "a", fallback_on_bad_request=False), BadRequestError
        )
        assert two.requests == []

    async def test_what_we_refuse_ourselves(self, fleet: Fleet) -> None:
        """A parameter that a group cannot take leads to a fallback that can."""
        claude, gpt = await fleet.start("anthropic", "openai")
        router = await fleet.router({"a": [claude], "b": [gpt]}, fallbacks=[{"a": ["b"]}])
        answer = await ask(router, "a", logit_bias={"50256": -100})
        assert answer.route.served_by == "b-0"
        assert claude.requests == []

    async def test_callers_nonsense(self, fleet: Fleet) -> None:
        """Malformed messages are refused before any group is asked."""
        router, (one, two) = await chain(fleet, "a", "b", fallback_on_bad_request=True)
        with pytest.raises(BadRequestError):
            await router.acompletion("a", [{"role": "user", "content": 7}])
        assert one.requests == two.requests == []


class TestContextWindow:
    async def test_has_its_own_chain(self, fleet: Fleet) -> None:
        """A prompt that the provider finds too long goes to context_window_fallbacks."""
        router = await refusing(
            fleet,
            TOO_LONG,
            fallbacks=[{"smart": ["backup"]}],
            context_window_fallbacks=[{"smart": ["large"]}],
        )
        assert (await ask(router)).route.served_by == "large-0"

    async def test_else_the_usual_chain(self, fleet: Fleet) -> None:
        """Without such a chain it goes to `fallbacks`."""
        router = await refusing(fleet, TOO_LONG, fallbacks=[{"smart": ["backup"]}])
        assert (await ask(router)).route.served_by == "backup-0"

    async def test_larger_windows_only(self, fleet: Fleet) -> None:
        """Groups known to be too small for the prompt are passed over without a request."""
        one, two, three = await fleet.start("openai", "openai", "openai")
        small = {"max_input_tokens": 500}
        router = await fleet.router(
            {
                "smart": [one.deployment("smart", info=small)],
                "small": [two.deployment("small", info=small)],
                "large": [three.deployment("large", id="large", info={"max_input_tokens": 10**6})],
            },
            fallbacks=[{"smart": ["small", "large"]}],
        )
        answer = await router.acompletion("smart", LONG)
        assert answer.route.served_by == "large"
        assert one.requests == two.requests == []

    async def test_sibling_with_a_larger_window_first(self, fleet: Fleet) -> None:
        """A larger window in the same group comes before any fallback."""
        bad = await fleet.raw(
            fleet.http(TOO_LONG, "400 Bad Request", content_type="application/json")
        )
        good, backup = await fleet.start("openai", "openai")
        router = await fleet.router(
            {"smart": [bad.deployment("smart"), good], "backup": [backup]},
            context_window_fallbacks=[{"smart": ["backup"]}],
        )
        assert (await ask(router)).route.served_by == "smart-1"

    async def test_of_a_call(self, fleet: Fleet) -> None:
        """A call can bring its own context_window_fallbacks."""
        router = await refusing(fleet, TOO_LONG, context_window_fallbacks=[{"smart": ["backup"]}])
        answer = await ask(router, context_window_fallbacks=["large"])
        assert answer.route.served_by == "large-0"

    async def test_harms_nobody(self, fleet: Fleet) -> None:
        """A prompt that is too long is nobody's failure."""
        router = await refusing(fleet, TOO_LONG, allowed_fails=0)
        for _ in range(5):
            assert isinstance(await failure(router), ContextWindowExceededError)
        assert router.stats()[0]["state"] == "closed"

    async def test_other_errors_do_not_go_there(self, fleet: Fleet) -> None:
        """context_window_fallbacks are for that error and no other."""
        router, (one, two) = await chain(
            fleet, "a", "b", fallbacks=None, context_window_fallbacks=[{"a": ["b"]}]
        )
        one.fail(500)
        assert (await failure(router, "a")).status_code == 500
        assert two.requests == []


class TestContentPolicy:
    async def test_has_its_own_chain(self, fleet: Fleet) -> None:
        """What a provider refuses for its content goes to content_policy_fallbacks."""
        router = await refusing(
            fleet,
            REFUSED,
            fallbacks=[{"smart": ["backup"]}],
            content_policy_fallbacks=[{"smart": ["safe"]}],
        )
        assert (await ask(router)).route.served_by == "safe-0"

    async def test_else_the_usual_chain(self, fleet: Fleet) -> None:
        """Without such a chain it goes to `fallbacks`."""
        router = await refusing(fleet, REFUSED, fallbacks=[{"smart": ["backup"]}])
        assert (await ask(router)).route.served_by == "backup-0"

    async def test_of_a_call(self, fleet: Fleet) -> None:
        """A call can bring its own content_policy_fallbacks."""
        router = await refusing(fleet, REFUSED)
        assert (await ask(router, content_policy_fallbacks=["safe"])).route.served_by == "safe-0"

    async def test_no_sibling_is_asked(self, fleet: Fleet) -> None:
        """Siblings would refuse it too: they are not asked, and nobody's health suffers."""
        bad = await fleet.raw(
            fleet.http(REFUSED, "400 Bad Request", content_type="application/json")
        )
        (sibling,) = await fleet.start("openai")
        router = await fleet.router({"smart": [bad.deployment("smart"), sibling]}, allowed_fails=0)
        assert isinstance(await failure(router), ContentPolicyViolationError)
        assert sibling.requests == []
        assert router.stats()[0]["state"] == "closed"


class TestStreams:
    async def test_fall_back_before_content(self, fleet: Fleet) -> None:
        """A stream that fails before its first content falls back without a trace in the text."""
        router, (one, _) = await chain(fleet, "a", "b")
        one.fail(500, after_chunks=0)
        stream = await ask(router, "a", stream=True)
        assert await read(stream) == "Hello!"
        assert [reason for _, reason in path(stream)] == ["first", "fallback"]

    async def test_not_after_content(self, fleet: Fleet) -> None:
        """After the first content no other group is started from the beginning."""
        router, (one, two) = await chain(fleet, "a", "b")
        one.answer = "a b c d"
        one.cut(after_chunks=2)
        with pytest.raises(APIError, match="broke off"):
            await read(await ask(router, "a", stream=True))
        assert two.requests == []


async def test_rest_of_the_first_does_not_hide_the_fallback(fleet: Fleet, clock: FakeClock) -> None:
    """While the first group rests, calls go to the fallback without an attempt there."""
    router, (one, two) = await chain(fleet, "a", "b", clock=clock, allowed_fails=0)
    one.fail(500)
    await ask(router, "a")
    for _ in range(5):
        assert path(await ask(router, "a")) == [("b-0", "fallback")]
    assert len(one.requests) == 1
    assert two.requests[0].body["messages"] == HI
