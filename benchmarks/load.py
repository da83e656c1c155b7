"""
What a peer is put through, inside its own process, and what that cost.

    calls     so many callers, each one call after the other
    streams   so many readers, each one stream after the other
    choices   a router's choice alone, at growing numbers of deployments

Each returns one sample: figures by name. An answer that is not what the upstream said is an
error, never a figure.
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any

    from .peers import Client, Messages, RouterClient

Sample = dict[str, float]

MESSAGES: Messages = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "Say hello in one short sentence, please."},
]
EXPECTED = " the quick brown fox jumps over a lazy dog."
MICRO = 1e6


class WrongAnswerError(Exception):
    """The peer returned something else than the upstream had sent."""


class Meter:
    """The wall clock and CPU seconds that this process needs for a block."""

    def __enter__(self) -> Self:
        gc.collect()
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cpu = time.process_time() - self.cpu
        self.wall = time.perf_counter() - self.wall


async def calls(client: Client, *, seconds: float, in_flight: int) -> Sample:
    """Calls until the time is over; every caller finishes the call it has begun."""
    latencies: list[float] = []

    async def caller() -> None:
        started = time.perf_counter()
        while started < deadline:
            text = await client.call(MESSAGES)
            ended = time.perf_counter()
            latencies.append(ended - started)
            started = ended
            if text != EXPECTED:
                raise WrongAnswerError(f"expected {EXPECTED!r}, got {text!r}")

    with Meter() as meter:
        deadline = time.perf_counter() + seconds
        await together(caller, in_flight)
    latencies.sort()
    return {
        "p50_us": percentile(latencies, 0.5) * MICRO,
        "p99_us": percentile(latencies, 0.99) * MICRO,
        "cpu_us": meter.cpu / len(latencies) * MICRO,
        "rate": len(latencies) / meter.wall,
    }


async def streams(client: Client, *, seconds: float, in_flight: int, chunks: int) -> Sample:
    """Streams of that many content chunks, until the time is over."""
    first_chunks: list[float] = []

    async def reader() -> None:
        while (started := time.perf_counter()) < deadline:
            count = 0
            async for chunk in await client.stream(MESSAGES):
                if client.text(chunk):
                    count += 1
                    if count == 1:
                        first_chunks.append(time.perf_counter() - started)
            if count != chunks:
                raise WrongAnswerError(f"expected {chunks} chunks, got {count}")

    with Meter() as meter:
        deadline = time.perf_counter() + seconds
        await together(reader, in_flight)
    total = len(first_chunks) * chunks
    first_chunks.sort()
    return {
        "cpu_us": meter.cpu / total * MICRO,
        "rate": total / meter.wall,
        "first_us": percentile(first_chunks, 0.5) * MICRO,
    }


async def choices(router: RouterClient, *, seconds: float) -> float:
    """Microseconds of CPU for one choice."""
    times = 0
    with Meter() as meter:
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            await router.choose(10)
            times += 10
    return meter.cpu / times * MICRO


async def together(work: Callable[[], Coroutine[Any, Any, None]], count: int) -> None:
    """Run `count` copies at once; the first error ends them all."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            tasks.create_task(work())


def percentile(ordered: list[float], fraction: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * fraction))]
