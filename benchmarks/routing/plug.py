"""
Our policies in the place of a foreign simulator's.

The simulator that the project was given (`sim.py`, with `Stack`, requests and attempts of its
own) and the one in this folder ask the same questions in other words: this is the dictionary.
"""

from __future__ import annotations

from typing import Any

from .policy import Ending, Pause
from .scenario import parse
from .shipped import Shipped


def policy(simulator: Any, **settings: Any) -> type:
    """A policy for a simulator (a module with `Stack`) that decides as a Router would.

    `settings` are the Router's.
    """
    return type("Plugged", (Plugged, simulator.Stack), {"settings": settings})


class Plugged:
    """One instance of the Router, asked as a `Stack` is: mixed in before it."""

    settings: dict[str, Any]
    sc: Any
    rng: Any

    def init(self) -> None:
        self._ours = Shipped(parse(self.sc.d), self.rng, **self.settings)
        self._requests: dict[Any, ForeignRequest] = {}

    def est_tokens(self, request: Any) -> float:
        return float(request.inp + self._ours.expected_tokens)

    def choose(self, now: float, request: Any, left: float, hedge: bool) -> Any:
        choice = self._ours.choose(now, self._request(request), hedge=hedge)
        return ("wait", choice.seconds) if isinstance(choice, Pause) else choice

    def on_reserve(self, now: float, attempt: Any) -> None:
        self._ours.reserved(now, self._attempt(attempt))

    def on_start(self, now: float, attempt: Any) -> None:
        super().on_start(now, attempt)  # type: ignore[misc]
        self._ours.started(now, self._attempt(attempt))

    def on_first(self, now: float, attempt: Any, headers: Any) -> None:
        super().on_first(now, attempt, headers)  # type: ignore[misc]
        self._ours.first_token(now, self._attempt(attempt), headers)

    def on_end(
        self, now: float, attempt: Any, outcome: Any, wait: Any, headers: Any, made: int
    ) -> None:
        super().on_end(now, attempt, outcome, wait, headers, made)  # type: ignore[misc]
        self._ours.ended(now, self._attempt(attempt), Ending(outcome, wait, headers, made))

    def after_failure(
        self, now: float, request: Any, attempt: Any, outcome: Any, wait: Any, left: float
    ) -> Any:
        ending = Ending(outcome, wait)
        return self._ours.next_attempt(now, self._attempt(attempt), ending)

    def can_resume(self, request: Any) -> bool:
        return self._ours.may_resume(self._request(request))

    def hedge_delay(self, now: float, request: Any) -> Any:
        return self._ours.hedges_after(now, self._attempt(request.active[-1]))

    def may_hedge(self, now: float, request: Any) -> bool:
        return True  # whoever chooses decides

    def patience(self, now: float, attempt: Any) -> float:
        left = self._ours.gives_up(now, self._attempt(attempt))
        return 0.0 if left else self.sc.ttft_timeout

    def _request(self, foreign: Any) -> Any:
        known = self._requests.get(foreign)
        if known is None:
            known = self._requests[foreign] = ForeignRequest(foreign)
        return known

    def _attempt(self, foreign: Any) -> Any:
        return self._request(foreign.req).attempt(foreign)


class ForeignRequest:
    """A foreign request with the attributes of `provider.Request` that policies read."""

    __slots__ = ("_attempts", "_foreign")

    def __init__(self, foreign: Any) -> None:
        self._foreign = foreign
        self._attempts: dict[Any, ForeignAttempt] = {}

    def attempt(self, foreign: Any) -> ForeignAttempt:
        """One of its attempts."""
        known = self._attempts.get(foreign)
        if known is None:
            known = self._attempts[foreign] = ForeignAttempt(self, foreign)
        return known

    @property
    def arrived(self) -> float:
        return float(self._foreign.t)

    @property
    def input_tokens(self) -> int:
        return int(self._foreign.inp)

    @property
    def first_token(self) -> float | None:
        first: float | None = self._foreign.t_first
        return first

    @property
    def active(self) -> list[ForeignAttempt]:
        return [self.attempt(foreign) for foreign in self._foreign.active]


class ForeignAttempt:
    """A foreign attempt with the attributes of `provider.Attempt` that policies read."""

    __slots__ = ("_foreign", "request")

    def __init__(self, request: ForeignRequest, foreign: Any) -> None:
        self.request = request
        self._foreign = foreign

    @property
    def place(self) -> int:
        return int(self._foreign.dep)

    @property
    def first_token(self) -> float | None:
        first: float | None = self._foreign.t_first
        return first
