"""
How much a deployment may be asked: requests and tokens by the minute and by the day.

Each limit is a bucket that fills steadily (the generic cell rate algorithm: ITU-T I.371). A
lease takes from it at the moment of choice what the call will probably need, so that a thousand
callers released at one instant cannot take more than there is; the end of the attempt corrects
it. A bucket may go into debt: whoever has taken the next free place waits until it is paid.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..providers.limits import Remaining

MINUTE, DAY = 60.0, 86_400.0
LIMITS: dict[str, tuple[str, float]] = {
    "rpm": ("requests", MINUTE),
    "tpm": ("tokens", MINUTE),
    "input_tpm": ("input_tokens", MINUTE),
    "output_tpm": ("output_tokens", MINUTE),
    "rpd": ("requests", DAY),
    "tpd": ("tokens", DAY),
}
"""The limits by their names in `litellm_params`: what they count, and in how many seconds."""

BURST_SECONDS = 10.0
"""Providers count in windows shorter than a minute: so much of it may come at once, …"""

SMALL = {"requests": 60.0}
SMALL_TOKENS = 60_000.0
"""… unless the limit is so small that a share of a minute would be no use to anybody."""

CUT = 0.8
"""Share of a limit that is believed in after a 429 that nobody expected."""

LEAST_BELIEVED = 0.1
RECOVERY = 0.01
"""Share of the limit by which belief grows again each second, some time after the last cut."""

RECOVERY_AFTER = 10.0


class Need(Protocol):
    """What a call will probably use up."""

    @property
    def input_tokens(self) -> int:
        """Tokens of the prompt."""
        ...

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer."""
        ...


@dataclass(slots=True)
class Bucket:
    """One limit. `level` is what may be taken now, negative while in debt."""

    counts: str
    limit: float
    seconds: float
    level: float = field(init=False)
    most: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        small = SMALL.get(self.counts, SMALL_TOKENS)
        share = self.limit * BURST_SECONDS / self.seconds
        self.most = self.limit if self.seconds > MINUTE else max(share, min(self.limit, small))
        self.level = self.most

    def fill(self, now: float, believed: float) -> float:
        """Let time pass; returns how much flows in per second."""
        rate = self.limit * believed / self.seconds
        if now > self.at:
            self.level = min(self.most, self.level + (now - self.at) * rate)
            self.at = now
        return rate

    def wait(self, amount: float, now: float, believed: float) -> float:
        """Seconds until so much may be taken; what exceeds the whole bucket needs it full."""
        rate = self.fill(now, believed)
        missing = min(amount, self.most) - self.level
        if missing <= 0 and self.limit > 0:
            return 0.0
        return missing / rate if rate > 0 else inf


class Reserved(NamedTuple):
    """What a lease has taken, in the order of the quota's buckets."""

    amounts: tuple[float, ...]


class Quota:
    """All limits of one deployment, and how far they can be believed."""

    __slots__ = ("_cut_at", "_grown_at", "believed", "buckets", "promised")

    def __init__(self, limits: Mapping[str, float], now: float) -> None:
        self.buckets: list[Bucket] = [
            Bucket(*_bucket(name, limit)) for name, limit in limits.items()
        ]
        for bucket in self.buckets:
            bucket.at = now
        self.believed: float = 1.0
        self.promised: int = 0  # places that are taken and will be used later
        self._cut_at = self._grown_at = -inf

    def wait(self, need: Need, now: float) -> float:
        """Seconds until the call would be within every limit."""
        self._grow(now)
        longest = 0.0
        for bucket in self.buckets:
            wait = bucket.wait(_amount(bucket, need), now, self.believed)
            longest = max(longest, wait)
        return longest

    def headroom(self, need: Need, now: float) -> float:
        """Share of the tightest bucket that would be left afterwards; negative if too little."""
        shares = [1.0]
        for bucket in self.buckets:
            bucket.fill(now, self.believed)
            left = bucket.level - _amount(bucket, need)
            shares.append(left / bucket.most if bucket.most else -1.0)
        return min(shares)

    def reserve(self, need: Need, now: float) -> Reserved:
        """Take what the call will probably need."""
        amounts = []
        for bucket in self.buckets:
            bucket.fill(now, self.believed)
            amount = min(_amount(bucket, need), bucket.most)
            bucket.level -= amount
            amounts.append(amount)
        return Reserved(tuple(amounts))

    def settle(self, taken: Reserved, used: Need | None) -> None:
        """Put what was really used in the place of what was taken; None: nothing was used."""
        for bucket, amount in zip(self.buckets, taken.amounts, strict=True):
            spent = 0.0 if used is None else _amount(bucket, used)
            bucket.level = min(bucket.most, bucket.level + amount - spent)

    def heard(self, remaining: Remaining, now: float, *, idle: bool) -> None:
        """Correct the local view by what the provider says is left.

        Upwards only if it has seen all that was sent (`idle`).
        """
        for bucket in self.buckets:
            left = getattr(remaining, bucket.counts)
            if left is None or bucket.seconds > MINUTE:
                continue
            bucket.fill(now, self.believed)
            if left < bucket.level:
                bucket.level = left
            elif idle and self.believed < 1 and bucket.level < left - 0.2 * bucket.most:
                bucket.level += 0.3 * (left - bucket.level)

    def surprised(self, now: float) -> None:
        """A 429 came although there should have been something left: believe in less."""
        if now - self._cut_at > 1.0:
            self.believed = max(LEAST_BELIEVED, CUT * self.believed)
            self._cut_at = now
        for bucket in self.buckets:
            bucket.level = min(bucket.level, 0.0)

    def _grow(self, now: float) -> None:
        """Belief comes back slowly when nothing has contradicted it for a while."""
        if self.believed < 1:
            since = max(self._grown_at, self._cut_at + RECOVERY_AFTER)
            if now > since:
                self.believed = min(1.0, self.believed + RECOVERY * (now - since))
        self._grown_at = now


def _bucket(name: str, limit: float) -> tuple[str, float, float]:
    counts, seconds = LIMITS[name]
    return counts, limit, seconds


def _amount(bucket: Bucket, need: Need) -> float:
    """How much of what the bucket counts a call needs."""
    match bucket.counts:
        case "requests":
            return 1.0
        case "tokens":
            return need.input_tokens + need.output_tokens
        case "input_tokens":
            return need.input_tokens
        case _:
            return need.output_tokens
