"""
What one call has been through, and what it may still do.

A trip knows the deadline, which deployments have failed in this call, which groups have been
asked, and answers the engine's two questions: after this error, is there another attempt in
this group, and when; and after this group, which one comes next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..exceptions import BadRequestError, NotFoundError, Timeout
from ..schemas import Attempt, Route

if TYPE_CHECKING:
    from ..exceptions import APIError
    from ..providers import Call
    from .deployment import Deployment
    from .engine import Engine
    from .groups import Group
    from .options import Options

LONGEST_WAIT = 20.0
"""Seconds that a call waits for a rest or quota to end, at most."""

RESERVE = 2.0
"""Seconds that must be left after such a wait."""

WAIT_BEFORE_FALLBACK = 1.0
"""The same limit while a fallback group could be asked instead."""

SHARE_OF_REST = 0.6
"""Share of the remaining time that one attempt gets while another could still be made."""


class Trip(msgspec.Struct, eq=False):
    """One call on its way through groups and attempts. Times are seconds.

    Attributes:
        start: when the call began, by the clock.
        budget: how long it may take as a whole.
        attempts: made in the present group.
        failed: what became of the deployments that were asked in vain.
        fresh: nothing has been tried and nobody waited for yet: the whole budget is left.
    """

    engine: Engine
    call: Call
    options: Options
    route: Route
    start: float
    budget: float
    attempts: int = 0
    failed: dict[Deployment, APIError] = {}
    fresh: bool = True
    first_error: APIError | None = None
    groups: list[str] = []

    @property
    def deadline(self) -> float:
        """When the call must have been answered, by the clock."""
        return self.start + self.budget

    def enter(self, group: Group) -> None:
        """Start with a group; attempts are counted per group."""
        self.groups.append(group.name)
        self.attempts = 0

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - self.engine.clock()

    @property
    def idle_limit(self) -> float:
        """Seconds between two pieces of a stream."""
        said = self.options.stream_idle_timeout
        return self.engine.stream_idle_timeout if said is None else said

    @property
    def late(self) -> bool:
        """Whether the deadline has passed, or is too near for anything."""
        return self.remaining < 0.001

    def open_attempt(self, deployment: Deployment, group: Group, reason: str) -> Attempt:
        """Put a new attempt on the route."""
        now = self.engine.clock() - self.start
        made = self.route.attempts
        free = made[-1].ended or 0.0 if made else 0.0
        attempt = Attempt(deployment.id, group.name, reason, now - free, now)
        made.append(attempt)
        return attempt

    def reason(self, deployment: Deployment) -> str:
        """Why an attempt is made now."""
        if self.attempts:
            return "retry" if deployment in self.failed else "sibling"
        return "fallback" if len(self.groups) > 1 else "first"

    def limit(self, deployment: Deployment, group: Group) -> tuple[float, bool]:
        """Seconds for one attempt, and whether that is the deployment's own limit."""
        limit = self.budget if self.fresh else self.remaining
        if self._another_left(deployment, group):
            limit *= SHARE_OF_REST
        own = deployment.timeout
        return (own, True) if own is not None and own < limit else (limit, False)

    def _another_left(self, deployment: Deployment, group: Group) -> bool:
        """Whether someone else could be asked if this attempt took too long."""
        if self.attempts < self.retries(deployment):
            if not self.failed and len(group.ready) > 1:
                return True
            fresh = group.fresh(self.failed)
            if len(fresh) > 1 or (fresh and fresh[0] is not deployment):
                return True
        return self.has_fallbacks()

    def retries(self, deployment: Deployment) -> int:
        """Further attempts in this group, as the call, the deployment or the Router says."""
        for said in (self.options.num_retries, deployment.num_retries):
            if said is not None:
                return said
        return self.engine.num_retries

    def note(self, deployment: Deployment, error: APIError, *, sent: bool) -> None:
        """Remember a failure. What we refused ourselves, for good, counts as no attempt."""
        self.failed[deployment] = error
        self.fresh = False
        if sent or error.again:
            self.attempts += 1
            self.first_error = self.first_error or error

    def next_attempt(self, deployment: Deployment, error: APIError, group: Group) -> float | None:
        """Seconds to wait before another attempt in this group; None: there is none."""
        if self.attempts > self.retries(deployment) or self.late:
            return None
        if error.elsewhere and group.fresh(self.failed):
            first_move = self.attempts <= 1
            return 0.0 if first_move or self.engine.retry_budget.spend() else None
        again = [
            failure
            for deployment, failure in self.failed.items()
            if failure.again and deployment in group.deployments
        ]
        if not again or not self.engine.retry_budget.spend():
            return None
        return self._pause(min(again, key=lambda failure: failure.retry_after or 0.0))

    def _pause(self, error: APIError) -> float | None:
        if error.retry_after is None:
            pause = self.engine.backoff.wait(self.attempts)
            return pause if pause < self.remaining else None
        pause = min(error.retry_after, self.engine.longest_retry_after)
        return pause if pause <= max(self._longest_wait(), 0.0) else None

    def patience(self, group: Group) -> float | None:
        """Seconds to wait for a group that only rests because a provider asked for it."""
        wait = group.back_in(self.engine.clock())
        if wait is None or wait > self._longest_wait():
            return None
        self.fresh = False
        return wait

    def _longest_wait(self) -> float:
        """Seconds that this call may wait for somebody who said when to come back."""
        left = min(LONGEST_WAIT, self.remaining - RESERVE)
        return min(WAIT_BEFORE_FALLBACK, left) if self.has_fallbacks() else left

    def next_group(self, error: APIError | None = None) -> Group | None:
        """The group to ask after this one has failed, if the error allows it; None: nobody."""
        if self.late or len(self.groups) > self.engine.max_fallbacks:
            return None
        for alias in self.engine.fallbacks_for(self.groups[0], error, self.options):
            if alias not in self.groups:
                try:
                    return self.engine.find(alias)
                except (BadRequestError, NotFoundError):
                    continue  # it was removed while this call was on its way
        return None

    def has_fallbacks(self) -> bool:
        """Whether another group could still be asked."""
        return self.next_group() is not None

    def verdict(self, error: APIError) -> APIError:
        """What the caller gets when everything has failed: the first meaningful error."""
        if self.late:
            late = Timeout(
                f"the call's budget of {self.budget:g} s has passed",
                model=error.model,
                llm_provider=error.llm_provider,
            )
            late.__cause__ = error
            error = late
        elif self.first_error is not None:
            error = self.first_error
        error.route = self.route
        return error


def begin_trip(engine: Engine, call: Call, alias: str, options: Options) -> Trip:
    """A call sets out."""
    return Trip(engine, call, options, Route(alias), engine.clock(), engine.budget(options))
