"""Streams: what commits them, how they break, and that everybody who leaves leaves nothing."""

from __future__ import annotations

import asyncio
import gc
import pickle
import time
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import (
    APIError,
    APIResponseValidationError,
    ChatStream,
    Router,
    StreamInterruptedError,
)
from polyroute.testing import Reply, ToolUse

if TYPE_CHECKING:
    from conftest import Fleet

    from polyroute.testing import Upstream

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]
FORMATS = ("openai", "anthropic", "gemini")
LONG = " ".join(f"word{number}" for number in range(50))


def event(content: str, finish: str = "null") -> bytes:
    """One event of OpenAI's, with this content."""
    return (
        b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"%s"},'
        b'"finish_reason":%s}]}\n\n' % (content.encode(), finish.encode())
    )


async def begin(router: Router, **params: Any) -> ChatStream:
    return await router.acompletion("smart", HI, stream=True, **params)


async def text(stream: ChatStream) -> str:
    return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])


async def broken(stream: ChatStream) -> StreamInterruptedError:
    """The error that a stream ends in."""
    with pytest.raises(StreamInterruptedError) as caught:
        await text(stream)
    return caught.value


async def everything_given_back(router: Router, *upstreams: Upstream) -> None:
    """Within 100 ms no slot is held, no probe flagged, and no connection used any more."""
    async with asyncio.timeout(0.1):
        for upstream in upstreams:
            await upstream.until(lambda it: it.in_flight == 0)
        while any(row["in_flight"] for row in router.stats()):
            await asyncio.sleep(0)


class TestWhole:
    @pytest.mark.parametrize("wire", FORMATS)
    async def test_text_arrives_in_pieces(self, fleet: Fleet, wire: str) -> None:
        """The pieces of a stream are the answer's text, in several chunks, with one ending."""
        (upstream,) = await fleet.start(wire, answer=LONG)
        router = await fleet.router({"smart": [upstream]})
        chunks = [chunk async for chunk in await begin(router)]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == LONG
        assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == [
            "stop"
        ]
        assert len({chunk.id for chunk in chunks}) == 1
        await everything_given_back(router, upstream)

    @pytest.mark.parametrize("wire", FORMATS)
    async def test_books_and_route(self, fleet: Fleet, wire: str) -> None:
        """A whole stream is a success with usage, although the caller asked for none."""
        (upstream,) = await fleet.start(wire, answer=Reply("Hello there", prompt_tokens=7))
        router = await fleet.router({"smart": [upstream]})
        stream = await begin(router)
        chunks = [chunk async for chunk in stream]
        assert all(chunk.usage is None for chunk in chunks)
        (attempt,) = stream.route.attempts
        assert (attempt.outcome, attempt.usage.prompt_tokens) == ("ok", 7)
        assert 0 < attempt.first_token <= attempt.ended
        assert router.stats()[0]["successes"] == 1

    @pytest.mark.parametrize("wire", FORMATS)
    async def test_usage_when_asked_for(self, fleet: Fleet, wire: str) -> None:
        """With include_usage the usage comes once, in the last chunk."""
        (upstream,) = await fleet.start(wire, answer=Reply("Hello there", prompt_tokens=7))
        router = await fleet.router({"smart": [upstream]})
        stream = await begin(router, stream_options={"include_usage": True})
        chunks = [chunk async for chunk in stream]
        assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
        assert chunks[-1].usage.prompt_tokens == 7
        assert all(chunk.choices for chunk in chunks)

    async def test_connection_is_used_again(self, fleet: Fleet) -> None:
        """A stream read to its end leaves its connection for the next call."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        for _ in range(3):
            await text(await begin(router))
        here = router._engine.transport.here()
        assert len(here.session.connector._conns) == 1
        assert sum(map(len, here.session.connector._conns.values())) == 1

    async def test_server_that_does_not_hang_up(self, fleet: Fleet) -> None:
        """After the end marker nobody waits for a server that keeps the answer open."""
        head = fleet.http(Content_Type="text/event-stream")
        raw = await fleet.raw(head, event("Hi", '"stop"'), b"data: [DONE]\n\n", hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        start = time.monotonic()
        assert await text(await begin(router)) == "Hi"
        assert time.monotonic() - start < 0.2
        await asyncio.sleep(0.01)
        assert raw.open == 0

    async def test_end_without_marker(self, fleet: Fleet) -> None:
        """A stream is whole when it has its finish reason; [DONE] is no condition."""
        head = fleet.http(Content_Type="text/event-stream")
        raw = await fleet.raw(head, event("Hi"), event("", '"stop"'))
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        stream = await begin(router)
        assert await text(stream) == "Hi"
        assert stream.route.attempts[0].outcome == "ok"

    async def test_exhausted_stream_stays_exhausted(self, fleet: Fleet) -> None:
        """Asking an ended stream for more ends at once; closing it again is fine."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        stream = await begin(router)
        await text(stream)
        assert await anext(stream, "over") == "over"
        await stream.aclose()
        assert stream.route.attempts[0].outcome == "ok"


