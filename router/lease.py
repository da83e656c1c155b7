"""
The books of one attempt: opened at the moment of choice, closed however the attempt ends.

Choosing a deployment returns a lease. It counts the attempt as in flight at once and gives the
slot back exactly once: when the attempt succeeded, failed, or was abandoned by its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..exceptions import APIError
    from ..schemas import Attempt, Usage
    from .deployment import Deployment
    from .groups import Group


class Lease(msgspec.Struct, eq=False):
    """One attempt's hold on a deployment. Ending it a second time changes nothing.

    Made by :func:`open_lease`, which counts the attempt as in flight.
    """

    deployment: Deployment
    group: Group
    attempt: Attempt
    clock: Callable[[], float]
    call_began: float
    is_open: bool = True

    @property
    def began(self) -> float:
        """When the attempt began, by the clock."""
        return self.call_began + self.attempt.started

    @property
    def probe(self) -> bool:
        """Whether the attempt is the one that a half-open circuit lets through."""
        return self.attempt.reason == "probe"

    @property
    def elapsed(self) -> float:
        """Seconds since the attempt began."""
        return self.clock() - self.began

    def elapsed_since_call(self) -> float:
        """Seconds since the call began, which may have had attempts before this one."""
        return self.clock() - self.call_began

    def first_token(self) -> None:
        """The first content of a stream is here; its time is the deployment's latency."""
        now = self.clock()
        self.attempt.first_token = now - self.call_began
        self.deployment.observe(now - self.began)

    def succeeded(self, usage: Usage | None) -> None:
        """The answer, or the whole stream, has arrived."""
        if not self.is_open:
            return
        now, began = self.clock(), self.began
        deployment, circuit = self.deployment, self.deployment.circuit
        deployment.successes += 1
        if self.attempt.first_token is None:
            deployment.observe(now - began)
        self._charge(usage)
        rested = circuit.state != "closed"
        circuit.succeeded(now, began)
        if rested:
            self._refresh()
        self._close("ok", now)

    def failed(self, error: APIError, *, usage: Usage | None = None, counts: bool = True) -> None:
        """The attempt ended in an error; `counts` is False where the deployment is not to blame."""
        if not self.is_open:
            return
        deployment, attempt = self.deployment, self.attempt
        deployment.failures += 1
        attempt.error = type(error).__name__
        self._charge(usage)
        before = deployment.circuit.state
        if counts:
            deployment.circuit.failed(error, probe=self.probe)
        else:
            deployment.circuit.abandoned(probe=self.probe)
        if deployment.circuit.state != before:
            self._refresh()
        outcome = "interrupted" if attempt.first_token is not None else "failed"
        self._close(outcome, self.clock())

    def abandoned(self) -> None:
        """The caller went away, or an exception that is nobody's answer passed through."""
        if self.is_open:
            self.deployment.circuit.abandoned(probe=self.probe)
            self._close("cancelled", self.clock())

    def _charge(self, usage: Usage | None) -> None:
        """Book the tokens, and what they cost where that is known."""
        if usage is None:
            return
        self.attempt.usage = usage
        prices = self.deployment.prices
        if prices is not None:
            cost = self.attempt.cost = prices.cost(usage)
            self.deployment.cost += cost

    def _refresh(self) -> None:
        for group in self.deployment.groups:
            group.refresh()

    def _close(self, outcome: str, now: float) -> None:
        self.is_open = False
        self.deployment.in_flight -= 1
        self.attempt.outcome = outcome
        self.attempt.ended = now - self.call_began


def open_lease(
    deployment: Deployment,
    group: Group,
    attempt: Attempt,
    clock: Callable[[], float],
    call_began: float,
) -> Lease:
    """Take hold of a deployment for one attempt, from this moment on."""
    deployment.in_flight += 1
    deployment.calls += 1
    return Lease(deployment, group, attempt, clock, call_began)
