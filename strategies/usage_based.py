"""The most quota left."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import lowest, shortlist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand

TIE = 1e-3
"""What one attempt in flight counts for, as a share of a quota: enough to settle ties."""


@dataclass(frozen=True, slots=True)
class UsageBased:
    """Prefer the deployment with the largest share of its quota (rpm, tpm, …) left.

    Among equals, such as deployments without a quota, the fewest attempts in flight decide.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""

        def use(candidate: Candidate) -> float:
            weight = candidate.weight
            if weight <= 0:
                return float("inf")
            used = 1 - candidate.headroom(request)
            return used + TIE * (candidate.in_flight + 1) / weight

        return lowest(shortlist(candidates, self.rng), use, self.rng)
