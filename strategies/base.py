"""
What a strategy is: a pure choice among candidates, and the few tools that all share.

A strategy is handed the deployments that may be chosen right now, never an empty list, and
answers with one of them. It makes no I/O, keeps no books of what is in flight (leases do) and
is deterministic given its generator. Each group has a strategy object of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

FULL_SCAN = 16
"""Up to this many candidates a metric is compared over all; above, over two drawn at random.
(M. Mitzenmacher, "The power of two choices in randomized load balancing", 2001)"""

DRAWS = 8
"""Pairs drawn in search of one that may take traffic, before all candidates are looked through."""


class Candidate(Protocol):
    """What a strategy may know of a deployment; `router.Deployment` has all of it."""

    @property
    def id(self) -> str:
        """The deployment's id."""
        ...

    @property
    def weight(self) -> float:
        """The share of traffic it is meant to take, relative to its siblings."""
        ...

    @property
    def in_flight(self) -> int:
        """Attempts that are running on it now."""
        ...

    @property
    def latency(self) -> float | None:
        """Smoothed seconds to a whole answer, or a stream's first token; None without history."""
        ...

    @property
    def price(self) -> float | None:
        """US dollars per token, blended three parts input to one part output; None if unknown."""
        ...

    def pace(self, kind: str, /) -> Pace:
        """How fast it has been at this kind of call."""
        ...

    def hindrance(self, now: float, /) -> float:
        """1, and more the more of its recent attempts failed, or just after a rest."""
        ...

    def burden(self, kind: str, /) -> float:
        """The power of (in flight + 1) by which its own load slows it; 1 until it is known."""
        ...

    def slowdown(self, kind: str, /) -> float:
        """How many times as long as usual one more attempt will take, because of its load."""
        ...

    def headroom(self, request: Demand, /) -> float:
        """Share of its quota that would be left after the request; 1 without a quota."""
        ...

    def price_for(self, request: Demand, /) -> float | None:
        """US dollars that the request will probably cost; None if unknown."""
        ...


class Pace(Protocol):
    """How fast a candidate has been at one kind of call."""

    first: float | None
    """Smoothed seconds to the first token, or to an unstreamed answer; None without history."""

    first_at: float
    """When that was last observed, by the Router's clock."""

    steady: float | None
    """The same, slower to change: what is usual."""

    rate: float | None
    """Smoothed tokens per second after the first; None if unknown."""

    def expected(self, now: float, usual: float, /) -> float:
        """Seconds to the first token of an attempt made now; `usual` is the group's."""
        ...


class Demand(Protocol):
    """What a strategy may know of the request."""

    @property
    def kind(self) -> str:
        """``"stream"``, ``"chat"``, ``"embedding"``, …: each has statistics of its own."""
        ...

    @property
    def now(self) -> float:
        """The time, by the Router's clock."""
        ...

    @property
    def input_tokens(self) -> int:
        """Tokens of the prompt, estimated."""
        ...

    @property
    def output_tokens(self) -> int:
        """Tokens that the answer will probably have."""
        ...


C = TypeVar("C", bound=Candidate)


class Strategy(Protocol):
    """Anything with this method is a strategy; `Router(routing_strategy=...)` takes the object."""

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """The candidate to ask.

        `candidates` is never empty and must not be changed; the same list object comes again
        as long as the same deployments may be chosen.
        """
        ...


def shortlist(candidates: Sequence[C], rng: random.Random) -> Sequence[C]:
    """All candidates while they are few, else two different ones drawn at random.

    At least one of the two has weight, unless nobody has.
    """
    count = len(candidates)
    if count <= FULL_SCAN:
        return candidates
    for _ in range(DRAWS):
        first = int(rng.random() * count)
        second = int(rng.random() * (count - 1))
        one, other = candidates[first], candidates[second + (second >= first)]
        if one.weight > 0 or other.weight > 0:
            return one, other
    return [candidate for candidate in candidates if candidate.weight > 0] or candidates


def lowest(candidates: Sequence[C], metric: Callable[[C], float], rng: random.Random) -> C:
    """The candidate with the lowest metric; ties are broken at random."""
    if len(candidates) == 2:
        one, other = candidates
        first, second = metric(one), metric(other)
        if first == second:
            return one if rng.random() < 0.5 else other
        return one if first < second else other
    best: list[C] = []
    bound = float("inf")
    for candidate in candidates:
        value = metric(candidate)
        if value < bound:
            bound = value
            best = [candidate]
        elif value == bound:
            best.append(candidate)
    if len(best) == 1:
        return best[0]
    pool = best or candidates
    return pool[int(rng.random() * len(pool))]
