"""
Two attempts beside each other: the first answer counts.

The second one starts when the first takes unusually long, and only if the decision core thinks
that it helps. No attempt outlives the race: the loser is cancelled and its end awaited.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from .stream import Flow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..schemas import Answer
    from .decisions import Core
    from .lease import Lease
    from .trip import Trip

    Made: TypeAlias = Answer | Flow
    Make: TypeAlias = Callable[[Lease, Trip], Awaitable[Made]]


PROBE_PATIENCE = 0.5
"""Seconds that a probe may take as long as nobody knows what is usual."""


async def race(core: Core, make: Make, lease: Lease, trip: Trip) -> Answer | Flow:
    """The answer of an attempt, or of the one that overtakes it.

    Raises:
        APIError: none of them was answered.
    """
    core.hedge_budget.earn()
    patience = lease.group.timings(trip.kind).patience
    if patience is None:
        if not lease.probe:
            return await make(lease, trip)
        patience = PROBE_PATIENCE
    runners: dict[asyncio.Task[Made], Lease] = {_run(make, lease, trip): lease}
    winner = None
    try:
        while not (await asyncio.wait(runners, timeout=patience))[0]:
            second = core.hedge(lease.group, trip, lease)
            if second is not None:
                runners[_run(make, second, trip)] = second
                break
            patience *= 2  # nobody was clearly faster than that; the longer it takes, …
        winner = await _first(runners)
        return winner.result()
    finally:
        await _end(runners, winner)


def _run(make: Make, lease: Lease, trip: Trip) -> asyncio.Task[Made]:
    return asyncio.ensure_future(make(lease, trip))


async def _first(runners: dict[asyncio.Task[Made], Lease]) -> asyncio.Task[Made]:
    """The first attempt that is answered.

    Raises:
        APIError: the last of them has failed too.
    """
    waiting = set(runners)
    failure: BaseException | None = None
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            failure = task.exception()
            if failure is None:
                return task
    raise failure or asyncio.CancelledError


async def _end(runners: dict[asyncio.Task[Made], Lease], winner: asyncio.Task[Made] | None) -> None:
    """Let every attempt but the winner end, and know why."""
    losers = [task for task in runners if task is not winner]
    for task in losers:
        if winner is None:
            runners[task].abandoned()
        else:
            runners[task].overtaken()
        task.cancel()
        task.add_done_callback(_drop)
    try:
        if losers:
            await asyncio.wait(losers)
    except asyncio.CancelledError:
        if winner is not None:
            _drop(winner)  # nobody will read it
        raise


def _drop(task: asyncio.Task[Made]) -> None:
    """Close a stream that nobody wants: it came in at the very moment of the decision."""
    if not task.cancelled() and task.exception() is None and type(task.result()) is Flow:
        task.result().close()
