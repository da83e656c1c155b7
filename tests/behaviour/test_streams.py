"""Streams: invisible retries before the first content, the truth afterwards."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, StreamInterruptedError
from polyroute.testing import Reply, ToolUse

from .helpers import HI, ask, failure, in_flight, path, quiet, read, states

if TYPE_CHECKING:
    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

WIRES = pytest.mark.parametrize("wire", ["openai", "anthropic", "gemini"])
TEXT = "one two three four five"
HEAD = {"content_type": "text/event-stream"}


def chunk(delta: str, finish: str = "null") -> bytes:
    """One chunk of OpenAI's."""
    return (
        f'data: {{"id": "x", "choices": [{{"index": 0, "delta": {delta}, '
        f'"finish_reason": {finish}}}]}}\n\n'
    ).encode()


async def broken(stream: Any) -> StreamInterruptedError:
    """What reading a stream to its end raises."""
    with pytest.raises(StreamInterruptedError) as caught:
        await read(stream)
    return caught.value


class TestBeforeTheFirstContent:
    @WIRES
    @pytest.mark.parametrize("how", ["500", "429", "drop", "cut", "error event", "kill"])
    async def test_sibling_unseen(self, fleet: Fleet, wire: str, how: str) -> None:
        """A failure before the first content is made good by a sibling, and nobody sees it."""
        one, two = await fleet.start(wire, wire, answer=TEXT)
        router = await fleet.router({"smart": [one, two]})
        match how:
            case "drop":
                one.drop()
            case "cut":
                one.cut(after_chunks=0)
            case "error event":
                one.fail(500, after_chunks=0)
            case "kill":
                one.kill()
            case status:
                one.fail(int(status))
        stream = await ask(router, stream=True)
        assert await read(stream) == TEXT
        assert path(stream) == [("smart-0", "first"), ("smart-1", "sibling")]
        assert in_flight(router) == 0

    async def test_role_is_not_content(self, fleet: Fleet) -> None:
        """A stream that ends after a role and pings has not begun: the sibling answers."""
        raw = await fleet.raw(fleet.http(**HEAD), chunk('{"role": "assistant"}'), b": ping\n\n")
        (good,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [raw.deployment("smart"), good]})
        assert await read(await ask(router, stream=True)) == TEXT

    @pytest.mark.parametrize("delta", ['{"content": ""}', '{"role": "assistant", "content": ""}'])
    async def test_empty_text_is_not_content(self, fleet: Fleet, delta: str) -> None:
        """Chunks with empty text do not commit a stream."""
        raw = await fleet.raw(fleet.http(**HEAD), chunk(delta))
        (good,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [raw.deployment("smart"), good]})
        assert await read(await ask(router, stream=True)) == TEXT

    async def test_nothing_is_read_ahead(self, fleet: Fleet) -> None:
        """acompletion returns with the first content, not with the end."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        upstream.hang(after_chunks=1)
        router = await fleet.router({"smart": [upstream]})
        async with asyncio.timeout(0.5):
            stream = await ask(router, stream=True)
        assert stream.route.attempts[0].first_token is not None
        await stream.aclose()

    async def test_first_token_is_measured_on_content(self, fleet: Fleet) -> None:
        """The time to the first token is that of the first content, not of the role."""
        pieces = [chunk('{"role": "assistant"}'), *[b": ping\n\n"] * 20, chunk('{"content": "x"}')]
        raw = await fleet.raw(fleet.http(**HEAD), *pieces, chunk("{}", '"stop"'))
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        stream = await ask(router, stream=True)
        assert await read(stream) == "x"
        assert stream.route.attempts[0].first_token > 0.03

    async def test_all_fail(self, fleet: Fleet) -> None:
        """If nobody begins, acompletion raises, not the iteration."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, num_retries=1)
        one.fail(503)
        two.cut(after_chunks=0)
        assert len(path(await failure(router, stream=True))) == 2


