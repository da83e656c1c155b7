"""
The simulation: events on a virtual clock.

    arrival ─▶ choose ─▶ (delay) ─▶ send ─▶ first token ─▶ done
                  ▲                   ├───▶ error, break ─┐
                  └─── next attempt ◀─┴───▶ soft time-out ┴─▶ failed
"""

from __future__ import annotations

import random
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NamedTuple

from .policy import Ending, Pause
from .provider import Attempt, Request, providers
from .scenario import luck

if TYPE_CHECKING:
    from collections.abc import Callable

    from .policy import MakePolicy, Policy
    from .provider import Outcome
    from .scenario import Arrival, Scenario


class Start(NamedTuple):
    """An attempt was sent."""

    at: float
    place: int


class Simulation:
    """One scenario, one policy, one seed. What came of it stands in the attributes.

    Attributes:
        requests: all calls, in the order of their arrival.
        starts: all attempts, in the order of their sending.
        limited: answers 429.
        loads: each second, how much each deployment works on.
    """

    def __init__(self, scenario: Scenario, make: MakePolicy, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.now = 0.0
        self.providers = providers(scenario)
        self.policies = [
            make(scenario, random.Random(f"policy {seed} {instance}"))
            for instance in range(scenario.instances)
        ]
        self.requests: list[Request] = []
        self.starts: list[Start] = []
        self.limited = 0
        self.loads: list[list[int]] = []
        self._events: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._order = 0
        self._rng = random.Random(f"retries {seed}")

    def run(self) -> Simulation:
        """Let it all happen."""
        for arrival in self.scenario.arrivals(self.seed):
            self._at(arrival.at, self._arrive, arrival)
        while self._events:
            at, _, happen, what = heappop(self._events)
            while len(self.loads) <= at and len(self.loads) < self.scenario.duration:
                self.loads.append([provider.load for provider in self.providers])
            self.now = at
            happen(what)
        return self

    def _at(self, time: float, happen: Callable[[Any], None], what: object) -> None:
        self._order += 1
        heappush(self._events, (time, self._order, happen, what))

    def _after(self, seconds: float, happen: Callable[[Any], None], what: object) -> None:
        self._at(self.now + seconds, happen, what)

    def _policy(self, request: Request) -> Policy:
        return self.policies[request.instance]

    # What happens to a request

    def _arrive(self, arrival: Arrival) -> None:
        request = Request(
            arrival.number,
            self.now,
            arrival.input_tokens,
            arrival.output_tokens,
            instance=arrival.number % self.scenario.instances,
        )
        self.requests.append(request)
        self._after(self.scenario.deadline, self._late, request)
        self._route(request)

    def _route(self, request: Request) -> None:
        """Make another attempt, or look again later, or give up."""
        if request.ended is not None:
            return
        choice = self._policy(request).choose(self.now, request)
        if choice is None:
            self._finish(request, "nobody")
        elif isinstance(choice, Pause):
            self._after(choice.seconds, self._route, request)
        else:
            self._attempt(request, *choice)

    def _hedge(self, attempt: Attempt) -> None:
        """The first token is late: a second attempt beside this one, if the policy finds one."""
        request = attempt.request
        if request.ended is not None or attempt.state not in {"sent", "queued", "running"}:
            return
        if request.hedged or request.first_token is not None:
            return
        choice = self._policy(request).choose(self.now, request, hedge=True)
        if choice is not None and not isinstance(choice, Pause):
            request.hedged = True
            self._attempt(request, *choice, hedge=True)

    def _late(self, request: Request) -> None:
        if request.ended is None:
            self._finish(request, "deadline")

    def _finish(self, request: Request, verdict: str) -> None:
        """The request is over; attempts that still run are cancelled."""
        request.ended, request.verdict = self.now, verdict
        for attempt in request.active:
            self._cancel(attempt)
        request.active = []

    # What happens to an attempt

    def _attempt(
        self, request: Request, place: int, delay: float, probe: bool, *, hedge: bool = False
    ) -> None:
        attempt = Attempt(request, place, self.now, request.wanted, hedge=hedge, probe=probe)
        request.attempts += 1
        request.active.append(attempt)
        self._policy(request).reserved(self.now, attempt)
        if delay > 0:
            self._after(delay, self._send, attempt)
        else:
            self._send(attempt)

    def _send(self, attempt: Attempt) -> None:
        request, place = attempt.request, attempt.place
        if attempt.state == "over" or request.ended is not None:
            return
        attempt.began, attempt.started = self.now, True
        self.starts.append(Start(self.now, place))
        policy = self._policy(request)
        policy.started(self.now, attempt)
        self._after(self.scenario.soft_timeout, self._soft_timeout, attempt)
        if not attempt.hedge and request.first_token is None:
            seconds = policy.hedges_after(self.now, attempt)
            if seconds is not None:
                self._after(seconds, self._hedge, attempt)
        again = place in request.tried
        request.tried.add(place)
        rng = self._rng if again else luck(self.seed, request.number, place)
        refusal = self.providers[place].receive(attempt, self.now, rng)
        if refusal is not None:
            self.limited += refusal.outcome == "429"
            self._after(refusal.delay, self._refused, (attempt, refusal))
        elif attempt.began_running is not None:
            self._after(attempt.seconds_to_first, self._first_token, attempt)

    def _refused(self, what: tuple[Attempt, Any]) -> None:
        attempt, refusal = what
        self._failed(attempt, refusal.outcome, refusal.retry_after)

    def _first_token(self, attempt: Attempt) -> None:
        request, provider = attempt.request, self.providers[attempt.place]
        if attempt.state != "running" or request.ended is not None:
            return
        attempt.state, attempt.first_token = "streaming", self.now
        if request.first_token is None:
            request.first_token = self.now
        policy = self._policy(request)
        policy.first_token(self.now, attempt, provider.remaining(self.now))
        for other in request.active:
            if other is not attempt:
                self._cancel(other)
        request.active = [attempt]
        seconds = attempt.wanted / attempt.rate
        if attempt.breaks_at is None:
            self._after(seconds, self._done, attempt)
        else:
            self._after(seconds * attempt.breaks_at, self._broken, attempt)

    def _done(self, attempt: Attempt) -> None:
        request = attempt.request
        if attempt.state != "streaming" or request.ended is not None:
            return
        self._release(attempt)
        request.active.remove(attempt)
        self._policy(request).ended(self.now, attempt, Ending("ok", tokens=attempt.wanted))
        self._finish(request, "ok")

    def _broken(self, attempt: Attempt) -> None:
        self._failed(attempt, "midstream")

    def _soft_timeout(self, attempt: Attempt) -> None:
        request = attempt.request
        if attempt.state not in {"sent", "queued", "running"} or request.ended is not None:
            return
        if self._policy(request).gives_up(self.now, attempt):
            self._failed(attempt, "timeout")
        else:
            self._after(self.scenario.soft_timeout, self._soft_timeout, attempt)

    def _failed(self, attempt: Attempt, outcome: Outcome, wait: float | None = None) -> None:
        """Tell the policy and, unless another attempt still runs, ask it what to do."""
        if attempt.state == "over":
            return
        request, policy = attempt.request, self._policy(attempt.request)
        tokens = attempt.generated(self.now)
        self._release(attempt)
        request.active.remove(attempt)
        limited = outcome == "429"
        remaining = self.providers[attempt.place].remaining(self.now) if limited else None
        ending = Ending(outcome, wait, remaining, tokens)
        policy.ended(self.now, attempt, ending)
        if request.active:
            return
        if outcome == "midstream":
            request.wanted = max(1, attempt.wanted - tokens)
            if not policy.may_resume(request):
                self._finish(request, outcome)
                return
            request.resumed += 1
        pause = policy.next_attempt(self.now, attempt, ending)
        if pause is None or pause >= request.arrived + self.scenario.deadline - self.now:
            self._finish(request, outcome)
        elif pause > 0:
            self._after(pause, self._route, request)
        else:
            self._route(request)

    def _cancel(self, attempt: Attempt) -> None:
        if attempt.state != "over":
            tokens = attempt.generated(self.now)
            self._release(attempt)
            ending = Ending("cancel", tokens=tokens)
            self._policy(attempt.request).ended(self.now, attempt, ending)

    def _release(self, attempt: Attempt) -> None:
        """The provider is rid of it; whoever waited for its slot begins."""
        successor = self.providers[attempt.place].release(attempt, self.now)
        if successor is not None:
            self._after(successor.seconds_to_first, self._first_token, successor)
