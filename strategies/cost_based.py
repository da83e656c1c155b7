"""The cheapest that can do it now."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .lowest_latency import LowestLatency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand

SAME_PRICE = 1.3
"""Prices within this factor of the lowest are taken as equal: the fastest of them is chosen."""

SURE = 3.0
"""How many times the objective a prediction may be while the usual time still keeps it."""


@dataclass(slots=True)
class CostBased:
    """Ask the cheapest deployment for this request; the fastest of about equals.

    Args:
        rng: the source of all chance.
        latency_objective: seconds to the first token (or to an unstreamed answer); deployments
            that do not keep it are passed over as long as another one does.

    A price of 0 is a price; a deployment of unknown price comes after all others.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    latency_objective: float = float("inf")
    _fastest: LowestLatency = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._fastest = LowestLatency(self.rng)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        eligible: Sequence[C] = [it for it in candidates if it.weight > 0] or candidates
        if self.latency_objective < float("inf"):
            eligible = [it for it in eligible if self._in_time(it, request)] or eligible
        prices = [it.price_for(request) for it in eligible]
        known = [price for price in prices if price is not None]
        if known:
            bound = SAME_PRICE * min(known)
            eligible = [
                it
                for it, price in zip(eligible, prices, strict=True)
                if price is not None and price <= bound
            ]
        return self._fastest.pick(eligible, request)

    def _in_time(self, candidate: Candidate, request: Demand) -> bool:
        """Whether a candidate usually keeps the objective, and probably will now."""
        pace = candidate.pace(request.kind)
        objective = self.latency_objective
        usual = pace.steady or 0.0
        return usual <= objective and pace.expected(request.now, usual) <= SURE * objective