class TestCommitted:
    @WIRES
    async def test_truncation_is_an_error(self, fleet: Fleet, wire: str) -> None:
        """A stream cut short raises with what had come, and no ending is made up."""
        (upstream,) = await fleet.start(wire, answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.cut(after_chunks=2)
        seen = []
        stream = await ask(router, stream=True)
        with pytest.raises(StreamInterruptedError) as caught:
            async for piece in stream:
                seen.append(piece)  # noqa: PERF401  it ends in an error
        error = caught.value
        assert error.partial_message.content == "one two"
        assert "".join(it.choices[0].delta.content or "" for it in seen) == "one two"
        assert [it.choices[0].finish_reason for it in seen if it.choices[0].finish_reason] == []
        assert error.route.attempts[-1].outcome == "interrupted"
        assert error.route is stream.route
        assert error.model
        assert in_flight(router) == 0

    @WIRES
    async def test_error_event(self, fleet: Fleet, wire: str) -> None:
        """An error that a provider reports in the middle is the error, with its words."""
        (upstream,) = await fleet.start(wire, answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(529, after_chunks=2, message="too much to do")
        error = await broken(await ask(router, stream=True))
        assert "too much to do" in error.message
        assert error.partial_message.content == "one two"

    async def test_no_retry_by_itself(self, fleet: Fleet) -> None:
        """After the first content nobody else is asked, whatever num_retries says."""
        one, two = await fleet.start("openai", "openai", answer=TEXT)
        router = await fleet.router({"smart": [one, two]}, num_retries=5)
        one.cut(after_chunks=1)
        await broken(await ask(router, stream=True))
        assert two.requests == []

    async def test_tool_call_commits(self, fleet: Fleet) -> None:
        """A tool call is content: what had come of it is in the error."""
        one, two = await fleet.start(
            "openai", "openai", answer=Reply(tools=[ToolUse("look", {"where": "up"})])
        )
        router = await fleet.router({"smart": [one, two]})
        one.cut(after_chunks=2)
        error = await broken(await ask(router, stream=True))
        (call,) = error.partial_message.tool_calls
        assert call.function.name == "look"
        assert two.requests == []

    async def test_finish_reason_commits(self, fleet: Fleet) -> None:
        """An answer that is only a finish reason is an answer."""
        raw = await fleet.raw(fleet.http(**HEAD), chunk("{}", '"stop"'), b"data: [DONE]\n\n")
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        stream = await ask(router, stream=True)
        assert [it.choices[0].finish_reason async for it in stream] == ["stop"]

    async def test_end_without_marker(self, fleet: Fleet) -> None:
        """A stream with a finish reason and no `[DONE]` is whole."""
        pieces = (chunk('{"content": "x"}'), chunk("{}", '"stop"'))
        raw = await fleet.raw(fleet.http(**HEAD), *pieces)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        assert await read(await ask(router, stream=True)) == "x"

    async def test_end_without_finish_reason(self, fleet: Fleet) -> None:
        """A stream that ends without a finish reason, even politely, was cut short."""
        pieces = (chunk('{"content": "x"}'), b"data: [DONE]\n\n")
        raw = await fleet.raw(fleet.http(**HEAD), *pieces)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        try:
            text = await read(await ask(router, stream=True))
        except StreamInterruptedError as error:
            text = error.partial_message.content
        assert text == "x"

    async def test_usage_of_what_had_come(self, fleet: Fleet) -> None:
        """The error has the tokens as far as the provider told them."""
        (upstream,) = await fleet.start("anthropic", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.cut(after_chunks=2)
        error = await broken(await ask(router, stream=True))
        assert error.usage.prompt_tokens > 0
        assert error.route.attempts[0].usage == error.usage

    async def test_counts_against_health(self, fleet: Fleet) -> None:
        """Who breaks streams off is left alone after a while."""
        one, two = await fleet.start("openai", "openai", answer=TEXT)
        router = await fleet.router({"smart": [one, two]}, allowed_fails=0)
        one.cut(after_chunks=1, times=None)
        await broken(await ask(router, stream=True))
        assert states(router) == ["open", "closed"]
        assert await read(await ask(router, stream=True)) == TEXT

    async def test_iteration_ends_with_the_error(self, fleet: Fleet) -> None:
        """After the error the stream is over; it does not raise again or go on."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.cut(after_chunks=1)
        stream = await ask(router, stream=True)
        await broken(stream)
        assert [it async for it in stream] == []
        await stream.aclose()
        await stream.aclose()


class TestLeaving:
    @WIRES
    @pytest.mark.parametrize("read_first", [0, 1, 3])
    async def test_early_close(self, fleet: Fleet, wire: str, read_first: int) -> None:
        """Closing early gives slot and connection back within 100 ms, whenever it is."""
        (upstream,) = await fleet.start(wire, answer=TEXT)
        entry = upstream.deployment("smart", max_parallel_requests=1)
        router = await fleet.router({"smart": [entry]})
        upstream.hang(after_chunks=4)
        stream = await ask(router, stream=True)
        for _ in range(read_first):
            await anext(stream)
        await stream.aclose()
        assert in_flight(router) == 0
        await quiet(upstream)
        assert await read(await ask(router, stream=True, timeout=1)) == TEXT
        assert states(router) == ["closed"]

    async def test_break_in_the_block(self, fleet: Fleet) -> None:
        """Leaving an `async with` block gives everything back, by break or by exception."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(times=None, after_chunks=2)
        async with await ask(router, stream=True) as stream:
            async for _ in stream:
                break
        with pytest.raises(ZeroDivisionError):
            async with await ask(router, stream=True) as stream:
                async for _ in stream:
                    raise ZeroDivisionError
        assert in_flight(router) == 0
        await quiet(upstream)

    async def test_forgotten(self, fleet: Fleet) -> None:
        """A stream that is only forgotten is given back when it is collected."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(times=None, after_chunks=2)
        for reads in (0, 1):
            stream = await ask(router, stream=True)
            for _ in range(reads):
                await anext(stream)
            del stream
            gc.collect()
            await quiet(upstream)
            assert in_flight(router) == 0

    async def test_closed_from_another_task(self, fleet: Fleet) -> None:
        """A stream can be closed while another task waits for its next chunk."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(after_chunks=2)
        stream = await ask(router, stream=True)
        reader = asyncio.ensure_future(read(stream))
        await asyncio.sleep(0.01)
        await stream.aclose()
        async with asyncio.timeout(0.5):
            await asyncio.wait([reader])
        assert reader.exception() is None or isinstance(reader.exception(), APIError)
        assert in_flight(router) == 0
        await quiet(upstream)

    async def test_many_streams_side_by_side(self, fleet: Fleet) -> None:
        """50 streams at once over three wire formats each have their own text."""
        upstreams = await fleet.start(
            "openai",
            "anthropic",
            "gemini",
            answer=lambda body: f"for {str(body)[-120:].count('#')} of them",
            chunk_delay=0.001,
        )
        router = await fleet.router({"smart": upstreams}, routing_strategy="round-robin")

        async def one(number: int) -> str:
            messages = [{"role": "user", "content": "#" * number}]
            return await read(await router.acompletion("smart", messages, stream=True))

        texts = await asyncio.gather(*(one(number) for number in range(1, 41)))
        assert texts == [f"for {number} of them" for number in range(1, 41)]
        assert in_flight(router) == 0


class TestShape:
    @WIRES
    async def test_every_chunk_has_a_choice(self, fleet: Fleet, wire: str) -> None:
        """Every chunk has `choices[0]`, the one with the usage too."""
        (upstream,) = await fleet.start(wire, answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        stream = await ask(router, stream=True, stream_options={"include_usage": True})
        chunks = [it async for it in stream]
        assert all(len(it.choices) >= 1 for it in chunks)
        assert sum(it.usage is not None for it in chunks) == 1
        assert len({it.id for it in chunks}) == 1

    async def test_usage_only_if_asked_for(self, fleet: Fleet) -> None:
        """Without include_usage no chunk has it, and the route has it all the same."""
        (upstream,) = await fleet.start("openai", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        stream = await ask(router, stream=True)
        assert all(it.usage is None for it in [it async for it in stream])
        assert stream.route.attempts[0].usage.completion_tokens == 5

    async def test_messages_stay_as_they_are(self, fleet: Fleet) -> None:
        """A stream does not touch what it was given."""
        (upstream,) = await fleet.start("anthropic", answer=TEXT)
        router = await fleet.router({"smart": [upstream]})
        messages = [dict(it) for it in HI]
        await read(await router.acompletion("smart", messages, stream=True))
        assert messages == HI
