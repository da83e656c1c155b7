"""Random, the cheap more often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from .weighted import WeightedDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Candidate, Demand


@dataclass(slots=True)
class CostWeighted:
    """Draw a deployment with probability proportional to weight / price².

    0 is the cheapest price there is: where some deployments cost nothing, only they are drawn.
    A deployment of unknown price is taken to cost what the median of the others costs.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _draw: WeightedDraw = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._draw = WeightedDraw(self.rng)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        return self._draw.draw(candidates, shares)


def shares(candidates: Sequence[Candidate]) -> list[float]:
    """What each candidate's chance is proportional to."""
    known = [candidate.price for candidate in candidates if candidate.price is not None]
    typical = median(known) if known else 1.0
    prices = [typical if c.price is None else c.price for c in candidates]
    priced = list(zip(candidates, prices, strict=True))
    cheapest = min((price for c, price in priced if c.weight > 0), default=0.0)
    if cheapest == 0:
        return [c.weight if price == 0 else 0.0 for c, price in priced]
    # As a ratio: the square of a price alone can be too small for a float.
    return [c.weight and c.weight * (cheapest / price) ** 2 for c, price in priced]
