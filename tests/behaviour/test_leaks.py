"""Thousands of calls leave no task, no connection, no object and no timer behind."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError, Router

from .helpers import ask, in_flight, read

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from polyroute.testing import Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

DESCRIPTORS = Path("/proc/self/fd")


def descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir()))


def objects() -> int:
    gc.collect()
    return len(gc.get_objects())


async def many(make: Callable[[int], Awaitable[Any]], number: int) -> None:
    """So many calls, 40 at a time."""
    for start in range(0, number, 40):
        await asyncio.gather(*(make(start + each) for each in range(40)), return_exceptions=True)


async def grown(make: Callable[[int], Awaitable[Any]], *upstreams: Upstream) -> int:
    """Objects that 2,000 calls leave behind, after as many as it takes to warm up."""

    def forget() -> None:
        for upstream in upstreams:
            upstream.requests.clear()

    await many(make, 400)
    forget()
    before = objects()
    await many(make, 2000)
    forget()
    await asyncio.sleep(0.01)
    return objects() - before


class TestObjects:
    async def test_answers(self, fleet: Fleet) -> None:
        """2,000 answered calls leave no objects and no tasks behind."""
        one, two = await fleet.start("openai", "openai")
        router = await fleet.router({"smart": [one, two]}, routing_strategy="adaptive")
        tasks = len(asyncio.all_tasks())
        assert await grown(lambda _: ask(router), one, two) < 500
        assert len(asyncio.all_tasks()) <= tasks + 80  # the servers' connections have theirs
        assert in_flight(router) == 0

    async def test_every_way_to_end(self, fleet: Fleet) -> None:
        """Errors, streams, abandoned streams, time-outs and cancellations leave nothing either."""
        one, two = await fleet.start("openai", "openai", answer="a b c")
        entries = [
            one.deployment("smart", max_parallel_requests=10, rpm=10**6),
            two.deployment("smart", max_parallel_requests=10, tpm=10**9),
        ]
        router = await fleet.router(
            {"smart": entries}, routing_strategy="adaptive", disable_cooldowns=True, num_retries=0
        )

        async def call(number: int) -> None:
            match number % 6:
                case 0:
                    await ask(router, temperature=object())
                case 1:
                    await read(await ask(router, stream=True))
                case 2:
                    stream = await ask(router, stream=True)
                    await anext(stream)
                    await stream.aclose()
                case 3:
                    await ask(router, timeout=0.001)
                case 4:
                    task = asyncio.ensure_future(ask(router))
                    await asyncio.sleep(0)
                    task.cancel()
                    await task
                case _:
                    await ask(router, "nowhere")

        assert await grown(call, one, two) < 500
        assert in_flight(router) == 0

    async def test_failures(self, fleet: Fleet) -> None:
        """2,000 failing calls leave nothing behind: no errors, routes or tracebacks are kept."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, disable_cooldowns=True)
        upstream.fail(500, times=None)
        assert await grown(lambda _: ask(router), upstream) < 500

    async def test_errors_are_no_cycles(self, fleet: Fleet) -> None:
        """An error that is let go is gone at once, and takes nothing of the Router along."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, disable_cooldowns=True, num_retries=0)
        upstream.fail(500, times=None)
        sizes = []
        gc.collect()
        gc.disable()
        try:
            for _ in range(200):
                with pytest.raises(APIError):
                    await ask(router)
                upstream.requests.clear()
                sizes.append(len(gc.get_objects()))
        finally:
            gc.enable()
        assert sizes[-1] - sizes[100] < 100 * 60

    async def test_coming_and_going(self, fleet: Fleet) -> None:
        """Deployments that come and go leave nothing behind."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]})

        async def change(number: int) -> None:
            id = router.add_deployment(upstream.deployment("smart", id=f"new-{number}"))
            router.remove_deployment(id)

        await many(change, 80)
        before = objects()
        await many(change, 400)
        assert objects() - before < 200


class TestConnections:
    @pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs /proc")
    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    async def test_are_used_again(self, fleet: Fleet, stream: bool) -> None:
        """2,000 calls, 40 at a time, need no more connections than 40."""
        (upstream,) = await fleet.start("openai", answer="a b")
        router = await fleet.router({"smart": [upstream]})

        async def call(_: int) -> None:
            answer = await ask(router, stream=stream)
            if stream:
                await read(answer)

        before = descriptors()
        await many(call, 2000)
        assert descriptors() - before <= 2 * 40 + 4  # both ends are ours

    @pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs /proc")
    async def test_closed_with_the_router(self, fleet: Fleet) -> None:
        """aclose closes every connection."""
        (upstream,) = await fleet.start("openai", latency=0.005)
        before = descriptors()
        router = await fleet.router({"smart": [upstream]})
        await asyncio.gather(*(ask(router) for _ in range(30)))
        await router.aclose()
        for _ in range(50):
            await asyncio.sleep(0.002)
            if descriptors() <= before:
                break
        assert descriptors() <= before

    async def test_one_for_calls_in_a_row(self, fleet: Fleet) -> None:
        """Calls after one another share one connection, errors in between or not."""
        (upstream,) = await fleet.start("openai")
        router = await fleet.router({"smart": [upstream]}, num_retries=0, disable_cooldowns=True)
        loop = asyncio.get_running_loop()
        opened = []
        original = loop.create_connection

        async def counted(*args: Any, **kwargs: Any) -> Any:
            opened.append(args)
            return await original(*args, **kwargs)

        loop.create_connection = counted  # type: ignore[method-assign]
        try:
            for number in range(20):
                if number % 3 == 0:
                    upstream.fail(500)
                    with pytest.raises(APIError):
                        await ask(router)
                elif number % 3 == 1:
                    await read(await ask(router, stream=True))
                else:
                    await ask(router)
        finally:
            loop.create_connection = original  # type: ignore[method-assign]
        assert len(opened) <= 1


async def test_memory_of_long_streams(fleet: Fleet) -> None:
    """A long stream needs memory for its text, not for its chunks."""
    (upstream,) = await fleet.start("openai", answer="word " * 20_000)
    router = await fleet.router({"smart": [upstream]})
    stream = await ask(router, stream=True)
    tracemalloc.start()
    try:
        count = 0
        async for _ in stream:
            count += 1
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count >= 20_000
    assert held < 30 * 2**20


async def test_router_is_collected(fleet: Fleet) -> None:
    """A Router that was closed and let go is gone, also when another one goes on."""
    (upstream,) = await fleet.start("openai")
    router: Router | None = Router(model_list=[upstream.deployment("smart")])
    await ask(router)
    await router.aclose()
    gone = weakref.ref(router)
    del router
    gc.collect()
    assert gone() is None
