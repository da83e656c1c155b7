"""
Whether a deployment may be asked: a circuit per deployment.

    closed ── too many failures ──▶ open ── rest is over ──▶ half-open ── one probe ──▶ closed
                                     ▲                                       │ fails
                                     └───────────── a longer rest ───────────┘

A circuit opens on failures in a row, on the rate of failures in a sliding window, at once on a
refused key or model, on a 429 for as long as the provider says, and on soft evidence: attempts
that somebody else had to overtake. After it has closed, traffic comes back slowly (`ramp`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from ..exceptions import APIError

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """When a deployment rests, and for how long. Times are seconds.

    Attributes:
        allowed_fails: failures in a row that are tolerated; one more opens the circuit.
        cooldown_time: the first rest; further ones grow by half, up to `longest_rest`.
        refused_rest: rest after a refused key, permission or model.
        longest_retry_after: cap of what a provider's Retry-After may ask for.
        window, window_least, window_rate: the circuit also opens when at least `window_least`
            attempts of the last `window` seconds have ended and this share of them failed.
        jitter: each rest is shorter by up to this share, so that probes spread.
        suspicions: attempts in a row that were overtaken before their first token; they open too.
        settled: answers after a rest that make the next rest a first one again.
        ramp: seconds in which traffic comes back after a rest.
        by_error: other tolerated failures in a row, by the name of the exception.
    """

    allowed_fails: int = 4
    cooldown_time: float = 5.0
    longest_rest: float = 10.0
    growth: float = 1.5
    refused_rest: float = 60.0
    longest_retry_after: float = 60.0
    window: float = 30.0
    window_least: int = 10
    window_rate: float = 0.5
    jitter: float = 0.1
    suspicions: int = 3
    settled: int = 10
    ramp: float = 10.0
    disabled: bool = False
    by_error: Mapping[str, int] = field(default_factory=dict)

    def tolerated(self, error: APIError) -> int:
        """Failures in a row that are tolerated when the last one was this."""
        return by_class(self.by_error, error, self.allowed_fails)


def by_class(table: Mapping[str, int], error: APIError, default: int) -> int:
    """What a table says of an exception, by the name of its class or the nearest base's."""
    if table:
        for kind in type(error).__mro__:
            if kind.__name__ in table:
                return table[kind.__name__]
    return default


