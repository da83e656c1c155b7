"""
The decision core: which deployment is asked, when, and what comes after a failure.

It makes no I/O and waits for nothing; given the clock, the generator and what leases have
observed, it always decides the same. The Router asks it, and so does the simulator in
`benchmarks/routing`.

    choose ─▶ candidates: ready → may and can → not failed here → within limits
           ├▶ strategy's pick                       a lease from now on
           ├▶ the next free place of a quota        a lease that begins later
           ├▶ all slots taken, or all rest          wait, or another group
           └▶ panic                                 one that rests, closest to recovery
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING, ClassVar, NamedTuple, final

from ..exceptions import NotFoundError, RateLimitError, ServiceUnavailableError
from ..strategies.base import DRAWS, FULL_SCAN
from .hedging import HedgeBudget
from .lease import Lease, open_lease
from .retries import Backoff, RetryBudget
from .trip import Trip

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from .deployment import Deployment
    from .groups import Group
    from .policies import Policies

MARGIN = 0.01
"""Seconds that a reserved place is entered late, so that it is surely free."""

SPREAD = 0.1
"""Seconds over which those come back who have waited for the same rest to end."""

POLL = 0.05
"""Seconds after which a call that waits for anyone to come back looks again, at least."""

CLEARLY_FASTER = 0.6
"""A hedge goes only to who is predicted to need at most this share of the time spent already."""

FASTER = 0.5
"""The same for giving an attempt up altogether."""

SPARE = 0.2
"""Share of a quota that must be left for a hedge."""


@final
class Wait(NamedTuple):
    """Nobody can be asked now. `slot`: a slot will be handed over; else ask again then."""

    seconds: float
    slot: bool = False


@dataclass(slots=True, eq=False)
class Core:
    """What the decisions of one Router share. Times are seconds."""

    new_trip: ClassVar[type[Trip]] = Trip
    new_lease: ClassVar[type[Lease]] = Lease

    clock: Callable[[], float]
    rng: random.Random = field(repr=False)
    find: Callable[[str], Group] = field(repr=False)
    policies: Policies
    backoff: Backoff = field(init=False)
    retry_budget: RetryBudget = field(init=False)
    hedge_budget: HedgeBudget = field(init=False)
    panic_budget: RetryBudget = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.rng)
        self.retry_budget = RetryBudget(self.clock)
        self.hedge_budget = HedgeBudget()
        self.panic_budget = RetryBudget(self.clock, share=0.0, floor=30.0, refill_seconds=120.0)

    def choose(self, group: Group, trip: Trip) -> Lease | Wait:
        """A lease on the deployment that is asked now, or how long to wait.

        Raises:
            APIError: nobody can be asked in time, or a fallback group can be asked instead.
        """
        if group.queue.waiters and group.queue.ahead_of(trip):
            self.serve(group)  # what is free afterwards is of no use to those who wait
        probe = self._probe(group, trip) if group.resting else None
        if probe is not None:
            return probe
        candidates = self._candidates(group, trip)
        if candidates:
            chosen = self._pick(candidates, group, trip)
            if chosen is not None:
                return self._open(chosen, group, trip)
            return self._later(candidates, group, trip)
        return self._without_candidates(group, trip)

    def hedge(self, group: Group, trip: Trip, slow: Lease) -> Lease | None:
        """A second attempt beside one that takes unusually long, if it is likely to help."""
        elapsed = slow.elapsed
        probe = slow.probe
        usual = group.usual(trip.kind)
        faster = [
            deployment
            for deployment in trip.selected(group, group.ready)
            if deployment is not slow.deployment
            and deployment not in trip.failed
            and deployment.circuit.state == "closed"
            and deployment.has_room(trip, trip.now)
            and (
                probe
                or (
                    deployment.pace(trip.kind).expected(trip.now, usual) <= CLEARLY_FASTER * elapsed
                    and (
                        deployment.quota is None
                        or deployment.quota.headroom(trip, trip.now) >= SPARE
                    )
                )
            )
        ]
        if not faster or not (probe or self.hedge_budget.spend()):
            return None
        return self._open(group.strategy.pick(faster, trip), group, trip, "hedge")

    def gives_up(self, lease: Lease, trip: Trip) -> bool:
        """Whether to leave an attempt that has passed its soft limit: somebody is faster."""
        if lease.probe:
            return True
        group, now = lease.group, trip.now
        if trip.attempts >= trip.retries(lease.deployment) or self.retry_budget.balance < 1:
            return False
        usual = group.usual(trip.kind)
        limit = FASTER * lease.elapsed
        return any(
            deployment is not lease.deployment
            and deployment not in trip.failed
            and deployment.pace(trip.kind).expected(now, usual) <= limit
            and deployment.has_room(trip, now)
            for deployment in trip.selected(group, group.ready)
        )

    def serve(self, group: Group) -> None:
        """A slot is free, or who may be asked has changed: see to those who wait."""
        group.queue.serve(
            partial(self._served, group), partial(self._worth_waiting, group), group.is_free
        )

    def _served(self, group: Group, trip: Trip) -> Lease | None:
        probe = self._probe(group, trip) if group.resting else None
        if probe is not None:
            return probe
        candidates = self._candidates(group, trip)
        chosen = self._pick(candidates, group, trip) if candidates else None
        return None if chosen is None else self._open(chosen, group, trip)

    def _worth_waiting(self, group: Group, trip: Trip) -> bool:
        """Whether a slot is what a call lacks; else it has to choose anew."""
        candidates = self._candidates(group, trip)
        if candidates:
            return not all(deployment.has_slot for deployment in candidates)
        resting = self._resting(group, trip)
        return bool(resting) and not any(deployment.has_slot for deployment in resting)

    def _probe(self, group: Group, trip: Trip) -> Lease | None:
        """The one attempt on a deployment whose rest is over, if this call may make it."""
        probe = group.probe(trip.failed)
        if probe is None or probe not in trip.selected(group, (probe,)):
            return None
        if not probe.within_limits(trip, trip.now):
            return None
        probe.circuit.probing = True
        return self._open(probe, group, trip, "probe")

    def _candidates(self, group: Group, trip: Trip) -> Sequence[Deployment]:
        """Those ready that may take this call: able, and not failed in it (or worth another go)."""
        ready: Sequence[Deployment] = group.ready
        failed = trip.failed
        if trip.unrestricted and not failed:
            return ready
        if failed:
            able = trip.selected(group, ready)
            fresh = [deployment for deployment in able if deployment not in failed]
            ready = fresh or [d for d in able if failed[d].again]
        elif not trip.plain:
            ready = trip.selected(group, ready)
        return ready

    def _pick(
        self, candidates: Sequence[Deployment], group: Group, trip: Trip
    ) -> Deployment | None:
        """The strategy's choice on the first `order` level that is not used up, None if all are."""
        if trip.unrestricted:
            return self._within_limits(candidates, group, trip)
        level = trip.best(group, candidates)
        chosen = self._within_limits(level, group, trip)
        while chosen is None and len(level) < len(candidates):
            candidates = [deployment for deployment in candidates if deployment not in level]
            level = trip.best(group, candidates)
            chosen = self._within_limits(level, group, trip)
        return chosen

    def _within_limits(
        self, candidates: Sequence[Deployment], group: Group, trip: Trip
    ) -> Deployment | None:
        """The strategy's choice among those within their limits, None if there are none."""
        if not group.limits and (group.ramp_until < 0 or trip.now >= group.ramp_until):
            return group.strategy.pick(candidates, trip)
        now = trip.now
        if len(candidates) > FULL_SCAN:
            for _ in range(DRAWS):
                chosen = group.strategy.pick(candidates, trip)
                if chosen.has_room(trip, now):
                    return chosen
        roomy: Sequence[Deployment] = [d for d in candidates if d.has_room(trip, now)]
        if len(roomy) == len(candidates):
            roomy = candidates  # the same list again: strategies keep what they made of it
        return group.strategy.pick(roomy, trip) if roomy else None

    def _later(self, candidates: Sequence[Deployment], group: Group, trip: Trip) -> Lease | Wait:
        """All are at their limits: the next free place, wherever it is."""
        now = trip.now
        waits = {d: d.quota.wait(trip, now) if d.quota else 0.0 for d in candidates if d.has_slot}
        at_once = [deployment for deployment, wait in waits.items() if wait <= 0]
        if at_once:  # they are only coming back from a rest, and nobody else is there
            return self._open(group.strategy.pick(at_once, trip), group, trip)
        place = self._next_place(waits | self._limited(group, trip), group, trip)
        if place is not None:
            return place
        if len(waits) < len(candidates):
            return self._wait_for_slot(group, trip)
        wait = min(waits.values())
        never = wait == inf
        raise RateLimitError(
            f"the quota of every deployment of {group.name!r} is used up"
            + (
                ", and a quota of 0 never comes back"
                if never
                else f"; there is room in {wait:.3g} s"
            ),
            model=group.name,
            retry_after=None if never else wait,
        )

    def _limited(self, group: Group, trip: Trip) -> dict[Deployment, float]:
        """Those that rest because their provider asked for it, and how long they still will."""
        now, failed = trip.now, trip.failed
        return {
            d: max(d.circuit.until - now, d.quota.wait(trip, now) if d.quota else 0.0)
            for d in trip.selected(group, group.resting)
            if d.circuit.limited and d.has_slot and (d not in failed or failed[d].again)
        }

    def _next_place(self, waits: dict[Deployment, float], group: Group, trip: Trip) -> Lease | None:
        """A lease on the place that is free first, if that is soon enough."""
        soonest = min(waits, key=waits.__getitem__, default=None)
        if soonest is None or waits[soonest] + MARGIN > trip.longest_wait():
            return None
        spread = 0.0 if soonest.quota else SPREAD * self.rng.random()
        return self._open(soonest, group, trip, delay=waits[soonest] + MARGIN + spread)

    def _wait_for_slot(self, group: Group, trip: Trip) -> Wait:
        """Stand in the queue, until the deadline or until a fallback should be asked."""
        seconds = trip.longest_queue()
        if seconds <= 0:
            raise RateLimitError(
                f"all slots of {group.name!r} are taken (max_parallel_requests) and "
                f"{len(group.queue)} calls wait",
                model=group.name,
                retry_after=group.usual_time(),
            )
        return Wait(seconds, slot=True)

    def _without_candidates(self, group: Group, trip: Trip) -> Lease | Wait:
        """Nobody is ready: wait for a rest that ends soon, or ask one that rests (panic)."""
        now = trip.now
        resting = self._resting(group, trip)
        if not resting:
            raise next(iter(trip.failed.values()), _empty(group))
        place = self._next_place(self._limited(group, trip), group, trip)
        if place is not None:
            return place
        soonest = min(d.circuit.until for d in resting) - now
        if not trip.has_fallbacks():
            if not any(deployment.has_slot for deployment in resting):
                return self._wait_for_slot(group, trip)
            free = [deployment for deployment in resting if deployment.within_limits(trip, now)]
            pause = max(POLL, min(soonest, 1.0)) + 2 * POLL * self.rng.random()
            if free and (trip.cannot_wait(pause) or self.panic_budget.spend()):
                among = self.rng.sample(free, min(2, len(free)))
                return self._open(group.closest_to_recovery(among), group, trip)
            if trip.may_wait_in_panic(pause):
                return Wait(pause)
        raise ServiceUnavailableError(
            f"every deployment of {group.name!r} rests after failures",
            model=group.name,
            retry_after=max(0.0, soonest),
        )

    def _resting(self, group: Group, trip: Trip) -> list[Deployment]:
        """Those that rest and could take this call, had they not to rest."""
        able, failed = trip.selected(group, group.resting), trip.failed
        return [d for d in able if d not in failed or failed[d].again]

    def _open(
        self, deployment: Deployment, group: Group, trip: Trip, reason: str = "", delay: float = 0.0
    ) -> Lease:
        attempt = trip.open_attempt(deployment, group, reason or trip.reason(deployment))
        return open_lease(deployment, group, attempt, trip, delay)


def _empty(group: Group) -> NotFoundError:
    return NotFoundError(f"{group.name!r} has no deployment left", model=group.name)
