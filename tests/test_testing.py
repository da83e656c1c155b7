"""The public testing tools keep their own promises."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import aiohttp
import anyio
import pytest

import polyroute
from polyroute import Router
from polyroute.testing import FakeClock, Reply, ToolUse, Upstream

if TYPE_CHECKING:
    from polyroute import ChatCompletion, ChatStream

pytestmark = pytest.mark.anyio

FORMATS = ("openai", "anthropic", "gemini")
QUESTION = [{"role": "user", "content": "What is the weather?"}]
REPLY = Reply("I will look it up.", tools=[ToolUse("weather", {"city": "Paris"})])


async def ask(upstream: Upstream, **options: Any) -> ChatCompletion:
    async with Router([upstream.deployment("it")], num_retries=0) as router:
        return await router.acompletion("it", QUESTION, **options)


async def stream_text(stream: ChatStream) -> str:
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


@pytest.mark.parametrize("wire_format", FORMATS)
async def test_whole_answer(wire_format: str) -> None:
    """Text, tool calls and usage reach the caller through every wire format."""
    async with Upstream(wire_format, answer=REPLY) as upstream:
        answer = await ask(upstream)
    message = answer.choices[0].message
    call = message.tool_calls[0].function
    assert (message.content, call.name) == (REPLY.text, "weather")
    assert json.loads(call.arguments) == {"city": "Paris"}
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage.completion_tokens == REPLY.output_tokens


@pytest.mark.parametrize("wire_format", FORMATS)
async def test_stream(wire_format: str) -> None:
    """A stream brings the same text word by word, the tool call, and its usage."""
    async with (
        Upstream(wire_format, answer=REPLY) as upstream,
        Router([upstream.deployment("it")]) as router,
    ):
        stream = await router.acompletion("it", QUESTION, stream=True)
        chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert [delta.content for delta in deltas if delta.content] == REPLY.words
    pieces = [call.function.arguments for delta in deltas for call in delta.tool_calls or ()]
    assert json.loads("".join(filter(None, pieces))) == {"city": "Paris"}
    assert stream.route.attempts[0].usage.completion_tokens == REPLY.output_tokens


@pytest.mark.parametrize("wire_format", FORMATS)
async def test_errors_are_worded_by_their_provider(wire_format: str) -> None:
    """A scripted 429 arrives as a RateLimitError with its message and Retry-After."""
    async with Upstream(wire_format) as upstream:
        upstream.fail(429, message="slow down", retry_after=7)
        with pytest.raises(polyroute.RateLimitError, match="slow down") as caught:
            await ask(upstream)
    assert (caught.value.retry_after, upstream.requests[0].outcome) == (7, "failed")


@pytest.mark.parametrize("wire_format", FORMATS)
async def test_error_in_a_stream(wire_format: str) -> None:
    """A stream can begin well and report an error after so many chunks."""
    async with (
        Upstream(wire_format, answer="one two three") as upstream,
        Router([upstream.deployment("it")]) as router,
    ):
        upstream.fail(529, after_chunks=2)
        stream = await router.acompletion("it", QUESTION, stream=True)
        with pytest.raises(polyroute.StreamInterruptedError) as caught:
            await stream_text(stream)
    assert caught.value.partial_message.content == "one two"


@pytest.mark.parametrize("wire_format", FORMATS)
@pytest.mark.parametrize("after_chunks", [1, 3, 99])
async def test_cut_streams_are_never_whole(wire_format: str, after_chunks: int) -> None:
    """A stream that is cut has at most all of its words and never its end."""
    async with (
        Upstream(wire_format, answer="one two three") as upstream,
        Router([upstream.deployment("it")]) as router,
    ):
        upstream.cut(after_chunks)
        stream = await router.acompletion("it", QUESTION, stream=True)
        with pytest.raises(polyroute.StreamInterruptedError):
            await stream_text(stream)
        assert upstream.requests[0].outcome == "dropped"


async def test_cut_and_dropped_answers() -> None:
    """Whole answers can be cut in their middle, or never come at all."""
    async with Upstream() as upstream:
        upstream.cut()
        upstream.drop()
        for _ in range(2):
            with pytest.raises(polyroute.APIConnectionError):
                await ask(upstream)
        assert [request.outcome for request in upstream.requests] == ["dropped", "dropped"]
        assert (await ask(upstream)).choices[0].message.content == "Hello!"


async def test_hanging_requests_end_with_their_client() -> None:
    """A request that hangs is seen in flight, and as abandoned once its client has gone."""
    async with Upstream() as upstream, anyio.create_task_group() as group:
        upstream.hang()
        group.start_soon(ask, upstream)
        with anyio.fail_after(5):
            await upstream.until(lambda it: it.in_flight == 1)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await upstream.until(lambda it: it.in_flight == 0)
    assert upstream.requests[0].outcome == "abandoned"


async def test_faults_strike_in_order_and_end() -> None:
    """Faults meet as many requests as they were told, in the order in which they were told."""
    async with Upstream() as upstream, Router([upstream.deployment("it")]) as router:
        upstream.fail(503, times=2)
        upstream.fail(500)
        answer = await router.acompletion("it", QUESTION, num_retries=3)
        assert [attempt.status for attempt in answer.route.attempts] == [503, 503, 500, 200]
        upstream.fail(400, times=None)
        upstream.heal()
        await router.acompletion("it", QUESTION)
        with pytest.raises(ValueError, match="times must be at least 1"):
            upstream.fail(times=0)


async def test_killed_and_revived() -> None:
    """A killed upstream refuses connections and comes back at the same address."""
    async with Upstream() as upstream:
        url = upstream.base_url
        upstream.kill()
        with pytest.raises(polyroute.APIConnectionError):
            await ask(upstream)
        upstream.revive()
        assert (await ask(upstream)).choices[0].message.content == "Hello!"
        assert (upstream.base_url, len(upstream.requests)) == (url, 1)


async def test_killed_with_requests_in_flight() -> None:
    """Killing an upstream breaks the connections of those who wait for it."""
    async with Upstream() as upstream, anyio.create_task_group() as group:
        upstream.hang()

        async def wait() -> None:
            with pytest.raises(polyroute.APIConnectionError):
                await ask(upstream)

        group.start_soon(wait)
        with anyio.fail_after(5):
            await upstream.until(lambda it: it.in_flight == 1)
            upstream.kill()


@pytest.mark.parametrize("stream", [False, True])
async def test_death_makes_no_noise(caplog: pytest.LogCaptureFixture, stream: bool) -> None:
    """An upstream that dies while it answers logs no error of its own."""
    async with Upstream() as upstream:

        def die(_body: dict[str, Any]) -> str:
            upstream.kill()
            return "too late"

        upstream.answer = die
        with pytest.raises(polyroute.APIConnectionError):
            await ask(upstream, stream=stream)
        with anyio.fail_after(5):
            await upstream.until(lambda it: it.in_flight == 0)
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


async def test_requests_are_recorded() -> None:
    """What came is there to be looked at: path, headers, body."""
    async with Upstream("gemini", model="flash") as upstream:
        await ask(upstream, temperature=0.5)
    request = upstream.requests[0]
    assert request.path == "/v1beta/models/flash:generateContent"
    assert request.headers["x-goog-api-key"] == "loopback-key"
    assert request.body["generationConfig"]["temperature"] == 0.5


async def test_answers_may_depend_on_the_request() -> None:
    """A function of the request's body answers it."""
    async with Upstream(answer=lambda body: body["messages"][-1]["content"].upper()) as upstream:
        assert (await ask(upstream)).choices[0].message.content == "WHAT IS THE WEATHER?"


