"""Random, in proportion to weights."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .weighted import WeightedDraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Demand


@dataclass(slots=True)
class SimpleShuffle:
    """Draw a deployment at random, each as often as its weight says."""

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _draw: WeightedDraw = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._draw = WeightedDraw(self.rng)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        return self._draw.draw(candidates, lambda some: [c.weight for c in some])
