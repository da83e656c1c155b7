"""
How fast a deployment has been: what predicts the next answer.

Each kind of call has a pace of its own: streams (time to first token, then tokens per second),
whole chats, embeddings and so on (time to the answer).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from math import exp, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .lease import Lease

FORGETTING = 30.0
"""Seconds in which a bad memory loses two thirds of its weight."""

LEAST_WEIGHT = 0.15
"""Weight of a new sample, at least, however quickly samples come."""

YOUNG = -FORGETTING * log(1 - LEAST_WEIGHT)
"""Seconds up to which a memory weighs so much that only the least weight counts."""

PEAK_WEIGHT = 0.35
"""The same for a sample that is slower than expected: sensitive, but no single one is believed."""

TIMEOUT_WEIGHT = 0.5
"""The same for an attempt that was given up."""

STEADY_WEIGHT = 0.1
RATE_WEIGHT = 0.2

FEW_TOKENS = 4
"""Answers as short as this say nothing about tokens per second."""


class Burden:
    """How much a deployment's own load slows it, learned from how long its answers take.

    The slope of log(time) over log(in flight + 1), by exponentially weighted regression, mixed
    with a prior of 1: a deployment counts as a queue until it has shown that it is not one.

    Attributes:
        exponent: of (in flight + 1), careful: never far from 1.
        slope: the same, as far as it can be believed.
        tolerated: attempts in flight under which it has not been slow lately.
    """

    __slots__ = (
        "_count",
        "_covariance",
        "_mean_load",
        "_mean_time",
        "_variance",
        "exponent",
        "slope",
        "tolerated",
    )

    WEIGHT = 0.02
    PRIOR = 0.15
    """Variance of the load that would weigh as much as the prior."""

    LEAST = 0.95
    """The exponent of a deployment that no load slows, as far as can be seen. (Wider ranges, to
    0.5 or beyond 1, lose in the simulator's surge and steady scenarios: the slope is noisy.)"""

    CAREFUL, QUICK = 50, 6
    """Answers before the exponent, and the slope, say anything."""

    QUICK_PRIOR, LEAST_SLOPE = 0.02, 0.1
    """Prior and least of the slope, which a strategy uses that sends all traffic to the fastest."""

    SLOW = log(2.0)
    """An answer that takes so many times as long as usual says that its load was too much …"""

    BACK, GROWTH = 0.8, 4.0
    """… and this share of it is tolerated from then on; it grows by so much with each answer."""

    BEYOND = 2.0
    """The exponent beyond what is tolerated: a queue may begin there."""

    def __init__(self) -> None:
        self.exponent: float = 1.0
        self.slope: float = 1.0
        self.tolerated: float = 0.0
        self._count = 0
        self._mean_load = self._mean_time = 0.0
        self._variance = self._covariance = 0.0

    def observe(self, in_flight: int, seconds: float) -> None:
        """An attempt that began beside so many others took so long."""
        load, time = log(in_flight + 1), log(max(seconds, 1e-4))
        self._count += 1
        weight = max(self.WEIGHT, 1 / self._count)
        above, longer = load - self._mean_load, time - self._mean_time
        if longer > self.SLOW:
            self.tolerated = min(self.tolerated, self.BACK * in_flight)
        elif in_flight > self.tolerated:
            self.tolerated = min(in_flight, self.tolerated + self.GROWTH)
        self._mean_load += weight * above
        self._mean_time += weight * longer
        self._variance += weight * (above * (load - self._mean_load) - self._variance)
        self._covariance += weight * (above * (time - self._mean_time) - self._covariance)
        if self._count >= self.QUICK:
            slope = (self._covariance + self.QUICK_PRIOR) / (self._variance + self.QUICK_PRIOR)
            self.slope = min(1.0, max(self.LEAST_SLOPE, slope))
        if self._count >= self.CAREFUL:
            slope = (self._covariance + self.PRIOR) / (self._variance + self.PRIOR)
            self.exponent = min(1.0, max(self.LEAST, slope))

    def slowdown(self, in_flight: int, weight: float) -> float:
        """How many times as long as usual one more attempt will take, because of its load.

        Until there is enough to tell, every attempt in flight counts as one in front of it, and
        the deployment's weight says how many it takes side by side.
        """
        if self._count < self.QUICK:
            return (in_flight + 1) / weight
        free = min(in_flight, self.tolerated) + 1
        beyond = (in_flight + 1) / free
        queued: float = beyond**self.BEYOND
        return queued * exp(self.slope * (log(free) - self._mean_load))


@dataclass(slots=True, eq=False)
class Pace:
    """The pace of one kind of call at one deployment. Times are seconds.

    Attributes:
        first: smoothed time to first token (or to the whole answer), quick to believe the worse.
        first_at: when it was last observed, by the clock.
        steady: the same, smoothed evenly.
        rate: smoothed tokens per second after the first.
        waiting: attempts without a first token, oldest first, and when they began.
    """

    first: float | None = None
    first_at: float = 0.0
    steady: float | None = None
    rate: float | None = None
    waiting: dict[Lease, float] = field(default_factory=dict, repr=False)
    burden: Burden = field(default_factory=Burden, repr=False)

    def observe(self, seconds: float, now: float, weight: float = 0.0) -> None:
        """A first token (or a whole answer) came after so many seconds."""
        known = self.first
        if known is None:
            self.first = self.steady = seconds
        else:
            age = now - self.first_at
            if age > YOUNG:
                weight = max(weight, 1 - exp(-age / FORGETTING))
            least = PEAK_WEIGHT if seconds > known else LEAST_WEIGHT
            weight = max(weight, least)
            self.first = known + weight * (seconds - known)
            steady = self.steady or seconds
            self.steady = steady + STEADY_WEIGHT * (seconds - steady)
        self.first_at = now

    def given_up(self, seconds: float, now: float, weight: float = TIMEOUT_WEIGHT) -> None:
        """No first token had come when the attempt was ended: it is at least as slow as that."""
        if self.first is None or seconds > self.first:
            steady = self.steady
            self.observe(seconds, now, weight)
            self.steady = steady  # of answers only: what is usual tells who hangs

    def decoded(self, tokens: int, seconds: float) -> None:
        """So many tokens came in so many seconds after the first."""
        if tokens <= FEW_TOKENS:
            return
        rate = tokens / max(1e-3, seconds)
        self.rate = rate if self.rate is None else self.rate + RATE_WEIGHT * (rate - self.rate)

    def expected(self, now: float, usual: float) -> float:
        """Seconds to the first token of an attempt made now.

        What is slower than the group's `usual` is forgotten with time; what is still waiting is
        a reason to expect at least its age.
        """
        first = self.first
        if first is None:
            first = usual
        elif first > usual:
            first = usual + (first - usual) * exp((self.first_at - now) / FORGETTING)
        if self.waiting:
            ages = [now - began for began in islice(self.waiting.values(), 2)]
            if len(ages) > 1 and ages[1] > first:
                first = ages[1]
            if ages[0] > 3 * usual:
                first = max(first, 0.5 * ages[0])
        return first


@dataclass(slots=True)
class Failing:
    """The share of recent attempts that failed, smoothed, forgotten with time."""

    share: float = 0.0
    at: float = 0.0

    def add(self, now: float, *, failed: bool) -> None:
        """An attempt ended."""
        share = self.share and self.share * exp((self.at - now) / FORGETTING)
        self.share = share + 0.2 * (failed - share)
        self.at = now

    def now(self, now: float) -> float:
        """The share that is to be expected."""
        return self.share and self.share * exp((self.at - now) / FORGETTING)
