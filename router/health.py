"""
Whether a deployment may be asked: a circuit per deployment.

    closed ── too many failures ──▶ open ── rest is over ──▶ half-open ── one probe ──▶ closed
                                     ▲                                       │ fails
                                     └───────────── a longer rest ───────────┘

A circuit opens on failures in a row, on the rate of failures in a sliding window, at once on a
refused key or model, and on a 429 for as long as the provider says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

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
        jitter: each rest is longer or shorter by up to this share, so that probes spread.
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
    disabled: bool = False


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
    probing: bool = False
    fails_in_row: int = 0
    _rest: float = 0.0
    _recent: Window = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._recent = Window(self.policy.window)

    def succeeded(self, now: float, started: float) -> None:
        """An attempt was answered; one from before the rest says nothing about the present."""
        self.fails_in_row = 0
        recent = self._recent
        if now < recent.turns_at:  # `add`, without the call: this is on every answer's way
            recent.ended += 1
        else:
            recent.add(now, failed=False)
        if self.state != "closed" and started >= self.opened:
            self._close()

    def failed(self, error: APIError, *, probe: bool = False) -> None:
        """An attempt failed; the error's class says what that means here.

        While the deployment rests, only its probe and what the provider says itself count: the
        failures of attempts that were under way do not lengthen the rest.
        """
        if probe:
            self.probing = False
        if self.policy.disabled or error.health == "untouched":
            return
        self.fails_in_row += 1
        self._recent.add(self.clock(), failed=True)
        limited = error.health == "rate_limit"
        if error.health == "rest":
            self._open(max(self.policy.refused_rest, self.policy.cooldown_time))
        elif limited and error.retry_after:
            self._open(min(error.retry_after, self.policy.longest_retry_after), limited=True)
        elif probe or (
            self.state == "closed" and ((limited and error.retry_after is None) or self._too_many())
        ):
            self._open(self._grown())

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
        self.limited = False
        self._rest = 0.0
        self._recent = Window(self.policy.window)

    def _too_many(self) -> bool:
        if self.fails_in_row > self.policy.allowed_fails:
            return True
        ended, failed = self._recent.counts(self.clock())
        return ended >= self.policy.window_least and failed >= self.policy.window_rate * ended

    def _grown(self) -> float:
        self._rest = min(
            max(self._rest * self.policy.growth, self.policy.cooldown_time),
            max(self.policy.longest_rest, self.policy.cooldown_time),
        )
        return self._rest

    def _open(self, rest: float, *, limited: bool = False) -> None:
        if not limited:
            rest *= 1 + self.policy.jitter * (2 * self.rng.random() - 1)
        now = self.clock()
        if self.state == "closed":
            self.opened = now
        self.state = "open"
        self.limited = limited
        self.until = max(self.until, now + rest)


class Window:
    """How many attempts ended and how many of them failed in the last seconds.

    Two half windows are counted: the running one and the one before. What is older than the
    whole window is forgotten; between half a window and a whole one is remembered.
    """

    __slots__ = ("_before", "_half", "ended", "failed", "turns_at")

    def __init__(self, seconds: float) -> None:
        self._half = seconds / 2
        self.turns_at = 0.0
        self._before = (0, 0)
        self.ended = 0
        self.failed = 0

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
