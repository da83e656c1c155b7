"""
The Router's real decision core as a policy.

A Router is built over the scenario's deployments, with the simulation's clock and generator. No
socket is opened: the simulation asks the core to choose, and tells the leases what became of
the attempts, as `router/attempt.py` does in earnest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polyroute import (
    APIConnectionError,
    InternalServerError,
    RateLimitError,
    Router,
    Timeout,
    Usage,
)
from polyroute.exceptions import APIError
from polyroute.providers import Call
from polyroute.providers.limits import Remaining
from polyroute.router.decisions import Wait
from polyroute.router.options import Options
from polyroute.router.trip import begin_trip

from .policy import Choice, Pause, Policy

if TYPE_CHECKING:
    import random

    from polyroute.router.lease import Lease
    from polyroute.router.trip import Trip

    from .policy import Ending, MakePolicy
    from .provider import Attempt, Remaining as Left, Request
    from .scenario import Deployed, Scenario

ALIAS = "simulated"
ERRORS: dict[str, type[APIError]] = {
    "429": RateLimitError,
    "5xx": InternalServerError,
    "conn": APIConnectionError,
    "timeout": Timeout,
    "midstream": APIConnectionError,
}
"""What the simulation's outcomes are in the Router."""


class Shipped(Policy):
    """One instance of the Router; `settings` are the Router's."""

    def __init__(self, scenario: Scenario, rng: random.Random, **settings: Any) -> None:
        super().__init__(scenario, rng)
        self._now = 0.0
        self._trips: dict[Request, Trip] = {}
        self._leases: dict[Attempt, Lease] = {}
        self._errors: dict[Attempt, APIError] = {}
        self._chosen: Lease
        router = Router(
            [entry(deployed) for deployed in scenario.deployments],
            **{
                "clock": lambda: self._now,
                "rng": rng,
                "soft_timeout": scenario.soft_timeout,
                **settings,
            },
        )
        self._core = router._core
        self._group = self._core.find(ALIAS)
        self._group.tokens = self.tokens
        self._places = {it.id: place for place, it in enumerate(scenario.deployments)}

    @property
    def expected_tokens(self) -> float:
        """Tokens that an answer will probably have, as the Router has learned."""
        return self._group.tokens

    def choose(self, now: float, request: Request, *, hedge: bool = False) -> Choice | Pause | None:
        self._now = now
        trip = self._trips.get(request) or self._set_out(request)
        lease: Lease | Wait | None
        try:
            if hedge:
                slow = self._leases[request.active[0]]
                lease = self._core.hedge(self._group, trip, slow)
            else:
                lease = self._core.choose(self._group, trip)
        except APIError:
            return None
        if lease is None:
            return None
        if isinstance(lease, Wait):
            return Pause(lease.seconds)
        self._chosen = lease
        return Choice(self._places[lease.deployment.id], lease.delay, lease.probe)

    def reserved(self, now: float, attempt: Attempt) -> None:
        self._leases[attempt] = self._chosen

    def started(self, now: float, attempt: Attempt) -> None:
        self._now = now
        lease = self._leases[attempt]
        if lease.delay:
            lease.begin()

    def first_token(self, now: float, attempt: Attempt, remaining: Left | None) -> None:
        self._now = now
        lease = self._leases[attempt]
        if remaining is not None:
            lease.heard(Remaining(*remaining))
        lease.first_token()
        self._core.retry_budget.earn()

    def ended(self, now: float, attempt: Attempt, ending: Ending) -> None:
        self._now = now
        lease = self._leases.pop(attempt)
        if ending.remaining is not None:
            lease.heard(Remaining(*ending.remaining))
        if ending.outcome == "ok":
            prompt = attempt.request.input_tokens
            lease.succeeded(Usage(prompt_tokens=prompt, completion_tokens=ending.tokens))
        elif ending.outcome == "cancel":
            begun = attempt.request.first_token is not None
            overtaken = begun and attempt.first_token is None
            lease.overtaken() if overtaken else lease.abandoned()
        else:
            error = ERRORS[ending.outcome](ending.outcome, retry_after=ending.retry_after)
            self._errors[attempt] = error
            lease.trip.note(lease.deployment, error, sent=True)
            lease.failed(error)

    def next_attempt(self, now: float, attempt: Attempt, ending: Ending) -> float | None:
        self._now = now
        trip = self._trips[attempt.request]
        asked = self.deployments[attempt.place].id
        deployment = next(it for it in self._group.deployments if it.id == asked)
        return trip.next_attempt(deployment, self._errors.pop(attempt), self._group)

    def may_resume(self, request: Request) -> bool:
        return self._core.policies.on_stream_break == "resume"

    def hedges_after(self, now: float, attempt: Attempt) -> float | None:
        trip = self._trips[attempt.request]
        probing = any(
            lease.probe for it in attempt.request.active if (lease := self._leases.get(it))
        )
        return self._group.timings(trip.kind).patience if probing or trip.hedges else None

    def gives_up(self, now: float, attempt: Attempt) -> bool:
        self._now = now
        lease = self._leases[attempt]
        return self._core.gives_up(lease, lease.trip)

    def _set_out(self, request: Request) -> Trip:
        call = Call([], stream=True)
        options = Options(timeout=self.scenario.deadline - (self._now - request.arrived))
        trip = begin_trip(self._core, call, ALIAS, options)
        self._core.hedge_budget.earn()
        trip.counted = request.input_tokens
        trip.enter(self._group)
        self._trips[request] = trip
        return trip


def shipped(**settings: Any) -> MakePolicy:
    """A policy that decides as a Router with these settings does."""
    return lambda scenario, rng: Shipped(scenario, rng, **settings)


def entry(deployed: Deployed) -> dict[str, Any]:
    """A deployment of a scenario as an entry of `model_list`."""
    asked, answered = deployed.prices
    order = {} if deployed.order is None else {"order": deployed.order}
    return {
        "model_name": ALIAS,
        "litellm_params": {
            "model": "openai/simulated",
            "api_key": "none",
            "weight": deployed.weight,
            **deployed.configured,
            **order,
        },
        "model_info": {
            "id": deployed.id,
            "input_cost_per_token": asked * 1e-6,
            "output_cost_per_token": answered * 1e-6,
        },
    }
