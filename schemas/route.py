"""How a call was answered: every attempt, why it was made, how long it took, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from .chat import Usage


class Attempt(msgspec.Struct, gc=False):
    """One request to one deployment. Times are seconds since the call began.

    Attributes:
        deployment_id: which deployment was asked.
        group: the group it was chosen from.
        reason: why: `first`, `sibling`, `retry`, `fallback`, `hedge`, `probe` or `resume`.
        queued: seconds that the call waited before this attempt could start.
        outcome: `ok`, `failed`, `interrupted` or `cancelled`; None while it runs.
        status: the HTTP status, None if no answer came.
        error: name of the exception that the attempt ended in.
        cost: US dollars, None where a price or the usage is unknown.
    """

    deployment_id: str
    group: str
    reason: str
    queued: float
    started: float
    first_token: float | None = None
    ended: float | None = None
    outcome: str | None = None
    status: int | None = None
    error: str | None = None
    usage: Usage | None = None
    cost: float | None = None


class Route(msgspec.Struct):
    """How one call was answered.

    Attributes:
        alias: what the caller asked for.
        attempts: every attempt, in order.
        dropped_params: parameters left out because the target cannot take them (`drop_params`).
    """

    alias: str
    attempts: list[Attempt] = msgspec.field(default_factory=list)
    dropped_params: list[str] = msgspec.field(default_factory=list)

    @property
    def served_by(self) -> str | None:
        """The deployment whose answer the caller got."""
        answering = self._answering
        return None if answering is None else answering.deployment_id

    @property
    def cost(self) -> float | None:
        """US dollars of all attempts; None if the price of the answer, or a part, is unknown."""
        if any(it.cost is None for it in self.attempts if it.outcome in ("ok", None)):
            return None
        known = [attempt.cost for attempt in self.attempts if attempt.cost is not None]
        return sum(known) if known else None

    @property
    def _answering(self) -> Attempt | None:
        """The attempt that answered or is about to: the last one that did not fail."""
        return next((it for it in reversed(self.attempts) if it.outcome in ("ok", None)), None)

    def __str__(self) -> str:
        steps = " → ".join(
            f"{attempt.deployment_id} ({attempt.reason}: {attempt.error or attempt.outcome})"
            for attempt in self.attempts
        )
        return f"{self.alias}: {steps or 'no attempt'}"
