"""A draw in proportion to weights, fast for groups of any size."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from .base import C


@dataclass(slots=True)
class WeightedDraw:
    """Draws candidates with probability proportional to a share.

    The running totals are kept for as long as the same list object is handed in, which the
    router promises while the same deployments may be chosen: one draw then costs O(log n).
    """

    rng: random.Random = field(repr=False)
    _seen: Sequence[Any] = field(default=(), repr=False)
    _totals: list[float] = field(default_factory=list, repr=False)

    def draw(self, candidates: Sequence[C], shares: Callable[[Sequence[C]], Sequence[float]]) -> C:
        """One candidate; each is as likely as its share. All shares 0: all are as likely."""
        if candidates is not self._seen:
            self._totals = list(accumulate(shares(candidates)))
            self._seen = candidates
        total = self._totals[-1]
        if total <= 0:
            return candidates[int(self.rng.random() * len(candidates))]
        position = bisect_right(self._totals, self.rng.random() * total)
        return candidates[min(position, len(candidates) - 1)]