@dataclass(slots=True)
class Circuit:
    """The health of one deployment."""

    policy: HealthPolicy
    clock: Callable[[], float] = field(repr=False)
    rng: random.Random = field(repr=False)
    state: State = "closed"
    until: float = 0.0
    opened: float = 0.0
    limited: bool = False
    soft: bool = False
    probing: bool = False
    fails_in_row: int = 0
    suspicions: int = 0
    back_at: float = -inf
    _rest: float = 0.0
    _failing_since: float = -inf
    _recent: Window = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._recent = Window(self.policy.window)

    def succeeded(self, now: float, started: float) -> None:
        """An attempt was answered; one from before the trouble says nothing about the present."""
        self.suspicions = 0
        if started >= self._failing_since:
            self.fails_in_row = 0
        recent = self._recent
        if now < recent.turns_at:  # `add`, without the call: this is on every answer's way
            recent.ended += 1
        else:
            recent.add(now, failed=False)
        if self._rest and recent.ended >= self.policy.settled:
            self._rest = 0.0
        if self.state != "closed" and started >= self.opened:
            self._close()
            self.back_at = now

    def failed(
        self, error: APIError, *, probe: bool = False, half_out: bool = False, quota: bool = False
    ) -> None:
        """An attempt failed; the error's class says what that means here.

        While the deployment rests, only its probe and what the provider says itself count: the
        failures of attempts that were under way do not lengthen the rest. While half of the
        group is out (`half_out`) rests do not grow: it is probed often. With a `quota` that
        learns from a 429 without a time, the rest is short.
        """
        if probe:
            self.probing = False
        if self.policy.disabled or error.health == "untouched":
            return
        now = self.clock()
        limited = error.health == "rate_limit"
        if not self.fails_in_row:  # a full quota is no trouble: who was let in before, still counts
            self._failing_since = -inf if limited else now
        self.fails_in_row += 1
        self._recent.add(now, failed=True)
        if error.health == "rest":
            self._open(max(self.policy.refused_rest, self.policy.cooldown_time))
        elif limited and error.retry_after:
            self._open(min(error.retry_after, self.policy.longest_retry_after), limited=True)
        elif limited and error.retry_after is None and self.state == "closed":
            self._open(self._short() if quota else self._grown(half_out=False), limited=True)
        elif probe or (self.state == "closed" and self._too_many(error)):
            self._open(self._grown(half_out=half_out), soft=probe and self.soft)

    def suspected(self, *, probe: bool, half_out: bool) -> None:
        """An attempt was overtaken before its first token: soft evidence that this one is slow.

        It never takes more than half of a group out.
        """
        if probe:
            self.probing = False
        if self.policy.disabled:
            return
        self.suspicions += 1
        if probe or (self.state == "closed" and self.suspicions >= self.policy.suspicions):
            self.suspicions = 0
            if probe or not half_out:
                self._open(self._grown(half_out=half_out), soft=True)

    def abandoned(self, *, probe: bool = False) -> None:
        """An attempt ended without a verdict: the caller went away."""
        if probe:
            self.probing = False

    def rested(self) -> bool:
        """Whether the rest is over and nobody probes; the circuit is half-open from then on.

        After a rest that the provider asked for there is nothing to probe: the circuit closes.
        """
        if self.state == "open" and self.clock() >= self.until:
            if self.limited:
                self._close()
            else:
                self.state = "half_open"
        return self.state == "half_open" and not self.probing

    def _close(self) -> None:
        self.probing = False
        self.state = "closed"
        self.limited = self.soft = False
        self._recent = Window(self.policy.window)

    def _too_many(self, error: APIError) -> bool:
        if self.fails_in_row > self.policy.tolerated(error):
            return True
        ended, failed = self._recent.counts(self.clock())
        return ended >= self.policy.window_least and failed >= self.policy.window_rate * ended

    def _grown(self, *, half_out: bool) -> float:
        self._rest = min(
            max(self._rest * self.policy.growth, self.policy.cooldown_time),
            max(self.policy.longest_rest, self.policy.cooldown_time),
        )
        return min(self._rest, self.policy.cooldown_time) if half_out else self._rest

    def _short(self) -> float:
        """Half a second, twice as long with each failure in a row, more or less."""
        doubled = min(0.5 * 2.0 ** (self.fails_in_row - 1), 3 * self.policy.cooldown_time)
        return doubled * (0.75 + 0.5 * self.rng.random())

    def _open(self, rest: float, *, limited: bool = False, soft: bool = False) -> None:
        if not limited:
            rest *= 1 - self.policy.jitter * self.rng.random()
        now = self.clock()
        if self.state == "closed":
            self.opened = now
        self.state = "open"
        self.limited, self.soft = limited, soft
        self.until = max(self.until, now + rest)


class Window:
    """How many attempts ended and how many of them failed in the last seconds.

    Two half windows are counted: the running one and the one before. What is older than the
    whole window is forgotten; between half a window and a whole one is remembered.
    """

    __slots__ = ("_before", "_half", "ended", "failed", "turns_at")

    def __init__(self, seconds: float) -> None:
        self._half = seconds / 2
        self.turns_at: float = 0.0
        self._before = (0, 0)
        self.ended: int = 0
        self.failed: int = 0

    def add(self, now: float, *, failed: bool) -> None:
        """Count one ending."""
        if now >= self.turns_at:
            self._turn(now)
        self.ended += 1
        self.failed += failed

    def counts(self, now: float) -> tuple[int, int]:
        """Endings and failures in the window."""
        if now >= self.turns_at:
            self._turn(now)
        ended, failed = self._before
        return self.ended + ended, self.failed + failed

    def _turn(self, now: float) -> None:
        """Begin a new half window."""
        recent = now < self.turns_at + self._half
        self._before = (self.ended, self.failed) if recent else (0, 0)
        self.ended = self.failed = 0
        self.turns_at = now + self._half
