"""on_stream_break="resume": a stream that broke off goes on elsewhere, or says that it cannot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import StreamInterruptedError
from polyroute.testing import Reply, ToolUse

from .helpers import HI, Steps, ask, in_flight, path, quiet, read

if TYPE_CHECKING:
    from polyroute import Router
    from polyroute.testing import Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

TEXT = "one two three four five"
PREFILL = {"info": {"supports_assistant_prefill": True}}


async def two_of(
    fleet: Fleet,
    *,
    second: Any = TEXT,
    wire: str = "openai",
    times: int | None = 1,
    **settings: Any,
) -> tuple[Router, Upstream, Upstream]:
    """A Router that resumes; its first deployment breaks off after two words."""
    one, two = await fleet.start("openai", wire, answer=TEXT)
    two.answer = second
    router = await fleet.router({"smart": [one, two]}, **{"on_stream_break": "resume", **settings})
    one.cut(after_chunks=2, times=times)
    return router, one, two


async def broken(stream: Any) -> StreamInterruptedError:
    with pytest.raises(StreamInterruptedError) as caught:
        await read(stream)
    return caught.value


class TestGoesOn:
    @pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])
    async def test_identical_answer(self, fleet: Fleet, wire: str) -> None:
        """If another deployment says the same, its rest is the rest: no word twice or missing."""
        router, _, _ = await two_of(fleet, wire=wire)
        stream = await ask(router, stream=True)
        assert await read(stream) == TEXT
        assert path(stream) == [("smart-0", "first"), ("smart-1", "resume")]
        assert [it.outcome for it in stream.route.attempts] == ["interrupted", "ok"]
        assert stream.route.served_by == "smart-1"
        assert in_flight(router) == 0

    async def test_looks_like_one_stream(self, fleet: Fleet) -> None:
        """The chunks look like those of one stream: one id, one role, one ending."""
        router, _, _ = await two_of(fleet)
        chunks = [it async for it in await ask(router, stream=True)]
        assert len({it.id for it in chunks}) == 1
        assert [it.choices[0].delta.role for it in chunks if it.choices[0].delta.role] in (
            ["assistant"],
            [],
        )
        endings = [it.choices[0].finish_reason for it in chunks if it.choices[0].finish_reason]
        assert endings == ["stop"]

    async def test_from_the_beginning_that_was_sent(self, fleet: Fleet) -> None:
        """A model that takes the beginning of its answer is given it, and only says the rest."""

        def rest(body: dict[str, Any]) -> str:
            last = body["messages"][-1]
            return " and so on" if last["role"] == "assistant" else "something else"

        one, two = await fleet.start("openai", "anthropic", answer=TEXT)
        two.answer = rest
        entries = [one.deployment("smart"), two.deployment("smart", **PREFILL)]
        router = await fleet.router({"smart": entries}, on_stream_break="resume")
        one.cut(after_chunks=2)
        assert await read(await ask(router, stream=True)) == "one two and so on"
        assert two.requests[0].body["messages"][-1]["role"] == "assistant"

    @pytest.mark.parametrize("where", ["router", "call"])
    async def test_where_it_is_said(self, fleet: Fleet, where: str) -> None:
        """The Router or a call may ask for it; a call may turn it off."""
        said = {"on_stream_break": "resume"}
        router, one, _ = await two_of(
            fleet, **(said if where == "router" else {"on_stream_break": "raise"})
        )
        call = said if where == "call" else {}
        assert await read(await ask(router, stream=True, **call)) == TEXT
        one.cut(after_chunks=2)
        await broken(await ask(router, stream=True, on_stream_break="raise"))

    @pytest.mark.parametrize("how", ["error event", "silence"])
    async def test_other_ways_to_break(self, fleet: Fleet, how: str) -> None:
        """An error event and silence are breaks like any other."""
        router, one, _ = await two_of(fleet, stream_idle_timeout=0.05)
        one.heal()
        if how == "silence":
            one.hang(after_chunks=2)
        else:
            one.fail(500, after_chunks=2)
        assert await read(await ask(router, stream=True)) == TEXT
        await quiet(one)

    async def test_twice(self, fleet: Fleet) -> None:
        """A stream may break off more than once."""
        upstreams = await fleet.start(*["openai"] * 3, answer=TEXT)
        router = await fleet.router({"smart": upstreams}, on_stream_break="resume")
        upstreams[0].cut(after_chunks=2)
        upstreams[1].cut(after_chunks=4)
        stream = await ask(router, stream=True)
        assert await read(stream) == TEXT
        assert [reason for _, reason in path(stream)] == ["first", "resume", "resume"]

    async def test_past_who_fails_at_once(self, fleet: Fleet) -> None:
        """If the first to go on fails too, the next one is asked."""
        upstreams = await fleet.start(*["openai"] * 3, answer=TEXT)
        router = await fleet.router({"smart": upstreams}, on_stream_break="resume")
        upstreams[0].cut(after_chunks=2)
        upstreams[1].fail(500)
        assert await read(await ask(router, stream=True)) == TEXT
        assert in_flight(router) == 0

    async def test_past_who_breaks_off_even_earlier(self, fleet: Fleet) -> None:
        """One that breaks off before it has caught up costs nothing but time."""
        upstreams = await fleet.start(*["openai"] * 3, answer=TEXT)
        router = await fleet.router({"smart": upstreams}, on_stream_break="resume")
        upstreams[0].cut(after_chunks=3)
        upstreams[1].cut(after_chunks=1)
        stream = await ask(router, stream=True)
        assert await read(stream) == TEXT
        assert stream.route.served_by == "smart-2"
        assert in_flight(router) == 0
        assert router.stats()[1]["failures"] == 1

    async def test_after_the_timeout(self, fleet: Fleet) -> None:
        """`timeout` ended with the first content: a later break is made good all the same."""
        router, one, _ = await two_of(fleet)
        one.chunk_delay = 0.08
        stream = await ask(router, stream=True, timeout=0.06)
        assert await read(stream) == TEXT


class TestCannot:
    async def test_another_answer(self, fleet: Fleet) -> None:
        """An answer that does not begin with what was sent is not used: the caller is told."""
        router, _, two = await two_of(fleet, second="one quite different answer", times=None)
        error = await broken(await ask(router, stream=True))
        assert error.partial_message.content == "one two"
        assert len(two.requests) >= 1
        assert in_flight(router) == 0
        await quiet(two)

    async def test_shorter_answer(self, fleet: Fleet) -> None:
        """An answer that ends before it has reached the place is not used either."""
        router, _, _ = await two_of(fleet, second="one", times=None)
        error = await broken(await ask(router, stream=True))
        assert error.partial_message.content == "one two"
        assert in_flight(router) == 0

    @pytest.mark.parametrize(
        "params",
        [
            {"response_format": {"type": "json_object"}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": {"type": "object"}},
                }
            },
            {"n": 2},
        ],
        ids=["json", "schema", "several"],
    )
    async def test_documents(self, fleet: Fleet, params: dict[str, Any]) -> None:
        """JSON is never continued, and neither are several answers at once."""
        router, _, two = await two_of(fleet)
        await broken(await ask(router, stream=True, **params))
        assert two.requests == []

    async def test_tool_calls(self, fleet: Fleet) -> None:
        """A stream that has begun a tool call is never continued."""
        reply = Reply("Let me", tools=[ToolUse("look", {"where": "up"})])
        router, one, two = await two_of(fleet, second=reply)
        one.answer = reply
        one.heal()
        one.cut(after_chunks=3)
        tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
        error = await broken(await ask(router, stream=True, tools=[tool]))
        assert error.partial_message.tool_calls[0].function.name == "look"
        assert two.requests == []

    async def test_nobody_else(self, fleet: Fleet) -> None:
        """Without anybody else the caller gets what had come, and the true error."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [upstream]}, on_stream_break="resume", num_retries=0)
        upstream.cut(after_chunks=2)
        error = await broken(await ask(router, stream=True))
        assert error.partial_message.content == "one two"

    async def test_everybody_fails(self, fleet: Fleet) -> None:
        """If nobody can go on, the error is of the stream that broke, with the whole route."""
        router, _, two = await two_of(fleet, times=None)
        two.fail(503, times=None)
        error = await broken(await ask(router, stream=True))
        assert error.partial_message.content == "one two"
        assert path(error)[:2] == [("smart-0", "first"), ("smart-1", "resume")]
        assert in_flight(router) == 0