class TestBeforeContent:
    @pytest.mark.parametrize("wire", FORMATS)
    async def test_failures_are_invisible(self, fleet: Fleet, wire: str) -> None:
        """Whatever fails before the first content is tried again without the caller noticing."""
        one, two = await fleet.start(wire, wire)
        router = await fleet.router({"smart": [one, two]}, num_retries=3)
        one.fail(500)
        two.cut(after_chunks=0)
        one.fail(503, after_chunks=0)
        stream = await begin(router)
        assert await text(stream) == "Hello!"
        assert [attempt.outcome for attempt in stream.route.attempts] == ["failed"] * 3 + ["ok"]

    async def test_falls_back(self, fleet: Fleet) -> None:
        """A stream that cannot begin begins in the fallback group."""
        one, two = await fleet.start("openai", "anthropic")
        router = await fleet.router(
            {"smart": [one], "backup": [two]}, fallbacks=[{"smart": ["backup"]}], num_retries=0
        )
        one.cut(after_chunks=0)
        stream = await begin(router)
        assert await text(stream) == "Hello!"
        assert stream.route.served_by == "backup-0"

    async def test_silence_before_the_first_content(self, fleet: Fleet) -> None:
        """`timeout` runs until the first content, so a stream that never speaks is left."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]})
        one.hang(after_chunks=0)
        stream = await begin(router, timeout=0.2)
        assert stream.route.served_by == "smart-1"
        await text(stream)
        await everything_given_back(router, one, two)

    async def test_timeout_ends_with_the_first_content(self, fleet: Fleet) -> None:
        """After the first content `timeout` no longer counts."""
        (upstream,) = await fleet.start("openai", answer="a b c d e f", chunk_delay=0.03)
        router = await fleet.router({"smart": [upstream]})
        assert await text(await begin(router, timeout=0.1)) == "a b c d e f"

    @pytest.mark.parametrize("body", [b"", b"data: [DONE]\n\n", b": ping\n\n"])
    async def test_empty_stream_is_a_failure(self, fleet: Fleet, body: bytes) -> None:
        """A stream that ends without having said anything is tried elsewhere."""
        (upstream,) = await fleet.start("openai")
        raw = await fleet.raw(fleet.http(body, Content_Type="text/event-stream"))
        router = await fleet.router({"smart": [raw.deployment("smart"), upstream]})
        stream = await begin(router)
        assert await text(stream) == "Hello!"
        assert stream.route.attempts[0].outcome == "failed"

    async def test_page_instead_of_a_stream(self, fleet: Fleet) -> None:
        """A proxy's HTML with status 200 is an answer that cannot be understood."""
        page = fleet.http(b"<html><body>Sign in</body></html>", Content_Type="text/html")
        raw = await fleet.raw(page)
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        with pytest.raises(APIResponseValidationError):
            await begin(router)

    async def test_whole_answer_instead_of_a_stream(self, fleet: Fleet) -> None:
        """A server that answers whole although a stream was asked for is not taken for silence."""
        body = b'{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"}}]}'
        raw = await fleet.raw(fleet.http(body, Content_Type="application/json"))
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        with pytest.raises(APIResponseValidationError):
            await begin(router)

    async def test_error_as_json_instead_of_a_stream(self, fleet: Fleet) -> None:
        """A gateway that answers a stream's request with JSON and status 200 is understood."""
        body = b'{"error": {"message": "the model is loading", "type": "overloaded", "code": 503}}'
        raw = await fleet.raw(fleet.http(body, Content_Type="application/json"))
        router = await fleet.router({"smart": [raw.deployment("smart")]}, num_retries=0)
        with pytest.raises(APIError, match="the model is loading"):
            await begin(router)

    async def test_error_status_of_a_stream(self, fleet: Fleet) -> None:
        """An error answer to a stream's request is read and told like any other."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(400, message="no such thing")
        with pytest.raises(APIError, match="no such thing"):
            await begin(router)


class TestAfterContent:
    @pytest.mark.parametrize("wire", FORMATS)
    @pytest.mark.parametrize("fault", ["cut", "fail"])
    async def test_break_is_an_error_with_what_came(
        self, fleet: Fleet, wire: str, fault: str
    ) -> None:
        """After the first content a failure is told, with text, route and attempt so far."""
        (upstream,) = await fleet.start(wire, answer="one two three four")
        router = await fleet.router({"smart": [upstream]})
        getattr(upstream, fault)(after_chunks=2)
        error = await broken(await begin(router))
        assert error.partial_message.content == "one two"
        assert error.route.attempts[0].outcome == "interrupted"
        assert len(upstream.requests) == 1
        await everything_given_back(router, upstream)

    async def test_error_keeps_the_cause(self, fleet: Fleet) -> None:
        """An error event inside a 200 keeps its status and words."""
        (upstream,) = await fleet.start("openai", answer="one two three")
        router = await fleet.router({"smart": [upstream]})
        upstream.fail(503, after_chunks=1, message="out of steam")
        error = await broken(await begin(router))
        assert error.message == "the stream broke off: out of steam"
        assert isinstance(error.__cause__, APIError)
        assert error.llm_provider == "openai"

    async def test_break_counts_against_health(self, fleet: Fleet) -> None:
        """A stream that breaks off is a failure of its deployment."""
        (upstream,) = await fleet.start("openai", answer="one two three")
        router = await fleet.router({"smart": [upstream]}, allowed_fails=0)
        upstream.cut(after_chunks=1)
        await broken(await begin(router))
        assert router.stats()[0]["state"] == "open"

    async def test_truncated_stream(self, fleet: Fleet) -> None:
        """An orderly end of the connection without a finish reason is no end of the answer."""
        head = fleet.http(Content_Type="text/event-stream")
        raw = await fleet.raw(head, event("one"), event(" two"))
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        error = await broken(await begin(router))
        assert error.partial_message.content == "one two"
        assert "without a finish reason" in error.message

    async def test_garbage_in_the_middle(self, fleet: Fleet) -> None:
        """An event that is no JSON breaks the stream; the chunks before it are delivered."""
        head = fleet.http(Content_Type="text/event-stream")
        raw = await fleet.raw(head, event("one") + b"data: {oops\n\n", hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        stream = await begin(router)
        assert (await anext(stream)).choices[0].delta.content == "one"
        await broken(stream)
        await asyncio.sleep(0.01)
        assert raw.open == 0

    async def test_tool_call_in_pieces(self, fleet: Fleet) -> None:
        """What had come of a tool call is in the partial message."""
        tools = [ToolUse("weather", {"city": "Paris"})]
        (upstream,) = await fleet.start("openai", answer=Reply("I look.", tools=tools))
        router = await fleet.router({"smart": [upstream]})
        upstream.cut(after_chunks=4)
        error = await broken(await begin(router))
        (call,) = error.partial_message.tool_calls
        assert (error.partial_message.content, call.function.name) == ("I look.", "weather")
        assert 0 < len(call.function.arguments) < len('{"city": "Paris"}')

    async def test_error_survives_pickling(self, fleet: Fleet) -> None:
        """A StreamInterruptedError crosses processes with all it carries."""
        (upstream,) = await fleet.start("anthropic", answer="one two three")
        router = await fleet.router({"smart": [upstream]})
        upstream.cut(after_chunks=1)
        error = await broken(await begin(router))
        again = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
        assert again.partial_message == error.partial_message
        assert str(again.route) == str(error.route)

    async def test_usage_so_far(self, fleet: Fleet) -> None:
        """Tokens that the provider reported before the break are on the error."""
        (upstream,) = await fleet.start("anthropic", answer=Reply("one two", prompt_tokens=9))
        router = await fleet.router({"smart": [upstream]})
        upstream.cut(after_chunks=1)
        assert (await broken(await begin(router))).usage.prompt_tokens == 9


class TestLimits:
    async def test_idle_limit(self, fleet: Fleet) -> None:
        """A stream that falls silent is interrupted after stream_idle_timeout."""
        (upstream,) = await fleet.start("openai", answer="one two three")
        router = await fleet.router({"smart": [upstream]}, stream_idle_timeout=0.05)
        upstream.hang(after_chunks=1)
        start = time.monotonic()
        error = await broken(await begin(router))
        assert 0.04 < time.monotonic() - start < 0.2
        assert (error.status_code, error.partial_message.content) == (408, "one")
        assert "stream_idle_timeout" in error.message
        await everything_given_back(router, upstream)

    async def test_idle_limit_of_the_call(self, fleet: Fleet) -> None:
        """A call's own idle limit beats the Router's."""
        (upstream,) = await fleet.start("openai", answer="one two three")
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(after_chunks=1)
        assert "0.05 s" in (await broken(await begin(router, stream_idle_timeout=0.05))).message

    async def test_steady_stream_outlasts_the_idle_limit(self, fleet: Fleet) -> None:
        """Gaps are limited, not the whole: a stream that keeps coming may take its time."""
        (upstream,) = await fleet.start("openai", answer="a b c d e f", chunk_delay=0.03)
        router = await fleet.router({"smart": [upstream]}, stream_idle_timeout=0.08)
        assert await text(await begin(router)) == "a b c d e f"

    async def test_slow_reader_is_not_punished(self, fleet: Fleet) -> None:
        """The idle limit measures the provider's silence, never the caller's."""
        (upstream,) = await fleet.start("openai", answer="a b c", chunk_delay=0.01)
        router = await fleet.router({"smart": [upstream]}, stream_idle_timeout=0.04)
        heard = []
        async for chunk in await begin(router):
            heard.append(chunk.choices[0].delta.content or "")
            await asyncio.sleep(0.06)
        assert "".join(heard) == "a b c"

    async def test_force_timeout_bounds_everything(self, fleet: Fleet) -> None:
        """force_timeout ends even a stream that keeps coming."""
        (upstream,) = await fleet.start("openai", answer=LONG, chunk_delay=0.02)
        router = await fleet.router({"smart": [upstream]})
        start = time.monotonic()
        error = await broken(await begin(router, force_timeout=0.1))
        assert 0.08 < time.monotonic() - start < 0.2
        assert "force_timeout" in error.message
        await everything_given_back(router, upstream)

    async def test_whole_limit_is_the_callers_own(self, fleet: Fleet) -> None:
        """A stream cut by the caller's force_timeout does not count against the deployment."""
        (upstream,) = await fleet.start("openai", answer=LONG, chunk_delay=0.02)
        router = await fleet.router({"smart": [upstream]}, allowed_fails=0)
        await broken(await begin(router, force_timeout=0.05))
        assert router.stats()[0]["state"] == "closed"

    async def test_no_timer_outlives_its_stream(self, fleet: Fleet) -> None:
        """After a stream has ended, its limits never fire."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, stream_idle_timeout=0.02)
        stream = await begin(router, force_timeout=0.03)
        await text(stream)
        await asyncio.sleep(0.05)
        assert stream.route.attempts[0].outcome == "ok"


class TestLeaving:
    """Whoever leaves a stream gives everything back within 100 ms."""

    async def opened(self, fleet: Fleet, wire: str = "openai") -> tuple[Upstream, Router, Any]:
        """A stream that hangs after two chunks."""
        (upstream,) = await fleet.start(wire, answer=LONG)
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(after_chunks=2)
        return upstream, router, await begin(router)

    async def test_books_are_open_while_it_runs(self, fleet: Fleet) -> None:
        """A running stream counts as in flight."""
        _, router, stream = await self.opened(fleet)
        await anext(stream)
        assert router.stats()[0]["in_flight"] == 1
        await stream.aclose()

    @pytest.mark.parametrize("wire", FORMATS)
    async def test_early_break(self, fleet: Fleet, wire: str) -> None:
        """Leaving the loop and dropping the stream gives everything back."""
        upstream, router, stream = await self.opened(fleet, wire)
        async for _ in stream:
            break
        del stream
        gc.collect()
        await everything_given_back(router, upstream)

    async def test_break_inside_the_block(self, fleet: Fleet) -> None:
        """Leaving the async with block gives everything back at once."""
        upstream, router, stream = await self.opened(fleet)
        async with stream:
            async for _ in stream:
                break
        assert router.stats()[0]["in_flight"] == 0
        assert stream.route.attempts[0].outcome == "cancelled"
        await everything_given_back(router, upstream)

    @pytest.mark.parametrize("chunks_read", [0, 1])
    async def test_aclose(self, fleet: Fleet, chunks_read: int) -> None:
        """aclose ends a stream before and during iteration, twice if need be."""
        upstream, router, stream = await self.opened(fleet)
        for _ in range(chunks_read):
            await anext(stream)
        await stream.aclose()
        await stream.aclose()
        await everything_given_back(router, upstream)
        assert await anext(stream, None) is None

    async def test_collected_without_iteration(self, fleet: Fleet) -> None:
        """A stream that nobody reads gives everything back when it is collected."""
        upstream, router, stream = await self.opened(fleet)
        del stream
        gc.collect()
        await everything_given_back(router, upstream)

    async def test_reader_is_cancelled(self, fleet: Fleet) -> None:
        """A cancelled reader gives everything back, and the cancellation is its own."""
        upstream, router, stream = await self.opened(fleet)
        reader = asyncio.create_task(text(stream))
        await asyncio.sleep(0.02)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await everything_given_back(router, upstream)

    async def test_closed_by_another_task(self, fleet: Fleet) -> None:
        """aclose from another task ends a reader that waits, instead of complaining about it."""
        upstream, router, stream = await self.opened(fleet)
        reader = asyncio.create_task(text(stream))
        await asyncio.sleep(0.02)
        await stream.aclose()
        await asyncio.wait([reader], timeout=0.1)
        assert reader.done()
        reader.exception()
        await everything_given_back(router, upstream)

    async def test_cancelled_while_it_begins(self, fleet: Fleet) -> None:
        """A caller cancelled before the first content gives everything back."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(after_chunks=0)
        caller = asyncio.create_task(begin(router))
        await upstream.until(lambda it: it.in_flight == 1)
        await asyncio.sleep(0.01)
        caller.cancel()
        await asyncio.wait([caller])
        await everything_given_back(router, upstream)

    async def test_cancelled_while_the_rest_is_drained(self, fleet: Fleet) -> None:
        """A reader cancelled after the end marker does not leave its connection behind."""
        head = fleet.http(Content_Type="text/event-stream")
        raw = await fleet.raw(head, event("Hi", '"stop"') + b"data: [DONE]\n\n", hold=True)
        router = await fleet.router({"smart": [raw.deployment("smart")]})
        stream = await begin(router)
        await anext(stream)
        reader = asyncio.create_task(text(stream))
        await asyncio.sleep(0.01)
        reader.cancel()
        await asyncio.wait([reader])
        await asyncio.sleep(0.01)
        assert (raw.open, router.stats()[0]["in_flight"]) == (0, 0)

    async def test_readers_own_exception(self, fleet: Fleet) -> None:
        """An exception in the loop's body passes through and closes the stream."""
        upstream, router, stream = await self.opened(fleet)
        with pytest.raises(ZeroDivisionError):
            async with stream:
                async for _ in stream:
                    1 / 0  # noqa: B018
        await everything_given_back(router, upstream)

    async def test_abandoned_probe(self, fleet: Fleet, clock: Any) -> None:
        """A probe whose stream is dropped leaves the way free for the next one."""
        (upstream,) = await fleet.start("openai", answer=LONG)
        router = await fleet.router(
            {"smart": [upstream]}, allowed_fails=0, num_retries=0, clock=clock
        )
        upstream.fail(500)
        with pytest.raises(APIError):
            await begin(router)
        clock.advance(6)
        upstream.hang(after_chunks=1)
        await (await begin(router)).aclose()
        assert (await begin(router)).route.attempts[0].reason == "probe"

    async def test_router_is_closed_under_it(self, fleet: Fleet) -> None:
        """A stream whose Router is closed breaks off, with what had come."""
        upstream, router, stream = await self.opened(fleet)
        reader = asyncio.create_task(broken(stream))
        await asyncio.sleep(0.02)
        await router.aclose()
        async with asyncio.timeout(1):
            assert (await reader).partial_message.content == "word0 word1"
        await everything_given_back(router, upstream)

    async def test_stream_keeps_its_router(self, fleet: Fleet) -> None:
        """A stream may outlive the last name of its Router and is read to its end."""
        (upstream,) = await fleet.start("openai", answer="a b c d", chunk_delay=0.01)
        router = Router(model_list=[upstream.deployment("smart")])
        stream = await begin(router)
        del router
        gc.collect()
        async with asyncio.timeout(1):
            assert await text(stream) == "a b c d"

    async def test_many_abandoned_at_once(self, fleet: Fleet) -> None:
        """Fifty streams dropped in all states leave nothing."""
        (upstream,) = await fleet.start("openai", answer=LONG)
        router = await fleet.router({"smart": [upstream]})
        upstream.hang(after_chunks=2, times=None)
        streams = await asyncio.gather(*(begin(router) for _ in range(50)))
        for number, stream in enumerate(streams):
            for _ in range(number % 3):
                await anext(stream)
            if number % 2:
                await stream.aclose()
        del stream, streams
        gc.collect()
        await everything_given_back(router, upstream)
