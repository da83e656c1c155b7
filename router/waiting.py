"""
The queue before a group whose slots are all taken (`max_parallel_requests`).

Lower `priority` goes first; among equals, who came first. A step of priority is worth some
seconds of waiting, so that nobody waits for ever. Whoever frees a slot serves the queue: the
lease is made for the one who waits and handed over, nobody can step in between.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .filters import Selection
    from .lease import Lease
    from .trip import Trip

logger: logging.Logger = logging.getLogger("polyroute")

AGING = 10.0
"""Seconds of waiting that weigh as much as one step of priority."""


@dataclass(slots=True, order=True)
class Waiter:
    """One call that waits. `rank` never changes: aging moves all of them alike."""

    rank: float
    number: int
    trip: Trip = field(compare=False)
    lease: asyncio.Future[Lease | None] = field(compare=False)


@dataclass(slots=True)
class Queue:
    """The calls that wait for a slot of one group."""

    waiters: list[Waiter] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count, repr=False)

    def __len__(self) -> int:
        return len(self.waiters)

    def ahead_of(self, trip: Trip) -> bool:
        """Whether somebody waits who goes first."""
        self._drop_gone()
        return bool(self.waiters) and self.waiters[0].rank <= rank(trip)

    async def join(self, trip: Trip, seconds: float) -> Lease | None:
        """Wait for a lease; None: nobody with a slot is there any more, choose anew.

        Raises:
            TimeoutError: the time is over first.
        """
        future: asyncio.Future[Lease | None] = asyncio.get_running_loop().create_future()
        heappush(self.waiters, Waiter(rank(trip), next(self._numbers), trip, future))
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            if not _handed(future):
                raise
            return future.result()
        except asyncio.CancelledError:
            if _handed(future):
                _give_back(future.result())  # in the very moment of the cancellation
            raise

    def serve(
        self,
        choose: Callable[[Trip], Lease | None],
        worth_waiting: Callable[[Trip], bool],
        is_free: Callable[[], bool],
    ) -> None:
        """Hand leases to those who wait, in order, while anything `is_free`.

        Who has to wait on holds nobody up but those whom only the same deployments can serve.
        """
        waiting_on: list[Waiter] = []
        stuck: set[Selection | None] = set()
        while self.waiters and is_free():
            waiter = heappop(self.waiters)
            trip = waiter.trip
            if waiter.lease.done():
                continue
            if trip.selection in stuck and not trip.failed:
                waiting_on.append(waiter)
                continue
            try:
                lease = choose(trip)
                stays = lease is None and worth_waiting(trip)
            except Exception:
                logger.exception("the strategy failed for a call that waits; it chooses anew")
                lease, stays = None, False
            if stays:
                waiting_on.append(waiter)
                if not trip.failed:
                    stuck.add(trip.selection)
                continue
            waiter.lease.get_loop().call_soon_threadsafe(_hand_over, waiter.lease, lease)
        for waiter in waiting_on:
            heappush(self.waiters, waiter)

    def _drop_gone(self) -> None:
        while self.waiters and self.waiters[0].lease.done():
            heappop(self.waiters)


def rank(trip: Trip) -> float:
    """The place of a call in the queue: earlier and more urgent is lower."""
    said = trip.options.priority
    priority = trip.core.policies.default_priority if said is None else said
    return priority * AGING + trip.start


def _handed(future: asyncio.Future[Lease | None]) -> bool:
    return future.done() and not future.cancelled()


def _give_back(lease: Lease | None) -> None:
    if lease is not None:
        lease.abandoned()


def _hand_over(future: asyncio.Future[Lease | None], lease: Lease | None) -> None:
    """Give a lease to who waits for it, or give it back if nobody does any more."""
    if future.done():
        _give_back(lease)
    else:
        future.set_result(lease)
