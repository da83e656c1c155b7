"""How long to wait before another attempt, and when to stop making them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from tenacity import wait_exponential

if TYPE_CHECKING:
    import random
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Backoff:
    """Full-jitter exponential back-off: uniform between 0 and a ceiling that doubles.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter. Times are seconds.
    """

    rng: random.Random = field(repr=False)
    initial: float = 0.5
    longest: float = 8.0

    def wait(self, retry: int) -> float:
        """Seconds before the `retry`-th further attempt (from 1)."""
        ceiling = wait_exponential(multiplier=self.initial, max=self.longest)
        state: Any = SimpleNamespace(attempt_number=retry)
        return self.rng.uniform(0, float(ceiling(state)))


@dataclass(slots=True)
class RetryBudget:
    """Bounds how many attempts retries add when everything is down: a token bucket.

    Every success earns `share` of a retry, time earns a few more up to `floor`, each retry
    spends one; `balance` is how many may be made now. (The idea is Finagle's RetryBudget.)
    """

    clock: Callable[[], float] = field(repr=False)
    share: float = 0.2
    floor: float = 10.0
    refill_seconds: float = 60.0
    most: float = 30.0
    balance: float = field(init=False)
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self.balance = self.floor
        self._since = self.clock()

    def earn(self) -> None:
        """A call succeeded."""
        if self.balance < self.most:
            self.balance += self.share

    def spend(self) -> bool:
        """Take one retry from the budget; False if there is none left."""
        now = self.clock()
        if self.balance < self.floor:
            earned = (now - self._since) * self.floor / self.refill_seconds
            self.balance = min(self.floor, self.balance + earned)
        self._since = now
        if self.balance < 1:
            return False
        self.balance -= 1
        return True
