"""
The books of one attempt: opened at the moment of choice, closed however the attempt ends.

Choosing a deployment returns a lease. It counts the attempt as in flight at once and gives the
slot back exactly once: when the attempt succeeded, failed, or was abandoned by its caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..exceptions import APIError
    from ..schemas import Attempt, Usage
    from .deployment import Deployment
    from .groups import Group


class Lease:
    """One attempt's hold on a deployment. Ending it a second time changes nothing."""

    __slots__ = (
        "_clock",
        "_open",
        "_started",
        "attempt",
        "deployment",
        "group",
        "probe",
        "route_start",
    )

    def __init__(
        self,
        deployment: Deployment,
        group: Group,
        attempt: Attempt,
        clock: Callable[[], float],
        route_start: float,
    ) -> None:
        self.deployment = deployment
        self.group = group
        self.attempt = attempt
        self.route_start = route_start
        self._clock = clock
        self._started = route_start + attempt.started
        self._open = True
        self.probe = attempt.reason == "probe"
        deployment.in_flight += 1
        deployment.calls += 1

    @property
    def elapsed(self) -> float:
        """Seconds since the attempt began."""
        return self._clock() - self._started

    def elapsed_since_call(self) -> float:
        """Seconds since the call began, which may have had attempts before this one."""
        return self._clock() - self.route_start

    def first_token(self) -> None:
        """The first content of a stream is here; its time is the deployment's latency."""
        now = self._clock()
        self.attempt.first_token = now - self.route_start
        self.deployment.observe(now - self._started)

    def succeeded(self, usage: Usage | None) -> None:
        """The answer, or the whole stream, has arrived."""
        if not self._open:
            return
        now = self._clock()
        deployment, attempt = self.deployment, self.attempt
        deployment.successes += 1
        if attempt.first_token is None:
            deployment.observe(now - self._started)
        self._charge(usage)
        before = deployment.circuit.state
        deployment.circuit.succeeded(now, self._started)
        if before != "closed":
            self._refresh()
        self._close("ok", now)

    def failed(self, error: APIError, *, usage: Usage | None = None, counts: bool = True) -> None:
        """The attempt ended in an error; `counts` is False where the deployment is not to blame."""
        if not self._open:
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
        self._close(outcome, self._clock())

    def abandoned(self) -> None:
        """The caller went away, or an exception that is nobody's answer passed through."""
        if self._open:
            self.deployment.circuit.abandoned(probe=self.probe)
            self._close("cancelled", self._clock())

    def _charge(self, usage: Usage | None) -> None:
        """Book the tokens, and what they cost where that is known."""
        self.attempt.usage = usage
        cost = self.attempt.cost = self.deployment.price_of(usage)
        if cost is not None:
            self.deployment.cost += cost

    def _refresh(self) -> None:
        for group in self.deployment.groups:
            group.refresh()

    def _close(self, outcome: str, now: float) -> None:
        self._open = False
        self.deployment.in_flight -= 1
        self.attempt.outcome = outcome
        self.attempt.ended = now - self.route_start
