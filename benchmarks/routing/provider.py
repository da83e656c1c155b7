"""
The truth about a deployment, which no router gets to see: its speed, slots, quotas and faults.

A request that is sent is refused, or swallowed, or accepted: then it waits for a slot, runs
until its first token, and streams the rest.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil, exp, inf
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import random

    from .scenario import Deployed, Fault, FaultKind, Scenario

Outcome = Literal["ok", "5xx", "429", "conn", "timeout", "midstream", "cancel"]
State = Literal["reserved", "sent", "queued", "running", "streaming", "over"]

REFUSING, FAILING, LIMITING, FULL = 0.03, 0.25, 0.08, 0.05
"""Seconds after which a connection is refused, a 5xx, a 429, a full queue is answered."""


class Remaining(NamedTuple):
    """What the rate-limit headers say is left; None where they say nothing."""

    requests: float | None = None
    tokens: float | None = None


class Refusal(NamedTuple):
    """An error instead of an answer, after so many seconds."""

    outcome: Outcome
    delay: float
    retry_after: float | None = None


@dataclass(slots=True, eq=False)
class Request:
    """One call. `wanted` are the tokens of its answer that are still missing."""

    number: int
    arrived: float
    input_tokens: int
    wanted: int
    instance: int = 0
    tried: set[int] = field(default_factory=set)
    attempts: int = 0
    active: list[Attempt] = field(default_factory=list)
    first_token: float | None = None
    hedged: bool = False
    resumed: int = 0
    cost: float = 0.0
    ended: float | None = None
    verdict: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was answered."""
        return self.verdict == "ok"


@dataclass(slots=True, eq=False)
class Attempt:
    """One request to one deployment, at its `place` in the scenario's list."""

    request: Request
    place: int
    began: float
    wanted: int
    hedge: bool = False
    probe: bool = False
    started: bool = False
    state: State = "reserved"
    began_running: float | None = None
    first_token: float | None = None
    seconds_to_first: float = inf
    rate: float = 1.0
    breaks_at: float | None = None

    def generated(self, now: float) -> int:
        """Tokens that have arrived by now."""
        if self.state != "streaming" or self.first_token is None:
            return 0
        return min(self.wanted, int((now - self.first_token) * self.rate))


@dataclass(slots=True)
class Bucket:
    """A quota as providers count it: it fills steadily and answers 429 when empty."""

    limit: float
    burst: float
    factor: float = 1.0
    level: float = field(init=False)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.most

    @property
    def most(self) -> float:
        """What may come at once."""
        return self.limit * self.burst / 60.0

    def fill(self, now: float) -> None:
        """Let time pass."""
        rate = self.factor * self.limit / 60.0
        self.level = min(self.most, self.level + (now - self._at) * rate)
        self._at = now

    def missing(self, amount: float, now: float) -> float:
        """Seconds until there is so much."""
        self.fill(now)
        short = min(amount, self.most) - self.level
        return max(0.0, short) / (self.factor * self.limit / 60.0)


