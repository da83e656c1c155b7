"""One after the other."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Demand


@dataclass(slots=True)
class RoundRobin:
    """Take the deployments in turn, in the order of the configuration.

    The first turn is drawn, so that many processes that start together do not march in step.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _turn: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._turn = self.rng.randrange(1 << 30)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        if len(candidates) == 1:
            return candidates[0]  # no turn is used up where there is no choice
        self._turn += 1
        return candidates[self._turn % len(candidates)]
