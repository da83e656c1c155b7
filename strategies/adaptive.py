"""The default: who will have answered first, as far as anyone can tell."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import FULL_SCAN, shortlist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand

NO_HISTORY = 0.5
"""Seconds to the first token as long as nobody has any history."""

NO_RATE = 50.0
"""Tokens per second, likewise."""

NOISE = 0.02
"""Scores differ at random by up to half of this share, so that bursts do not move as one."""

SAMPLE = 15
"""Candidates from which a large group's usual times are taken …"""

RENEWAL = 64
"""… anew after so many choices."""


@dataclass(slots=True)
class Usual:
    """What is usual in a group for one kind of call, and the list it was taken from."""

    first: float = NO_HISTORY
    rate: float = NO_RATE
    seen: Sequence[object] = ()
    age: int = RENEWAL


@dataclass(slots=True)
class Adaptive:
    """Prefer the lowest predicted time to the whole answer, weighed down by load and failures.

    ``(time to first token + expected output / tokens per second) × (in flight + 1)^β
    × (1 + 4 · failures) × ramp / weight``. Times to first token are quick to rise, fall back to
    the group's median with time, and are never below the age of what is still waiting. β is
    learned: 1 for a deployment that its own load slows, a little less for one that it does not.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _usual: dict[str, Usual] = field(default_factory=dict, repr=False)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        kind, now, tokens = request.kind, request.now, request.output_tokens
        usual = self._usual_of(candidates, kind)
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

    def _usual_of(self, candidates: Sequence[Candidate], kind: str) -> Usual:
        """The median time to first token and the mean rate of those that have any."""
        usual = self._usual.get(kind)
        if usual is None:
            usual = self._usual[kind] = Usual()
        usual.age += 1
        few = len(candidates) <= FULL_SCAN
        if usual.age < (2 if few else RENEWAL) and usual.seen is candidates:
            return usual
        usual.seen, usual.age = candidates, 0
        sample = candidates if few else self.rng.sample(candidates, SAMPLE)
        paces = [candidate.pace(kind) for candidate in sample]
        firsts = sorted(pace.first for pace in paces if pace.first is not None)
        rates = [pace.rate for pace in paces if pace.rate is not None]
        usual.first = firsts[len(firsts) // 2] if firsts else NO_HISTORY
        usual.rate = sum(rates) / len(rates) if rates else NO_RATE
        return usual
