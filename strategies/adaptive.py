"""The default: who will have answered first, as far as anyone can tell."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import shortlist
from .usual import Usuals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Demand

NOISE = 0.02
"""Scores differ at random by up to half of this share, so that bursts do not move as one."""


@dataclass(slots=True)
class Adaptive:
    """Prefer the lowest predicted time to the whole answer, weighed down by load and failures.

    ``(time to first token + expected output / tokens per second) × (in flight + 1)^β
    × (1 + 4 · failures) × ramp / weight``. Times to first token are quick to rise, fall back to
    the group's median with time, and are never below the age of what is still waiting. β is
    learned: 1 for a deployment that its own load slows, a little less for one that it does not.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _usuals: Usuals = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._usuals = Usuals(self.rng)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        kind, now, tokens = request.kind, request.now, request.output_tokens
        usual = self._usuals.of(candidates, kind)
        draw = self.rng.random
        best, lowest = candidates[0], float("inf")
        for candidate in shortlist(candidates, self.rng):
            weight = candidate.weight
            if weight <= 0:
                continue
            pace = candidate.pace(kind)
            seconds = pace.expected(now, usual.first)
            if kind == "stream":
                seconds += tokens / (pace.rate or usual.rate)
            load = candidate.in_flight + 1
            if load > 1:
                seconds *= load ** candidate.burden(kind)
            score = seconds * candidate.hindrance(now) * (1 + NOISE * (draw() - 0.5)) / weight
            if score < lowest:
                best, lowest = candidate, score
        if lowest == float("inf"):  # nobody has weight: all are as good
            return candidates[int(draw() * len(candidates))]
        return best
