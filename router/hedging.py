"""
A second attempt beside one that takes too long: whichever is first answers.

It starts after `max(p95, 2.5 × p50)` of the group's recent times to first token, only when
somebody is predicted to be clearly faster, and within a budget of 3 % of the calls: the tail is
cut without doubling the load. (J. Dean, L. A. Barroso, "The tail at scale", 2013)
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

SAMPLES = 200
ENOUGH = 20
FRESH = 8
"""New samples after which the percentiles are worked out anew."""


@dataclass(slots=True)
class Recent:
    """The last times to first token of one kind of call in a group."""

    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    _new: int = 0
    _patience: float | None = None

    def add(self, seconds: float) -> None:
        """One more."""
        self.seconds.append(seconds)
        self._new += 1

    @property
    def patience(self) -> float | None:
        """Seconds after which an attempt takes unusually long; None: too few samples to say."""
        if len(self.seconds) < ENOUGH:
            return None
        if self._patience is None or self._new >= FRESH:
            ordered = sorted(self.seconds)
            count = len(ordered)
            self._patience = max(ordered[int(0.95 * count)], 2.5 * ordered[count // 2])
            self._new = 0
        return self._patience


@dataclass(slots=True)
class HedgeBudget:
    """How many second attempts may be made: a share of the calls, and a few in reserve."""

    share: float = 0.03
    most: float = 10.0
    balance: float = 10.0

    def earn(self) -> None:
        """A call was made."""
        if self.balance < self.most:
            self.balance += self.share

    def spend(self) -> bool:
        """Take one; False if there is none left."""
        if self.balance < 1:
            return False
        self.balance -= 1
        return True
