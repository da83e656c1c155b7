"""
The books of one attempt: opened at the moment of choice, closed however the attempt ends.

Choosing a deployment returns a lease. It takes a slot and what the call will probably need of
the quota at once, and gives back exactly once: when the attempt succeeded, failed, or was
abandoned by its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..exceptions import APIError
    from ..providers.limits import Remaining
    from ..schemas import Attempt, Usage
    from .deployment import Deployment
    from .groups import Group
    from .pace import Pace
    from .quota import Reserved
    from .trip import Trip

OUTPUT_WEIGHT = 0.05
"""Weight of the newest answer in the group's smoothed length of answers."""


class Lease(msgspec.Struct, eq=False):
    """One attempt's hold on a deployment. Ending it a second time changes nothing.

    Made by :func:`open_lease`, which counts the attempt as in flight.

    Attributes:
        began: when the attempt began, by the clock.
        probe: it is the one attempt that a half-open circuit lets through.
        delay: seconds to wait before the request may be sent: its quota is reserved for then.
    """

    deployment: Deployment
    group: Group
    attempt: Attempt
    trip: Trip
    pace: Pace
    in_flight: int
    began: float
    probe: bool
    reserved: Reserved | None = None
    delay: float = 0.0
    is_open: bool = True

    @property
    def clock(self) -> Callable[[], float]:
        """The Router's clock."""
        return self.trip.core.clock

    @property
    def is_wanted(self) -> bool:
        """Whether its deployment may still be asked: it was not removed, and does not rest."""
        circuit = self.deployment.circuit
        return self.group in self.deployment.groups and (
            circuit.state == "closed" or circuit.limited
        )

    @property
    def elapsed(self) -> float:
        """Seconds since the attempt began."""
        return self.clock() - self.began

    def elapsed_since_call(self) -> float:
        """Seconds since the call began, which may have had attempts before this one."""
        return self.clock() - self.trip.start

    def begin(self) -> None:
        """The wait for the quota is over: the attempt begins now."""
        now = self.began = self.clock()
        self.attempt.started = now - self.trip.start
        self.attempt.queued += self.delay
        self.pace.waiting[self] = now
        self._arrived()

    def _arrived(self) -> None:
        """The promised place is used, or given up."""
        if self.deployment.quota is not None:
            self.deployment.quota.promised -= 1
        self.delay = 0.0

    def first_token(self) -> None:
        """The first content of a stream is here."""
        now = self.clock()
        self.attempt.first_token = now - self.trip.start
        self._observe(now - self.began, now)

    def succeeded(self, usage: Usage | None, answer: Any = None) -> None:
        """The answer, or the whole stream, has arrived."""
        if not self.is_open:
            return
        now = self.trip.core.clock()
        deployment, circuit, attempt = self.deployment, self.deployment.circuit, self.attempt
        deployment.successes += 1
        if attempt.first_token is None:
            self._observe(now - self.began, now)
        tokens = usage.completion_tokens if usage is not None else 0
        if tokens:
            self.group.tokens += OUTPUT_WEIGHT * (tokens - self.group.tokens)
            if attempt.first_token is not None:
                self.pace.decoded(tokens, now - self.trip.start - attempt.first_token)
        if deployment.successes & 1:  # every other answer says as much
            self.pace.burden.observe(self.in_flight, self._comparable(tokens, now))
        if deployment.failing.share:
            deployment.failing.add(now, failed=False)
        self._charge(usage, answer)
        rested = circuit.state != "closed"
        circuit.succeeded(now, self.began)
        if rested:
            self._returned(now)
        self._close("ok", now, usage, asked=True)

    def failed(self, error: APIError, *, usage: Usage | None = None, counts: bool = True) -> None:
        """The attempt ended in an error; `counts` is False where the deployment is not to blame."""
        if not self.is_open:
            return
        now = self.clock()
        deployment, attempt, circuit = self.deployment, self.attempt, self.deployment.circuit
        deployment.failures += 1
        attempt.error = type(error).__name__
        self._charge(usage)
        before = circuit.state
        if counts:
            self._blame(error, now)
        else:
            circuit.abandoned(probe=self.probe)
        if circuit.state != before:
            self._refresh()
        begun = attempt.first_token is not None
        asked = begun or error.health == "rate_limit"
        self._close("interrupted" if begun else "failed", now, usage, asked=asked)

    def overtaken(self) -> None:
        """Another attempt of the same call was faster: soft evidence that this one is slow."""
        if not self.is_open:
            return
        now, circuit = self.clock(), self.deployment.circuit
        before = circuit.state
        if self.attempt.first_token is None and self.attempt.reason != "hedge":
            self.pace.given_up(now - self.began, now, 0.0)
            half_out = self.group.half_out_with(self.deployment)
            circuit.suspected(probe=self.probe, half_out=half_out)
        else:
            circuit.abandoned(probe=self.probe)
        if circuit.state != before:
            self._refresh()
        self._book_unknown()
        self._close("overtaken", now, None, asked=True)

    def abandoned(self) -> None:
        """The caller went away, or an exception that is nobody's answer passed through."""
        if self.is_open:
            self.deployment.circuit.abandoned(probe=self.probe)
            sent = self.attempt.status is not None
            self._close("cancelled", self.clock(), None, asked=sent)

    def heard(self, remaining: Remaining) -> None:
        """The provider has said how much of its limits is left."""
        quota = self.deployment.quota
        if quota is not None:
            alone = not quota.promised and len(self.pace.waiting) <= 1
            quota.heard(remaining, self.clock(), idle=alone)

    def _observe(self, seconds: float, now: float) -> None:
        """Take the time to the first token, or to the whole answer, into the statistics."""
        self.pace.observe(seconds, now)
        self.group.timings(self.trip.kind).add(seconds)
        self.pace.waiting.pop(self, None)
        self.deployment.observe(seconds)

    def _comparable(self, tokens: int, now: float) -> float:
        """Seconds that the answer would have taken, had it been as long as they usually are."""
        first = self.attempt.first_token
        before = 0.0 if first is None else first - self.attempt.started
        rest = now - self.began - before
        return before + (rest * self.group.tokens / tokens if tokens else rest)

    def _blame(self, error: APIError, now: float) -> None:
        """The deployment has failed: its circuit, statistics and quota learn of it."""
        deployment = self.deployment
        if error.health == "rate_limit":
            if deployment.quota is not None:
                deployment.quota.surprised(now)
        elif error.health != "untouched":
            deployment.failing.add(now, failed=True)
            if error.status_code == 408 and self.attempt.first_token is None:
                self.pace.given_up(now - self.began, now)
        deployment.circuit.failed(
            error,
            probe=self.probe,
            half_out=self.group.half_out_with(deployment),
            quota=deployment.quota is not None,
        )

    def _returned(self, now: float) -> None:
        """The deployment is back after a rest: it starts as fast as its group, not as it ended."""
        deployment = self.deployment
        deployment.failing.share = 0.0
        self._refresh()

    def _charge(self, usage: Usage | None, answer: Any = None) -> None:
        """Book the tokens, and what the answer costs where that is known."""
        if usage is not None:
            self.attempt.usage = usage
        call, deployment = self.trip.call, self.deployment
        if answer is None or call.operation == "chat":
            cost = deployment.price_of(usage)
        else:
            cost = deployment.price_answer(answer, call)
        if cost is not None:
            self.attempt.cost = cost
            deployment.cost += cost

    def _book_unknown(self) -> None:
        """An attempt that was cut off has cost its prompt, at least: nobody tells the rest."""
        prices = self.deployment.prices
        if prices is not None:
            cost = self.attempt.cost = prices.input * self.trip.input_tokens
            self.deployment.cost += cost

    def _refresh(self) -> None:
        for group in self.deployment.groups:
            group.refresh()

    def _close(self, outcome: str, now: float, usage: Usage | None, *, asked: bool) -> None:
        """Give everything back. `asked` says that the provider has counted the request."""
        self.is_open = False
        if self.delay:
            self._arrived()
        deployment = self.deployment
        deployment.in_flight -= 1
        self.pace.waiting.pop(self, None)
        if self.reserved is not None and deployment.quota is not None:
            # nobody said how much was used: the estimate stands
            used = (
                self.trip if usage is None else _Used(usage.prompt_tokens, usage.completion_tokens)
            )
            deployment.quota.settle(self.reserved, used if asked else None)
        self.attempt.outcome = outcome
        self.attempt.ended = now - self.trip.start
        for group in deployment.groups:
            if group.queue.waiters:
                self.trip.core.serve(group)


class _Used(msgspec.Struct):
    """What an answer has really used up."""

    input_tokens: int
    output_tokens: int


def open_lease(
    deployment: Deployment,
    group: Group,
    attempt: Attempt,
    trip: Trip,
    delay: float = 0.0,
) -> Lease:
    """Take hold of a deployment for one attempt, from this moment on."""
    deployment.in_flight += 1
    deployment.calls += 1
    pace = deployment.pace(trip.kind)
    now = trip.start + attempt.started
    probe = attempt.reason == "probe"
    lease = trip.core.new_lease(
        deployment, group, attempt, trip, pace, deployment.in_flight, now, probe, delay=delay
    )
    if deployment.quota is not None:
        lease.reserved = deployment.quota.reserve(trip, now)
        deployment.quota.promised += delay > 0
    if not delay:
        pace.waiting[lease] = now
    return lease
