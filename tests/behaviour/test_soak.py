"""Everything at once: faults, limits, deadlines, cancellations. The books balance afterwards."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from polyroute import APIError

from .helpers import HI, ask, in_flight, quiet, read

if TYPE_CHECKING:
    from polyroute import Router
    from polyroute.testing import Upstream

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

CALLS = 240


def trouble(upstream: Upstream, chance: random.Random) -> None:
    """Something goes wrong, soon and once."""
    match chance.randrange(7):
        case 0:
            upstream.fail(chance.choice([400, 401, 500, 503, 529]))
        case 1:
            upstream.fail(429, retry_after=chance.choice([0, 0.01]))
        case 2:
            upstream.hang(after_chunks=chance.choice([None, 0, 1]))
        case 3:
            upstream.drop()
        case 4:
            upstream.cut(after_chunks=chance.choice([0, 1, 2]))
        case 5:
            upstream.fail(500, after_chunks=chance.choice([0, 1]))
        case _:
            upstream.latency = chance.choice([0, 0.001, 0.01])


async def one_call(router: Router, chance: random.Random) -> str:
    """A call of some kind that ends in some way."""
    params: dict[str, Any] = {
        "stream": chance.random() < 0.5,
        "timeout": chance.choice([0.01, 0.05, 0.2, 0.5]),
        "priority": chance.randrange(3),
        "hedge": chance.random() < 0.5,
        "on_stream_break": chance.choice(["raise", "resume"]),
        "stream_idle_timeout": 0.05,
        "num_retries": chance.randrange(4),
        "tags": chance.choice([None, ["a"], ["b"]]),
        "max_tokens": chance.choice([None, 10, 500]),
    }
    leaves = chance.random() < 0.2
    answer = await router.acompletion(chance.choice(["smart", "spare"]), HI, **params)
    if not params["stream"]:
        return "answered"
    async with answer:
        if leaves:
            await anext(answer, None)
            return "left"
        await read(answer)
    return "read"


@pytest.mark.parametrize("seed", range(6))
async def test_books_balance(fleet: Fleet, seed: int) -> None:
    """However 240 calls end, afterwards nothing is in flight, limits were kept, and all is well."""
    chance = random.Random(seed)
    upstreams = await fleet.start("openai", "anthropic", "gemini", "openai", answer="one two three")
    entries = [
        upstream.deployment(
            "smart" if number else "spare",
            id=str(number),
            tags=["a", "default"] if number % 2 else ["b", "default"],
            max_parallel_requests=5,
            tpm=10**7,
            rpm=10**5,
        )
        for number, upstream in enumerate(upstreams)
    ]
    router = await fleet.router(
        {"smart": entries},
        fallbacks=[{"smart": ["spare"]}, {"spare": ["smart"]}],
        routing_strategy=["adaptive", "least-busy", "round-robin"][seed % 3],
        rng=random.Random(seed),
        cooldown_time=0.02,
    )
    tasks = []
    for _ in range(CALLS):
        if chance.random() < 0.3:
            trouble(chance.choice(upstreams), chance)
        task = asyncio.ensure_future(one_call(router, chance))
        tasks.append(task)
        if chance.random() < 0.15:
            asyncio.get_running_loop().call_later(0.02 * chance.random(), task.cancel)
        if chance.random() < 0.3:
            await asyncio.sleep(0.002 * chance.random())
    done, pending = await asyncio.wait(tasks, timeout=4)
    assert not pending
    wrong = [task.exception() for task in done if not task.cancelled()]
    assert [error for error in wrong if error and not isinstance(error, APIError)] == []
    assert in_flight(router) == 0
    await quiet(*upstreams)
    # a server hears of a hang-up a moment after the request that has taken the free slot
    assert max(upstream.most_in_flight for upstream in upstreams) <= 5 + 1
    for upstream in upstreams:
        upstream.heal()
        upstream.latency = 0
    answers = await asyncio.gather(*(ask(router, "smart", timeout=3) for _ in range(40)))
    assert len(answers) == 40
    assert in_flight(router) == 0
