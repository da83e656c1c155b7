"""The synchronous functions: from scripts, threads and inside other people's loops."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import polyroute
from polyroute import NotFoundError, RateLimitError, Router, StreamInterruptedError, SyncStream
from polyroute.router.sync import background, run
from polyroute.testing import Upstream

if TYPE_CHECKING:
    from collections.abc import Generator

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def upstream() -> Generator[Upstream, None, None]:
    """An upstream with a thread of its own."""
    with Upstream("openai", answer="one two three") as running:
        yield running


@pytest.fixture
def router(upstream: Upstream) -> Router:
    """A Router over it, without retries."""
    return Router(model_list=[upstream.deployment("smart")], num_retries=0)


def idle(router: Router, upstream: Upstream) -> bool:
    """Whether within 200 ms nothing is in flight any more."""
    deadline = time.monotonic() + 0.2
    while time.monotonic() < deadline:
        if not (upstream.in_flight or router.stats()[0]["in_flight"]):
            return True
        time.sleep(0.001)
    return False


def text(stream: SyncStream) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


class TestCalls:
    def test_from_a_script(self, router: Router) -> None:
        """Without any event loop around, a call simply returns its answer."""
        answer = router.completion("smart", HI)
        assert answer.choices[0].message.content == "one two three"
        assert answer.route.served_by == router.stats()[0]["id"]

    def test_errors_come_through(self, router: Router, upstream: Upstream) -> None:
        """A call raises what its asynchronous twin raises."""
        upstream.fail(429, retry_after=30)
        with pytest.raises(RateLimitError) as caught:
            router.completion("smart", HI)
        assert caught.value.route.attempts[0].status == 429
        with pytest.raises(NotFoundError):
            router.completion("nobody", HI)

    def test_from_a_thread_of_a_running_loop(self, router: Router) -> None:
        """Code that is synchronous because a framework put it into a thread can call."""

        async def handler() -> Any:
            return await asyncio.to_thread(router.completion, "smart", HI)

        assert asyncio.run(handler()).choices[0].message.content == "one two three"

    def test_inside_a_running_loop(self, router: Router) -> None:
        """In the thread of somebody's loop (a notebook) it blocks that loop and still answers."""

        async def cell() -> Any:
            return router.completion("smart", HI)

        assert asyncio.run(cell()).choices[0].message.content == "one two three"

    def test_many_threads(self, router: Router, upstream: Upstream) -> None:
        """Threads call at the same time, and are served at the same time."""
        upstream.latency = 0.05
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: router.completion("smart", HI), range(60)))
        assert len(answers) == 60
        assert upstream.most_in_flight > 10
        assert idle(router, upstream)

    def test_one_loop_for_all(self, router: Router, upstream: Upstream) -> None:
        """All synchronous calls share one background thread, whichever Router they go through."""
        Router(model_list=[upstream.deployment("other")]).completion("other", HI)
        router.completion("smart", HI)
        names = [thread.name for thread in threading.enumerate()]
        assert sum("polyroute" in name and "upstream" not in name for name in names) == 1

    def test_on_the_background_loop_itself(self, router: Router) -> None:
        """A call that would wait for itself is refused with a word, and warns of nothing."""

        async def hook() -> None:
            router.completion("smart", HI)

        with pytest.raises(RuntimeError):
            background.portal().call(hook)
        gc.collect()

    def test_asynchronous_and_synchronous_side_by_side(self, router: Router) -> None:
        """One Router serves both worlds at once."""

        async def both() -> list[Any]:
            thread = asyncio.to_thread(router.completion, "smart", HI)
            return await asyncio.gather(thread, router.acompletion("smart", HI))

        assert len(asyncio.run(both())) == 2

    def test_interrupted_call_is_cancelled(self, router: Router, upstream: Upstream) -> None:
        """Ctrl-C ends the waiting and the call behind it."""
        upstream.hang()
        interrupt = (threading.main_thread().ident, signal.SIGINT)
        threading.Timer(0.1, signal.pthread_kill, interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            router.completion("smart", HI)
        assert idle(router, upstream)

    def test_single_model(self, upstream: Upstream) -> None:
        """polyroute.completion needs no Router."""
        answer = polyroute.completion(
            "openai/some-model", HI, api_base=upstream.base_url, api_key="k"
        )
        assert answer.choices[0].message.content == "one two three"

    def test_mock_response(self) -> None:
        """A mocked stream is iterated and closed like any other."""
        with polyroute.completion("gpt-4o", HI, stream=True, mock_response="one two") as stream:
            assert text(stream) == "one two"

    def test_run_hands_out_results_and_errors(self) -> None:
        """run() is the whole bridge: a coroutine's result or exception."""

        async def divide(by: int) -> float:
            return 1 / by

        assert run(divide(2)) == 0.5
        with pytest.raises(ZeroDivisionError):
            run(divide(0))


class TestStreams:
    def test_iteration(self, router: Router, upstream: Upstream) -> None:
        """A stream is an ordinary iterator."""
        stream = router.completion("smart", HI, stream=True)
        assert isinstance(stream, SyncStream)
        assert text(stream) == "one two three"
        assert next(stream, "over") == "over"
        assert stream.route.attempts[0].outcome == "ok"
        assert idle(router, upstream)

    def test_leaving_early(self, router: Router, upstream: Upstream) -> None:
        """Leaving the with block ends the stream at once."""
        upstream.hang(after_chunks=1)
        with router.completion("smart", HI, stream=True) as stream:
            next(stream)
        assert idle(router, upstream)
        assert stream.route.attempts[0].outcome == "cancelled"

    def test_close_is_final(self, router: Router, upstream: Upstream) -> None:
        """A closed stream has nothing more to say, and can be closed again."""
        upstream.hang(after_chunks=1)
        stream = router.completion("smart", HI, stream=True)
        stream.close()
        stream.close()
        assert list(stream) == []

    @pytest.mark.parametrize("chunks_read", [0, 1])
    def test_collected(self, router: Router, upstream: Upstream, chunks_read: int) -> None:
        """A stream that is simply dropped gives everything back."""
        upstream.hang(after_chunks=2)
        stream = router.completion("smart", HI, stream=True)
        for _ in range(chunks_read):
            next(stream)
        del stream
        gc.collect()
        assert idle(router, upstream)

    def test_break_off(self, router: Router, upstream: Upstream) -> None:
        """A stream that breaks off raises with what had come."""
        upstream.cut(after_chunks=2)
        with pytest.raises(StreamInterruptedError) as caught:
            text(router.completion("smart", HI, stream=True))
        assert caught.value.partial_message.content == "one two"

    def test_headers(self, router: Router, upstream: Upstream) -> None:
        """The provider's headers are there before the first chunk is read."""
        upstream.headers = {"x-ratelimit-remaining-requests": "9"}
        with router.completion("smart", HI, stream=True) as stream:
            assert stream.response_headers["x-ratelimit-remaining-requests"] == "9"

    def test_two_threads_share_a_stream(self, router: Router, upstream: Upstream) -> None:
        """Threads that read one stream together get every chunk once."""
        upstream.answer = " ".join("abcdefghijklmnopqrstuvwxyz")
        stream = router.completion("smart", HI, stream=True)
        with ThreadPoolExecutor(1) as pool:
            rest = pool.submit(text, stream).result()
        assert rest.replace(" ", "") == "abcdefghijklmnopqrstuvwxyz"
