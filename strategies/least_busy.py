"""The fewest attempts in flight."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import shortlist
from .usual import Usuals, predicted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand

ALIKE = 0.05
"""Seconds that everybody is taken to need on top: smaller differences settle no tie."""


@dataclass(slots=True)
class LeastBusy:
    """Prefer the deployment with the fewest attempts in flight for its weight.

    Ties are broken at random, the fast more often: with probability ∝ 1 / predicted time⁴.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _usuals: Usuals = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._usuals = Usuals(self.rng)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        few = shortlist(candidates, self.rng)
        loads = [load(candidate) for candidate in few]
        least = min(loads)
        ties = [it for it, attempts in zip(few, loads, strict=True) if attempts == least]
        if len(ties) == 1:
            return ties[0]
        usual = self._usuals.of(candidates, request.kind)
        speeds = [(ALIKE + predicted(it, usual, request)) ** -4 for it in ties]
        return self.rng.choices(ties, speeds)[0]


def load(candidate: Candidate) -> float:
    """Attempts in flight for the candidate's weight, this one included."""
    weight = candidate.weight
    return (candidate.in_flight + 1) / weight if weight > 0 else float("inf")