class TestEnds:
    @pytest.mark.parametrize("late", [False, True], ids=["waiting", "ready"])
    async def test_cancelled_anywhere(self, fleet: Fleet, late: bool) -> None:
        """Cancelled at any await point of a resumed stream, nothing is left behind."""
        one, two = await fleet.start("openai", "openai", answer=TEXT, chunk_delay=0.001)
        router = await fleet.router(
            {"smart": [one, two]}, on_stream_break="resume", disable_cooldowns=True
        )
        one.cut(after_chunks=2, times=None)

        async def call() -> str:
            return await read(await router.acompletion("smart", HI, stream=True))

        for step in range(1, 100):
            steps = Steps(call(), step, late=late)

            async def awaited(steps: Steps = steps) -> Any:
                return await steps

            task = asyncio.ensure_future(awaited())
            await asyncio.wait([task])
            assert task.cancelled() or task.result() == TEXT
            assert in_flight(router) == 0
            await quiet(one, two)
            if steps.taken < step:
                break
        assert step > 8

    async def test_closed_after_going_on(self, fleet: Fleet) -> None:
        """A resumed stream that is closed early lets its second connection go."""
        router, _, two = await two_of(fleet)
        two.hang(after_chunks=4)
        stream = await ask(router, stream=True)
        for _ in range(4):
            await anext(stream)
        await stream.aclose()
        await quiet(two)
        assert in_flight(router) == 0
