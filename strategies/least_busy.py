"""The fewest attempts in flight."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import lowest, shortlist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand


@dataclass(frozen=True, slots=True)
class LeastBusy:
    """Prefer the deployment with the fewest attempts in flight for its weight."""

    rng: random.Random = field(default_factory=random.Random, repr=False)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        return lowest(shortlist(candidates, self.rng), load, self.rng)


def load(candidate: Candidate) -> float:
    """Attempts in flight for the candidate's weight, this one included."""
    weight = candidate.weight
    return (candidate.in_flight + 1) / weight if weight > 0 else float("inf")
