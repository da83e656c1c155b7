"""
What one call has been through, and what it may still do.

A trip knows the deadline, which deployments have failed in this call, which groups have been
asked, and answers the engine's two questions: after this error, is there another attempt in
this group, and when; and after this group, which one comes next. Strategies know it as their
:class:`~polyroute.strategies.Demand`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..exceptions import BadRequestError, NotFoundError, Timeout
from ..schemas import Attempt, Route
from .needs import prompt_tokens
from .options import NO_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..exceptions import APIError
    from ..providers import Call
    from .decisions import Core
    from .deployment import Deployment
    from .filters import Selection
    from .groups import Group
    from .options import Options
    from .parts import Whole

LONGEST_WAIT = 20.0
"""Seconds that a call waits for a rest or quota to end, at most."""

RESERVE = 2.0
"""Seconds that must be left after such a wait."""

WAIT_BEFORE_FALLBACK = 1.0
"""The same limit while a fallback group could be asked instead."""

LONGEST_PANIC = 15.0
"""Seconds that a call waits for anyone to come back, once enough of those that rest were asked."""

SHARE_OF_REST = 0.6
"""Share of the remaining time that one attempt gets while another could still be made."""


class Trip(msgspec.Struct, eq=False):
    """One call on its way through groups and attempts. Times are seconds.

    Attributes:
        start: when the call began, by the clock.
        budget: how long it may take as a whole.
        attempts: made in the present group.
        failed: what became of the deployments that were asked in vain.
        hedges: a second attempt may be made beside a slow one.
        kind: what statistics it belongs to: ``"stream"``, or the operation.
        fresh: nothing has been tried and nobody waited for yet: the whole budget is left.
    """

    core: Core
    call: Call
    options: Options
    route: Route
    start: float
    budget: float
    attempts: int = 0
    failed: dict[Deployment, APIError] = {}
    fresh: bool = True
    first_error: APIError | None = None
    last_error: APIError | None = None
    groups: list[str] = []
    selection: Selection | None = None
    unrestricted: bool = False
    tokens: float = 0.0
    counted: int | None = None
    waited: float = 0.0
    kind: str = "chat"
    hedges: bool = False

    @property
    def now(self) -> float:
        """The time, by the Router's clock."""
        return self.core.clock()

    @property
    def input_tokens(self) -> int:
        """Tokens of the prompt, estimated when first asked for."""
        if self.counted is None:
            self.counted = prompt_tokens(self.call)
        return self.counted

    @property
    def output_tokens(self) -> int:
        """Tokens that the answer will probably have."""
        params = self.call.params
        if not params:
            return int(self.tokens)
        most = params.get("max_completion_tokens") or params.get("max_tokens")
        return int(min(self.tokens, most) if isinstance(most, int) else self.tokens)

    @property
    def plain(self) -> bool:
        """Whether every deployment of the group can take it."""
        return self.selection is None or self.selection.allowed is None

    def selected(self, group: Group, deployments: Sequence[Deployment]) -> Sequence[Deployment]:
        """Those of them that can take this call."""
        return deployments if self.selection is None else self.selection.among(deployments)

    def best(self, group: Group, candidates: Sequence[Deployment]) -> Sequence[Deployment]:
        """Those to choose among now: of the lowest `order`, with all that is wished for."""
        return candidates if self.selection is None else self.selection.best(candidates)

    @property
    def deadline(self) -> float:
        """When the call must have been answered, by the clock."""
        return self.start + self.budget

    def enter(self, group: Group, selection: Selection | None = None) -> None:
        """Start with a group; attempts are counted per group.

        `selection` is who can take the call, where that is known already.

        Raises:
            UnsupportedParamsError: no deployment of it can do what is asked.
            ContextWindowExceededError: the prompt is too long for all of them.
        """
        self.groups.append(group.name)
        self.attempts = 0
        self.tokens = group.tokens
        self.waited = 0.0
        members = group.members
        if selection is None:
            selection = members.able(self.call, self.options)
        self.selection = selection
        self.unrestricted = selection is members.everybody and not members.ordered

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - self.core.clock()

    @property
    def idle_limit(self) -> float:
        """Seconds between two pieces of a stream."""
        said = self.options.stream_idle_timeout
        return self.core.policies.stream_idle_timeout if said is None else said

    def extend(self) -> None:
        """A stream goes on elsewhere: that may take as long as any gap between two pieces."""
        budget = self.core.clock() - self.start + self.idle_limit
        whole = self.options.force_timeout
        self.budget = budget if whole is None else min(budget, whole)

    @property
    def late(self) -> bool:
        """Whether the deadline has passed, or is too near for anything."""
        return self.remaining < 0.001

    def open_attempt(self, deployment: Deployment, group: Group, reason: str) -> Attempt:
        """Put a new attempt on the route."""
        now = self.core.clock() - self.start
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
        if self.call.stream:
            own = self._first_token_limit(deployment)
        return (own, True) if own is not None and own < limit else (limit, False)

    def _first_token_limit(self, deployment: Deployment) -> float | None:
        """Seconds to a stream's first token, as call, deployment or Router say."""
        for said in (
            self.options.stream_timeout,
            deployment.stream_timeout,
            deployment.timeout,
            self.core.policies.stream_timeout,
        ):
            if said is not None:
                return said
        return None

    def soft_limit(self, limit: float) -> float | None:
        """Seconds to a stream's first token after which a faster deployment is looked for."""
        soft = self.core.policies.soft_timeout
        return soft if self.call.stream and soft < limit else None

    def _another_left(self, deployment: Deployment, group: Group) -> bool:
        """Whether someone else could be asked if this attempt took too long."""
        if self.attempts < self.retries(deployment):
            if len(group.ready) > 1 and not self.failed:
                return True
            fresh = group.fresh(self.failed)
            if len(fresh) > 1 or (fresh and fresh[0] is not deployment):
                return True
        return self.has_fallbacks()

    def retries(self, deployment: Deployment) -> int:
        """Further attempts in this group after the last error."""
        return self.core.policies.retries(
            self.groups[-1], deployment.num_retries, self.last_error, self.options
        )

    def note(self, deployment: Deployment, error: APIError, *, sent: bool) -> None:
        """Remember a failure. What we refused ourselves, for good, counts as no attempt."""
        self.failed[deployment] = self.last_error = error
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
            return 0.0 if first_move or self.core.retry_budget.spend() else None
        again = {
            deployment: failure
            for deployment, failure in self.failed.items()
            if failure.again and deployment in group.deployments
        }
        if not again or not self.core.retry_budget.spend():
            return None
        first = min(again, key=lambda deployment: again[deployment].retry_after or 0.0)
        if first.circuit.limited:  # whoever chooses waits for the end of its rest
            return 0.0 if first.circuit.until - self.now <= self.longest_wait() else None
        return self._pause(again[first])

    def _pause(self, error: APIError) -> float | None:
        if error.retry_after is None:
            pause = self.core.backoff.wait(self.attempts)
            return pause if pause < self.remaining else None
        pause = min(error.retry_after, self.core.policies.longest_retry_after)
        return pause if pause <= max(self.longest_wait(), 0.0) else None

    def longest_wait(self) -> float:
        """Seconds that this call may wait for somebody who said when to come back."""
        left = min(LONGEST_WAIT, self.remaining - RESERVE)
        return min(WAIT_BEFORE_FALLBACK, left) if self.has_fallbacks() else left

    def longest_queue(self) -> float:
        """Seconds that it may wait for a slot."""
        left = self.remaining
        return min(WAIT_BEFORE_FALLBACK, left) if self.has_fallbacks() else left

    def cannot_wait(self, pause: float) -> bool:
        """Whether its deadline leaves it no time to wait even once; it has not waited either."""
        return not self.waited and self.remaining - pause <= RESERVE

    def may_wait_in_panic(self, pause: float) -> bool:
        """Whether it may go on waiting for anyone to come back, for so many seconds more."""
        self.waited += pause
        return self.waited <= LONGEST_PANIC and self.remaining - pause > RESERVE

    def next_group(self, error: APIError | None = None) -> Group | None:
        """The group to ask after this one has failed, if the error allows it; None: nobody."""
        if self.late or len(self.groups) > self.core.policies.max_fallbacks:
            return None
        for alias in self.core.policies.chain(self.groups[0], error, self.options):
            if alias not in self.groups:
                try:
                    return self.core.find(alias)
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


def begin_trip(
    core: Core, call: Call, alias: str, options: Options, whole: Whole | None = None
) -> Trip:
    """A call sets out; a part of one (`whole`) has its deadline and its route."""
    policies = core.policies
    budget = policies.timeout if options is NO_OPTIONS else policies.budget(options)
    kind = "stream" if call.stream else call.operation
    hedges = policies.hedge if options.hedge is None else options.hedge
    if whole is None:
        route, began = Route(alias), core.clock()
    else:
        route, began = whole.route, whole.began
    return core.new_trip(
        core, call, options, route, began, budget, fresh=whole is None, kind=kind, hedges=hedges
    )
