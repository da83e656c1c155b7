"""The fastest, given what is already waiting there."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import lowest, shortlist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand

UNSEEN = 1e-6
"""Latency taken for a deployment without history (seconds): it is tried first, once."""

COLD = 1e3
"""Latency taken for it while its first attempt still runs: a cold start draws no stampede."""


@dataclass(frozen=True, slots=True)
class LowestLatency:
    """Prefer the lowest smoothed latency × (attempts in flight + 1) / weight.

    This is the peak-EWMA load of Finagle and Envoy: a fast deployment is preferred until the
    queue in front of it costs more than a slower, idle one would.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        return lowest(shortlist(candidates, self.rng), expected_wait, self.rng)


def expected_wait(candidate: Candidate) -> float:
    """Seconds until this candidate would have answered one more request."""
    latency = candidate.latency
    in_flight = candidate.in_flight
    if latency is None:
        latency = COLD if in_flight else UNSEEN
    weight = candidate.weight
    return latency * (in_flight + 1) / weight if weight > 0 else float("inf")
