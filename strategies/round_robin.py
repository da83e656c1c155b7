"""One after the other."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .base import C, Demand


@dataclass(slots=True)
class RoundRobin:
    """Take the deployments in turn, in the order of the configuration; weights only say whether.

    The first turn is drawn, so that many processes that start together do not march in step.
    """

    rng: random.Random = field(default_factory=random.Random, repr=False)
    _turn: int = field(init=False, repr=False)
    _seen: Sequence[Any] = field(default=(), repr=False)
    _in_turn: Sequence[Any] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self._turn = self.rng.randrange(1 << 30)

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """See :class:`Strategy`."""
        if candidates is not self._seen:
            self._seen = candidates
            self._in_turn = [c for c in candidates if c.weight > 0] or candidates
        in_turn: Sequence[C] = self._in_turn
        if len(in_turn) == 1:
            return in_turn[0]  # no turn is used up where there is no choice
        self._turn += 1
        return in_turn[self._turn % len(in_turn)]
