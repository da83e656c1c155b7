"""
What a peer is put through when there is much of it, inside its own process.

    burst      so many calls at once: how long until the last, and the peak of memory
    growth     so many calls, one after the other in some lanes: what memory they leave behind
    crowd      so many streams open at once, each with a chunk per pause: memory, and the loop's lag
    backlog    one stream whose reader stops for a while: what piles up meanwhile

Memory is the resident set of the process, which has little else in it.
"""

from __future__ import annotations

import asyncio
import gc
import time
from itertools import islice, repeat
from pathlib import Path
from statistics import linear_regression
from typing import TYPE_CHECKING, Any

from .load import EXPECTED, MESSAGES, Meter, WrongAnswerError, percentile
from .probe import resident_megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .load import Sample
    from .peers import Client

TICK = 0.01
"""Seconds between two looks at how late the loop is."""

LANES = 64
WARM = 2_000
STEPS = 20
"""Looks at the memory while it is watched."""

LONGEST_GROWTH = 60.0
"""Seconds after which a slow peer has made calls enough."""

OPENING_RATE = 1_500
"""Streams opened per second: all at once would measure the opening, not the streams."""

PAUSE = 1.0
"""Seconds that a slow reader stops for."""

BYTES = 2**20


def peak_megabytes() -> float:
    """The most that was ever resident, in this process and since it began."""
    status = Path("/proc/self/status").read_text(encoding="ascii").split("\n")
    line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


async def checked_call(client: Client) -> None:
    text = await client.call(MESSAGES)
    if text != EXPECTED:
        raise WrongAnswerError(f"expected {EXPECTED!r}, got {text!r}")


async def burst(client: Client, *, count: int) -> Sample:
    """So many calls begun in one moment."""
    for _ in range(20):
        await checked_call(client)
    before = resident_megabytes()
    with Meter() as meter:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(checked_call(client))
    return {
        "wall_ms": meter.wall * 1e3,
        "cpu_us": meter.cpu / count * 1e6,
        "before_mb": before,
        "peak_mb": peak_megabytes(),
    }


async def growth(client: Client, *, count: int) -> Sample:
    """The slope of memory over the second half of so many calls."""
    for _ in range(min(WARM, count)):
        await checked_call(client)
    gc.collect()
    after_mb = resident_megabytes()
    deadline = time.perf_counter() + max(LONGEST_GROWTH, count / 1_000)
    made: list[float] = [0.0]
    resident: list[float] = [after_mb]
    calls = iter(repeat(None, count))
    for _ in range(STEPS):
        await lanes(client, islice(calls, count // STEPS))
        gc.collect()
        made.append(made[-1] + count // STEPS)
        resident.append(resident_megabytes())
        if time.perf_counter() > deadline:
            break
    half = len(made) // 2
    slope, _ = linear_regression(made[half:], resident[half:])
    return {
        "calls": made[-1],
        "after_mb": after_mb,
        "end_mb": resident[-1],
        "bytes": slope * BYTES,
        "tasks": len(asyncio.all_tasks()),
    }


async def lanes(client: Client, calls: Iterator[None]) -> None:
    """Make the calls, some at a time."""

    async def lane() -> None:
        for _ in calls:
            await checked_call(client)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(LANES):
            tasks.create_task(lane())


async def crowd(client: Client, *, count: int, chunks: int) -> Sample:
    """So many streams; the loop's lag is looked at while all of them are open."""
    open_now = 0
    everybody = asyncio.Event()
    lags: list[float] = []

    async def read() -> None:
        nonlocal open_now
        received = 0
        stream = await client.stream(MESSAGES)
        open_now += 1
        if open_now == count:
            everybody.set()
        async for chunk in stream:
            received += bool(client.text(chunk))
        open_now -= 1
        if received != chunks:
            raise WrongAnswerError(f"expected {chunks} chunks, got {received}")

    async def watch() -> None:
        await everybody.wait()
        while open_now == count:
            started = time.perf_counter()
            await asyncio.sleep(TICK)
            lags.append(time.perf_counter() - started - TICK)

    before = resident_megabytes()
    with Meter() as meter:
        watcher = asyncio.create_task(watch())
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                tasks.create_task(read())
                if number % (OPENING_RATE // 20) == 0:
                    await asyncio.sleep(1 / 20)
        watcher.cancel()
    if not lags:
        raise WrongAnswerError(f"{count} streams were never open at the same time")
    lags.sort()
    return {
        "peak_mb": peak_megabytes(),
        "stream_kb": (peak_megabytes() - before) * 1024 / count,
        "lag_ms": percentile(lags, 0.5) * 1e3,
        "lag99_ms": percentile(lags, 0.99) * 1e3,
        "cpu_us": meter.cpu / (count * chunks) * 1e6,
        "tasks": len(asyncio.all_tasks()),
    }


async def backlog(client: Client, *, chunks: int) -> Sample:
    """A stream whose reader stops after its first chunk, while the upstream has much to say."""
    await checked_call(client)
    stream: Any = aiter(await client.stream(MESSAGES))
    received = int(bool(client.text(await anext(stream))))
    before = resident_megabytes()
    await asyncio.sleep(PAUSE)
    held = resident_megabytes() - before
    async for chunk in stream:
        received += bool(client.text(chunk))
    if received != chunks:
        raise WrongAnswerError(f"expected {chunks} chunks, got {received}")
    return {"held_mb": held, "peak_mb": peak_megabytes() - before}
