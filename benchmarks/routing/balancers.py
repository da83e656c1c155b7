"""
The simple balancers, all inside one sane engine, to be compared with.

The engine: a deployment rests after five failures in a row, longer each time, and a 429 for as
long as it says; a request has three attempts, each elsewhere; then full-jitter back-off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .policy import Choice, Policy

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from .policy import Ending
    from .provider import Attempt, Request
    from .scenario import Scenario

FAILURES = 5
REST, LONGEST_REST = 5.0, 10.0


class AtRandom(Policy):
    """The engine; balances by drawing."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        super().__init__(scenario, rng)
        count = len(self.deployments)
        self.failures = [0] * count
        self.rests_until = [0.0] * count

    def pick(self, places: Sequence[int]) -> int:
        """The balancer."""
        return self.rng.choice(places)

    def choose(self, now: float, request: Request, *, hedge: bool = False) -> Choice | None:
        ready = [place for place, until in enumerate(self.rests_until) if until <= now]
        fresh = [place for place in ready if place not in request.tried]
        places = fresh or ready
        return Choice(self.pick(places)) if places else None

    def ended(self, now: float, attempt: Attempt, ending: Ending) -> None:
        super().ended(now, attempt, ending)
        place = attempt.place
        if ending.outcome == "ok":
            self.failures[place] = 0
        elif ending.outcome == "429":
            said = ending.retry_after
            self.rests_until[place] = now + (REST if said is None else said)
        elif ending.outcome != "cancel":
            self.failures[place] += 1
            beyond = self.failures[place] - FAILURES
            if beyond >= 0:
                self.rests_until[place] = now + min(LONGEST_REST, REST * 1.5 ** min(beyond, 5))

    def next_attempt(self, now: float, attempt: Attempt, ending: Ending) -> float | None:
        request = attempt.request
        if ending.outcome == "midstream" or request.attempts >= self.scenario.max_attempts:
            return None
        ready = (place for place, until in enumerate(self.rests_until) if until <= now)
        if any(place not in request.tried for place in ready):
            return 0.0
        return self.rng.random() * min(8.0, 0.5 * 2.0**request.attempts)


class InTurn(AtRandom):
    """One after the other."""

    _last = -1

    def pick(self, places: Sequence[int]) -> int:
        count = len(self.deployments)
        self._last = min(places, key=lambda place: (place - self._last - 1) % count)
        return self._last


class FewestInFlight(AtRandom):
    """The fewest attempts in flight for the weight; ties at random."""

    def pick(self, places: Sequence[int]) -> int:
        loads = {it: (self.in_flight[it] + 1) / self.deployments[it].weight for it in places}
        least = min(loads.values())
        return self.rng.choice([place for place, load in loads.items() if load == least])


class TwoChoices(FewestInFlight):
    """The same of two that are drawn."""

    def pick(self, places: Sequence[int]) -> int:
        return super().pick(self.rng.sample(places, min(2, len(places))))