@pytest.mark.parametrize(
    ("wire_format", "path", "body", "status"),
    [
        ("openai", "/v1/nonsense", {}, 404),
        ("openai", "/v1/chat/completions", {"model": "m", "messages": []}, 400),
        ("anthropic", "/v1/messages", {"model": "m", "messages": QUESTION}, 400),
        ("gemini", "/v1beta/models/m:generateContent", {}, 400),
    ],
)
async def test_nonsense_is_refused(
    wire_format: str, path: str, body: dict[str, Any], status: int
) -> None:
    """Requests that the provider would refuse are refused here too."""
    async with Upstream(wire_format) as upstream, aiohttp.ClientSession() as session:
        root = upstream.base_url.removesuffix("/v1").removesuffix("/v1beta")
        async with session.post(root + path, json=body) as response:
            assert response.status == status


def test_synchronous_use() -> None:
    """With a plain `with` it runs in a thread of its own, can be killed, and leaves nothing."""
    with Upstream(answer="ok") as upstream:
        target = {"model": "openai/m", "api_base": upstream.base_url, "api_key": "loopback-key"}
        answer = polyroute.completion(messages=QUESTION, **target)
        assert answer.choices[0].message.content == "ok"
        upstream.kill()
        with pytest.raises(polyroute.APIConnectionError):
            polyroute.completion(messages=QUESTION, **target)
        upstream.revive()
        polyroute.completion(messages=QUESTION, **target)
        assert len(upstream.requests) == 2
    assert "polyroute-upstream" not in {thread.name for thread in threading.enumerate()}


def test_fake_clock() -> None:
    """Its time passes only when it is told to, and never backwards."""
    clock = FakeClock(10)
    clock.advance(2.5)
    assert clock() == 12.5
    with pytest.raises(ValueError, match="monotonic"):
        clock.advance(-1)
