"""What is usual in a group: what those are taken for of whom nothing is known yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import FULL_SCAN

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from .base import Candidate, Demand

NO_HISTORY = 0.5
"""Seconds to the first token as long as nobody has any history."""

NO_RATE = 50.0
"""Tokens per second, likewise."""

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
class Usuals:
    """The usual times of every kind of call."""

    rng: random.Random = field(repr=False)
    _by_kind: dict[str, Usual] = field(default_factory=dict, repr=False)

    def of(self, candidates: Sequence[Candidate], kind: str) -> Usual:
        """The median time to first token and the mean rate of those that have any."""
        usual = self._by_kind.get(kind)
        if usual is None:
            usual = self._by_kind[kind] = Usual()
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


def predicted(candidate: Candidate, usual: Usual, request: Demand) -> float:
    """Seconds that the whole answer will take, as fast as the candidate usually is."""
    pace = candidate.pace(request.kind)
    seconds = pace.expected(request.now, usual.first)
    if request.kind == "stream":
        seconds += request.output_tokens / (pace.rate or usual.rate)
    return seconds