class Provider:
    """One deployment at work."""

    def __init__(self, deployed: Deployed, quota: dict[str, Bucket]) -> None:
        self.deployed = deployed
        self._quota = quota
        self.running = 0
        self.queue: deque[Attempt] = deque()

    @property
    def load(self) -> int:
        """Attempts that it works on or that wait for that."""
        return self.running + len(self.queue)

    def receive(self, attempt: Attempt, now: float, rng: random.Random) -> Refusal | None:
        """Take a request: refused, or swallowed (its state says so), or accepted."""
        attempt.state = "sent"
        fails, breaks, where = rng.random(), rng.random(), rng.random()
        speed, pace = rng.gauss(0.0, 1.0), rng.gauss(0.0, 1.0)
        refusal = self._fault_of(now, fails) or self._limit(attempt, now)
        if refusal is not None:
            return refusal
        hang = self._fault("hang", now)
        if hang is not None and fails < hang.probability:
            attempt.state = "running"  # and so it stays: no slot, no answer, no cost
            return None
        deployed, slow = self.deployed, self._fault("slow", now)
        first_factor, rate_factor = (
            (slow.first_token_factor, slow.rate_factor) if slow else (1.0, 1.0)
        )
        first = deployed.first_token * exp(deployed.first_token_spread * speed) * first_factor
        attempt.seconds_to_first = first + attempt.request.input_tokens / deployed.prefill
        attempt.rate = max(1.0, deployed.rate * exp(deployed.rate_spread * pace) * rate_factor)
        broken = self._fault("midstream", now)
        attempt.breaks_at = where if broken and breaks < broken.probability else None
        if self.running < deployed.slots:
            self.begin(attempt, now)
        elif len(self.queue) < deployed.queue:
            attempt.state = "queued"
            self.queue.append(attempt)
        else:
            return Refusal("5xx", FULL)
        return None

    def begin(self, attempt: Attempt, now: float) -> None:
        """A slot is there."""
        self.running += 1
        attempt.state, attempt.began_running = "running", now
        deployed = self.deployed
        if deployed.slowed:
            slowdown = 1 + deployed.slowed * self.running / deployed.slots
            attempt.rate = max(1.0, attempt.rate / slowdown)

    def release(self, attempt: Attempt, now: float) -> Attempt | None:
        """An attempt ends: its tokens are charged; whoever waits for the slot begins."""
        successor = None
        if attempt.state in {"running", "streaming"} and attempt.began_running is not None:
            self.running -= 1
            asked, answered = self.deployed.prices
            tokens = attempt.request.input_tokens * asked + attempt.generated(now) * answered
            attempt.request.cost += tokens * 1e-6
            if self.queue:
                successor = self.queue.popleft()
                self.begin(successor, now)
        elif attempt.state == "queued":
            self.queue.remove(attempt)
        attempt.state = "over"
        return successor

    def remaining(self, now: float) -> Remaining | None:
        """What its headers say, if it sends any."""
        if not self.deployed.headers:
            return None
        for bucket in self._quota.values():
            bucket.fill(now)
        left = {name: max(0.0, bucket.level) for name, bucket in self._quota.items()}
        return Remaining(left.get("rpm"), left.get("tpm"))

    def _fault_of(self, now: float, fails: float) -> Refusal | None:
        """The error that something broken answers with."""
        fault = self._fault("refuse", now)
        if fault is not None:
            return Refusal("conn", REFUSING if fault.delay is None else fault.delay)
        fault = self._fault("error", now)
        if fault is not None and fails < fault.probability:
            return Refusal("5xx", FAILING if fault.delay is None else fault.delay)
        return None

    def _limit(self, attempt: Attempt, now: float) -> Refusal | None:
        """429 if a quota is used up; else take from it."""
        quota, fault = self._quota, self._fault("quota", now)
        needs = {"rpm": 1, "tpm": attempt.request.input_tokens + attempt.wanted}
        wait = 0.0
        for name, bucket in quota.items():
            bucket.factor = fault.quota_factor if fault else 1.0
            wait = max(wait, bucket.missing(needs[name], now))
        if wait > 0:
            said = {"none": None, "int": float(ceil(wait)), "float": wait}
            return Refusal("429", LIMITING, said[self.deployed.retry_after])
        for name, bucket in quota.items():
            bucket.level -= needs[name]
        return None

    def _fault(self, kind: FaultKind, now: float) -> Fault | None:
        for fault in self.deployed.faults:
            if fault.kind == kind and fault.begins <= now < fault.ends:
                return fault
        return None


def providers(scenario: Scenario) -> list[Provider]:
    """Everybody in a scenario; those of one quota group share their buckets."""
    quotas: dict[str, dict[str, Bucket]] = {}
    for deployed in scenario.deployments:
        quota = quotas.setdefault(deployed.quota_group, {})
        for name, limit in deployed.limits.items():
            quota.setdefault(name, Bucket(limit, deployed.burst))
    return [Provider(it, quotas[it.quota_group]) for it in scenario.deployments]
