"""
What a policy is: one instance of some router, asked and told by the simulation.

A policy sees what a router can see: the configuration, its own attempts and their times, status
codes and headers. The simulation asks `choose` for every attempt and tells what became of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from .provider import Attempt, Outcome, Remaining, Request
    from .scenario import Scenario

    MakePolicy = Callable[[Scenario, random.Random], "Policy"]


class Choice(NamedTuple):
    """A deployment, by its place in the scenario's list; the request is sent after a delay."""

    place: int
    delay: float = 0.0
    probe: bool = False


class Pause(NamedTuple):
    """Nobody can be asked now: ask again after so many seconds."""

    seconds: float


class Ending(NamedTuple):
    """How an attempt ended, in what the provider said, and tokens of its answer."""

    outcome: Outcome
    retry_after: float | None = None
    remaining: Remaining | None = None
    tokens: int = 0


class Policy:
    """The base: counts what is in flight, asks nobody, retries nothing. Times are seconds."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        self.scenario = scenario
        self.rng = rng
        self.deployments = scenario.deployments
        self.in_flight = [0] * len(scenario.deployments)
        self.tokens = scenario.lengths.output_median

    def choose(self, now: float, request: Request, *, hedge: bool = False) -> Choice | Pause | None:
        """Whom to ask for the next attempt of a request; None: nobody, it has failed."""
        return None

    def reserved(self, now: float, attempt: Attempt) -> None:
        """The choice was taken; the attempt starts now, or after the choice's delay."""

    def started(self, now: float, attempt: Attempt) -> None:
        """The request is sent."""
        self.in_flight[attempt.place] += 1

    def first_token(self, now: float, attempt: Attempt, remaining: Remaining | None) -> None:
        """The first token is here, and headers with it."""

    def ended(self, now: float, attempt: Attempt, ending: Ending) -> None:
        """The attempt is over, whatever became of it."""
        if attempt.started:
            self.in_flight[attempt.place] -= 1
        if ending.outcome == "ok":
            self.tokens += 0.05 * (ending.tokens - self.tokens)

    def next_attempt(self, now: float, attempt: Attempt, ending: Ending) -> float | None:
        """Seconds until another attempt after this failure; None: the request has failed."""
        return None

    def may_resume(self, request: Request) -> bool:
        """Whether a stream that broke may be continued elsewhere."""
        return False

    def hedges_after(self, now: float, attempt: Attempt) -> float | None:
        """Seconds without a first token after which a second attempt is thought of."""
        return None

    def gives_up(self, now: float, attempt: Attempt) -> bool:
        """Whether an attempt is left that has no first token after the soft time-out."""
        return True
