"""The fastest, given what its own load does to it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from math import exp
from typing import TYPE_CHECKING

from .base import lowest, shortlist
from .usual import Usuals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand

UNSEEN = 1e-6
"""Latency taken for a deployment without history (seconds): it is tried first, once."""

COLD = 1e3
"""Latency taken for it while its first attempt still runs: a cold start draws no stampede."""

FADING = 180.0
"""Seconds in which what is known of an idle deployment loses two thirds of its weight: somebody
looks, from time to time, whether it has become faster. (At 90 the looking shows in the tail.)"""

NOISE = 0.02
"""Predictions differ at random by up to half of this share: bursts do not move as one."""


@dataclass(slots=True)
class LowestLatency:
    """Prefer the lowest predicted time to the whole answer.

    The prediction is the smoothed time to the first token (or to an unstreamed answer), and the
    time for the rest at its tokens per second; both as they usually are, times what the present
    load will do. How a deployment bears load is learned: one that no load slows takes all
    traffic, one that has a queue is left for a slower one before the queue is longer than that.
    Until it is known, every attempt in flight counts as one in front, for its weight.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _usuals: Usuals = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._usuals = Usuals(self.rng)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        kind, now = request.kind, request.now
        tokens = request.output_tokens if kind == "stream" else 0
        usual = self._usuals.of(candidates, kind)
        draw = self.rng.random

        def metric(candidate: Candidate) -> float:
            if candidate.weight <= 0:
                return float("inf")
            pace = candidate.pace(kind)
            idle = not candidate.in_flight
            if pace.first is None:
                seconds = UNSEEN if idle else COLD
            else:
                seconds = pace.expected(now, usual.first)
                if tokens:
                    seconds += tokens / (pace.rate or usual.rate)
                if idle:
                    seconds *= exp((pace.first_at - now) / FADING)
                seconds *= 1 + NOISE * (draw() - 0.5)
            return seconds * candidate.slowdown(kind) * candidate.hindrance(now)

        return lowest(shortlist(candidates, self.rng), metric, self.rng)
