"""
LiteLLM as its documentation and observed behaviour describe it, to be compared with.

- Cooldown: after a 429 at once (if there are others), else after more than half of at least five
  attempts of a minute failed; for Retry-After, or five seconds.
- Retries: two, at once while anybody is healthy; who has just failed may be drawn again.
- A stream that breaks is the caller's. (https://docs.litellm.ai/docs/routing)
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .policy import Choice, Policy

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from .policy import Ending
    from .provider import Attempt, Request
    from .scenario import Scenario

COOLDOWN = 5.0
RETRIES = 2
LEAST_ATTEMPTS = 5
SAMPLES = 10
LATE = 1000.0
"""Seconds that a time-out counts for among the latencies."""


@dataclass(slots=True)
class Minute:
    """A counter that starts anew a minute after its first count."""

    count: int = 0
    until: float = 0.0

    def add(self, now: float) -> None:
        self.count = 1 if now >= self.until else self.count + 1
        if self.count == 1:
            self.until = now + 60.0

    def now(self, now: float) -> int:
        return self.count if now < self.until else 0


@dataclass(slots=True)
class Known:
    """What is kept per deployment."""

    cooled_until: float = -1.0
    successes: Minute = field(default_factory=Minute)
    failures: Minute = field(default_factory=Minute)
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    first_tokens: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    requests: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    tokens: dict[int, int] = field(default_factory=lambda: defaultdict(int))


class LiteLLM(Policy):
    """The engine that all of its strategies share."""

    counts_early = False
    """Whether a request counts when it is sent, not when it was answered."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        super().__init__(scenario, rng)
        self.known = [Known() for _ in self.deployments]

    def pick(self, now: float, healthy: Sequence[int], request: Request) -> int | None:
        """The strategy: one of those that are not cooling down."""
        return self.rng.choice(healthy)

    def choose(self, now: float, request: Request, *, hedge: bool = False) -> Choice | None:
        healthy = self.healthy(now)
        place = self.pick(now, healthy, request) if healthy else None
        return None if place is None else Choice(place)

    def healthy(self, now: float) -> list[int]:
        return [place for place, known in enumerate(self.known) if known.cooled_until <= now]

    def within_limits(
        self, now: float, healthy: Sequence[int], request: Request, most: int = 0
    ) -> list[int]:
        """Those whose fixed minute has room; `most` is taken off what requests may come."""
        minute = int(now // 60)
        found = []
        for place in healthy:
            limits, known = self.deployments[place].configured, self.known[place]
            tokens = known.tokens[minute] + request.input_tokens
            requests = known.requests[minute] + 1 + most
            if tokens <= limits.get("tpm", tokens) and requests <= limits.get("rpm", requests):
                found.append(place)
        return found

    def started(self, now: float, attempt: Attempt) -> None:
        super().started(now, attempt)
        if self.counts_early:
            self.known[attempt.place].requests[int(now // 60)] += 1

    def ended(self, now: float, attempt: Attempt, ending: Ending) -> None:
        super().ended(now, attempt, ending)
        known, outcome = self.known[attempt.place], ending.outcome
        if outcome == "ok":
            self._answered(now, attempt, ending.tokens)
        if outcome in {"ok", "cancel"}:
            return
        if outcome == "timeout":
            known.latencies.append(LATE)
        known.failures.add(now)
        failures, successes = known.failures.now(now), known.successes.now(now)
        many = failures + successes >= LEAST_ATTEMPTS and failures > successes
        if len(self.known) == 1:
            return
        if outcome == "429":
            said = ending.retry_after
            known.cooled_until = now + (COOLDOWN if said is None else said)
        elif many:
            known.cooled_until = now + COOLDOWN

    def _answered(self, now: float, attempt: Attempt, tokens: int) -> None:
        known, minute = self.known[attempt.place], int(now // 60)
        known.successes.add(now)
        known.latencies.append((now - attempt.began) / max(1, tokens))
        if attempt.first_token is not None:
            known.first_tokens.append(attempt.first_token - attempt.began)
        known.tokens[minute] += attempt.request.input_tokens + tokens
        if not self.counts_early:
            known.requests[minute] += 1

    def next_attempt(self, now: float, attempt: Attempt, ending: Ending) -> float | None:
        spent = attempt.request.attempts > RETRIES or ending.outcome == "midstream"
        return None if spent or not self.healthy(now) else 0.0


class Weighted(LiteLLM):
    """``simple-shuffle`` with weights."""

    def pick(self, now: float, healthy: Sequence[int], request: Request) -> int:
        return self.rng.choices(healthy, [self.deployments[it].weight for it in healthy])[0]


class LeastBusy(LiteLLM):
    """``least-busy``; the first in the list wins a tie."""

    def pick(self, now: float, healthy: Sequence[int], request: Request) -> int:
        return min(healthy, key=self.in_flight.__getitem__)


class LowestLatency(LiteLLM):
    """``latency-based-routing``: the mean of the last ten, whatever is in flight."""

    def pick(self, now: float, healthy: Sequence[int], request: Request) -> int | None:
        return self._lowest(self.within_limits(now, healthy, request), self._latency)

    def _latency(self, place: int) -> float:
        known = self.known[place]
        samples = known.first_tokens or known.latencies
        return sum(samples) / len(samples) if samples else 0.0

    def _lowest(self, places: Sequence[int], metric: Callable[[int], float]) -> int | None:
        if not places:
            return None
        best = min(map(metric, places))
        return self.rng.choice([place for place in places if metric(place) == best])


class LowestUsage(LowestLatency):
    """``usage-based-routing-v2``: the fewest tokens in the running minute."""

    counts_early = True

    def pick(self, now: float, healthy: Sequence[int], request: Request) -> int | None:
        minute = int(now // 60)
        places = self.within_limits(now, healthy, request, most=1)
        return self._lowest(places, lambda place: self.known[place].tokens[minute])


class LowestCost(LiteLLM):
    """``cost-based-routing``: the cheapest that is within its limits."""

    def pick(self, now: float, healthy: Sequence[int], request: Request) -> int | None:
        places = self.within_limits(now, healthy, request)
        return min(places, key=lambda it: sum(self.deployments[it].prices), default=None)
