"""
The Router's real decision core in the place of a simulator's policy.

A Router is built over the scenario's deployments, with the simulator's clock and generator. No
socket is opened: the simulator asks the core to choose, and tells the leases what became of
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

if TYPE_CHECKING:
    from polyroute.router.lease import Lease
    from polyroute.router.trip import Trip

ALIAS = "simulated"
ERRORS = {
    "429": RateLimitError,
    "5xx": InternalServerError,
    "conn": APIConnectionError,
    "timeout": Timeout,
    "midstream": APIConnectionError,
}
"""What the simulator's outcomes are in the Router."""


def policy(simulator: Any, **settings: Any) -> type:
    """A policy for a simulator (a module with `Stack`) that decides as a Router would.

    `settings` are the Router's.
    """

    class Shipped(simulator.Stack):  # type: ignore[misc, name-defined]
        """One instance of the Router."""

        def init(self) -> None:
            self._now = 0.0
            self._trips: dict[Any, Trip] = {}
            self._leases: dict[Any, Lease] = {}
            self._errors: dict[Any, APIError] = {}
            self._router = Router(
                [_entry(deployment) for deployment in self.sc.deps],
                clock=lambda: self._now,
                rng=self.rng,
                soft_timeout=self.sc.ttft_timeout,
                **settings,
            )
            self._core = self._router._core
            self._group = self._core.find(ALIAS)
            self._group.tokens = self.out_est
            self._places = {id: place for place, id in enumerate(self.sc.ids)}

        def est_tokens(self, request: Any) -> float:
            return float(request.inp + self._group.tokens)

        def choose(self, now: float, request: Any, left: float, hedge: bool) -> Any:
            self._now = now
            trip = self._trips.get(request) or self._set_out(request)
            try:
                if hedge:
                    slow = self._leases[request.active[0]]
                    choice = self._core.hedge(self._group, trip, slow)
                else:
                    choice = self._core.choose(self._group, trip)
            except APIError:
                return None
            if choice is None:
                return None
            if type(choice) is Wait:
                return "wait", choice.seconds
            self._chosen = choice
            return self._places[choice.deployment.id], choice.delay, choice.probe

        def on_reserve(self, now: float, attempt: Any) -> None:
            self._leases[attempt] = self._chosen

        def on_start(self, now: float, attempt: Any) -> None:
            super().on_start(now, attempt)
            self._now = now
            lease = self._leases[attempt]
            if lease.delay:
                lease.begin()

        def on_first(self, now: float, attempt: Any, headers: Any) -> None:
            super().on_first(now, attempt, headers)
            self._now = now
            lease = self._leases[attempt]
            if headers is not None:
                lease.heard(Remaining(*headers))
            lease.first_token()
            self._core.retry_budget.earn()

        def on_end(
            self, now: float, attempt: Any, outcome: str, wait: Any, headers: Any, made: int
        ) -> None:
            super().on_end(now, attempt, outcome, wait, headers, made)
            self._now = now
            lease = self._leases.pop(attempt)
            if headers is not None:
                lease.heard(Remaining(*headers))
            if outcome == "ok":
                tokens = Usage(prompt_tokens=attempt.req.inp, completion_tokens=made)
                lease.succeeded(tokens)
            elif outcome == "cancel":
                overtaken = attempt.req.t_first is not None and attempt.t_first is None
                lease.overtaken() if overtaken else lease.abandoned()
            else:
                error = ERRORS[outcome](outcome, retry_after=wait)
                self._errors[attempt] = error
                lease.trip.note(lease.deployment, error, sent=True)
                lease.failed(error)

        def after_failure(
            self, now: float, request: Any, attempt: Any, outcome: str, wait: Any, left: float
        ) -> Any:
            self._now = now
            trip = self._trips[request]
            deployment = self._router._aliases.deployments[self.sc.ids[attempt.dep]]
            return trip.next_attempt(deployment, self._errors.pop(attempt), self._group)

        def can_resume(self, request: Any) -> bool:
            return self._core.policies.on_stream_break == "resume"

        def hedge_delay(self, now: float, request: Any) -> Any:
            trip = self._trips[request]
            probing = any(a in self._leases and self._leases[a].probe for a in request.active)
            return self._group.timings(trip.kind).patience if probing or trip.hedges else None

        def may_hedge(self, now: float, request: Any) -> bool:
            return True

        def ttft_timeout(self, now: float, attempt: Any, default: float) -> float:
            return self._core.policies.soft_timeout

        def patience(self, now: float, attempt: Any) -> float:
            self._now = now
            lease = self._leases[attempt]
            return 0.0 if self._core.gives_up(lease, lease.trip) else self.sc.ttft_timeout

        def _set_out(self, request: Any) -> Trip:
            call = Call([], stream=True)
            options = Options(timeout=self.sc.deadline - (self._now - request.t))
            trip = begin_trip(self._core, call, ALIAS, options)
            trip.counted = request.inp
            trip.enter(self._group)
            self._trips[request] = trip
            return trip

    return Shipped


def _entry(deployment: dict[str, Any]) -> dict[str, Any]:
    """A deployment of a scenario as an entry of `model_list`."""
    limits = {
        name: limit
        for name in ("rpm", "tpm")
        if (limit := deployment.get(f"cfg_{name}", deployment.get(name))) is not None
    }
    return {
        "model_name": ALIAS,
        "litellm_params": {
            "model": "openai/simulated",
            "api_key": "none",
            "weight": deployment.get("weight", 1.0),
            **limits,
        },
        "model_info": {
            "id": deployment["id"],
            "input_cost_per_token": deployment.get("price_in", 1.0) * 1e-6,
            "output_cost_per_token": deployment.get("price_out", 4.0) * 1e-6,
        },
    }
