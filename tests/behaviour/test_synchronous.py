"""The synchronous twins: from scripts, from threads, inside a running loop."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, RateLimitError, Router, StreamInterruptedError, Timeout
from polyroute.testing import FakeClock, Upstream

from .helpers import HI, in_flight

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = "one two three four"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream("openai", answer=TEXT) as made:
        yield made


@pytest.fixture
def two() -> Iterator[Upstream]:
    with Upstream("anthropic", answer=TEXT) as made:
        yield made


def call(router: Router, **params: Any) -> Any:
    return router.completion("smart", HI, **params)


def text(stream: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def test_whole_and_stream(upstream: Upstream) -> None:
    """Answers, streams and errors of completion are those of acompletion."""
    router = Router(model_list=[upstream.deployment("smart")], num_retries=0)
    assert call(router).choices[0].message.content == TEXT
    assert text(call(router, stream=True)) == TEXT
    upstream.fail(429, retry_after=7)
    with pytest.raises(RateLimitError) as caught:
        call(router)
    assert caught.value.retry_after == 7


def test_many_threads_at_once(upstream: Upstream, two: Upstream) -> None:
    """50 threads at once are all answered, whole and streamed."""
    router = Router(
        model_list=[upstream.deployment("smart"), two.deployment("smart")],
        routing_strategy="round-robin",
    )

    def work(number: int) -> str:
        if number % 2:
            return text(call(router, stream=True))
        return str(call(router).choices[0].message.content)

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(work, range(200))) == {TEXT}
    assert in_flight(router) == 0


def test_limits_hold_over_threads(upstream: Upstream) -> None:
    """rpm and slots are exact over threads, too."""
    upstream.latency = 0.003
    entry = upstream.deployment("smart", rpm=30, max_parallel_requests=4)
    router = Router(model_list=[entry], clock=FakeClock())

    def work(_: int) -> str:
        try:
            call(router, timeout=1.5)
        except RateLimitError:
            return "limited"
        return "ok"

    with ThreadPoolExecutor(50) as pool:
        ended = list(pool.map(work, range(50)))
    assert (ended.count("ok"), ended.count("limited")) == (30, 20)
    assert upstream.most_in_flight <= 4
    assert len(upstream.requests) == 30


def test_threads_and_loops_side_by_side(upstream: Upstream) -> None:
    """One Router serves threads, its background loop and an event loop at once: slots hold."""
    upstream.latency = 0.003
    entry = upstream.deployment("smart", max_parallel_requests=3)
    router = Router(model_list=[entry])

    async def several() -> int:
        async with router:
            answers = await asyncio.gather(*(router.acompletion("smart", HI) for _ in range(30)))
        return len(answers)

    with ThreadPoolExecutor(12) as pool:
        loops = [pool.submit(asyncio.run, several()) for _ in range(2)]
        threads = [pool.submit(call, router) for _ in range(30)]
        assert [loop.result(8) for loop in loops] == [30, 30]
        assert all(thread.result(8).choices for thread in threads)
    assert upstream.most_in_flight <= 3
    assert in_flight(router) == 0


def test_inside_a_running_loop(upstream: Upstream) -> None:
    """In a notebook, where a loop runs already, completion answers all the same."""
    router = Router(model_list=[upstream.deployment("smart")])

    async def cell() -> tuple[Any, str]:
        return call(router), text(call(router, stream=True))

    answer, streamed = asyncio.run(cell())
    assert (answer.choices[0].message.content, streamed) == (TEXT, TEXT)


def test_deadline(upstream: Upstream) -> None:
    """The deadline of a synchronous call is as exact."""
    router = Router(model_list=[upstream.deployment("smart")])
    upstream.hang(times=None)
    start = time.monotonic()
    with pytest.raises(Timeout):
        call(router, timeout=0.15)
    assert 0.14 < time.monotonic() - start < 0.22


def test_retries_and_fallbacks(upstream: Upstream, two: Upstream) -> None:
    """Retries, fallbacks and the route work as in asynchronous calls."""
    router = Router(
        model_list=[upstream.deployment("smart"), two.deployment("backup", id="b")],
        fallbacks=[{"smart": ["backup"]}],
        num_retries=0,
    )
    upstream.fail(500, times=None)
    answer = call(router)
    assert answer.route.served_by == "b"
    assert [attempt.reason for attempt in answer.route.attempts] == ["first", "fallback"]


def test_leaving_a_stream(upstream: Upstream) -> None:
    """A stream that is left in its block gives connection and slot back."""
    entry = upstream.deployment("smart", max_parallel_requests=1)
    router = Router(model_list=[entry])
    upstream.hang(after_chunks=2)
    with call(router, stream=True) as stream:
        next(stream)
    assert in_flight(router) == 0
    assert call(router, timeout=1).choices


def test_stream_that_breaks_off(upstream: Upstream) -> None:
    """A broken stream raises with what had come."""
    router = Router(model_list=[upstream.deployment("smart")])
    upstream.cut(after_chunks=2)
    with pytest.raises(StreamInterruptedError) as caught:
        text(call(router, stream=True))
    assert caught.value.partial_message.content == "one two"


def test_resumed_stream(upstream: Upstream, two: Upstream) -> None:
    """on_stream_break="resume" works for synchronous readers."""
    router = Router(
        model_list=[upstream.deployment("smart", order=1), two.deployment("smart", order=2)],
        on_stream_break="resume",
    )
    upstream.cut(after_chunks=2)
    assert text(call(router, stream=True)) == TEXT


def test_no_thread_for_each_call(upstream: Upstream) -> None:
    """All synchronous calls share one background thread."""
    router = Router(model_list=[upstream.deployment("smart")])
    call(router)
    before = threading.active_count()
    for _ in range(20):
        call(router)
    assert threading.active_count() == before


def test_changes_from_other_threads(upstream: Upstream, two: Upstream) -> None:
    """Deployments may be added and removed from any thread while others call."""
    router = Router(model_list=[upstream.deployment("smart", id="stays")])
    errors: list[APIError] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            try:
                call(router)
            except APIError as error:
                errors.append(error)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(work)
        for _ in range(30):
            id = router.add_deployment(two.deployment("smart"))
            time.sleep(0.003)
            router.remove_deployment(id)
        over.set()
    assert errors == []
    assert in_flight(router) == 0
