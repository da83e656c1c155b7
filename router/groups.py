"""
Aliases and their groups: who may be chosen, kept up to date instead of recomputed.

A group holds the deployments of one alias. Those whose circuit is closed stand in `ready`, a
list that is replaced, never changed, whenever a circuit opens or closes: strategies may keep
what they worked out for as long as they see the same list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from math import inf
from typing import TYPE_CHECKING

from .filters import Members
from .hedging import Recent
from .rules import USUAL, Rules
from .waiting import Queue

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..strategies import Strategy
    from .deployment import Deployment

EXPECTED_TOKENS = 250.0
"""Tokens of an answer, as long as a group has not seen any."""


@dataclass(slots=True, eq=False)
class Group:
    """The deployments of one alias and the strategy that chooses among them.

    A `hidden` group is not among the aliases: one deployment, reachable by its id, or what was
    made for a name that a wildcard, the `pattern`, stands for. `tokens` is how long its answers
    are, smoothed; `limits` says that deployments have quotas or slots to be looked at.
    """

    name: str
    strategy: Strategy
    hidden: bool = False
    deployments: list[Deployment] = field(default_factory=list)
    ready: list[Deployment] = field(default_factory=list)
    resting: list[Deployment] = field(default_factory=list)
    rules: Rules | None = USUAL
    pattern: str = ""
    queue: Queue = field(default_factory=Queue, repr=False)
    tokens: float = EXPECTED_TOKENS
    limits: bool = False
    ramp_until: float = -inf
    recent: dict[str, Recent] = field(default_factory=dict, repr=False)
    _members: Members | None = field(default=None, repr=False)

    @property
    def members(self) -> Members:
        """What is known of the deployments together, worked out anew after one came or went."""
        known = self._members
        if known is None:
            known = self._members = Members(self.name, self.deployments, self.rules)
        return known

    def add(self, deployment: Deployment) -> None:
        """Take a deployment in; it may be chosen after the next `refresh`."""
        self.deployments.append(deployment)
        self._members = None
        deployment.groups.append(self)

    def remove(self, deployment: Deployment) -> None:
        """Let a deployment go; attempts that run on it end as they would have."""
        self.deployments = [other for other in self.deployments if other is not deployment]
        self._members = None
        deployment.groups.remove(self)
        self.refresh()

    def refresh(self) -> None:
        """Sort the deployments anew: a circuit has opened or closed, or one came or went."""
        self.ready = [d for d in self.deployments if d.circuit.state == "closed"]
        self.resting = [d for d in self.deployments if d.circuit.state != "closed"]
        if self.resting and 2 * len(self.resting) > len(self.deployments):
            # soft evidence counts no more when most of the group is out
            self.ready += [d for d in self.resting if d.circuit.soft]
        self.limits = any(d.quota or d.most_in_flight is not None for d in self.deployments)
        self.ramp_until = max(
            (d.circuit.back_at + d.circuit.policy.ramp for d in self.ready), default=-inf
        )

    def is_free(self) -> bool:
        """Whether anybody has a slot, or nobody is left who could have one."""
        return not self.deployments or any(d.has_slot for d in self.deployments)

    @property
    def half_out(self) -> bool:
        """Whether half of the deployments rest already."""
        return 2 * len(self.resting) >= len(self.deployments)

    def half_out_with(self, deployment: Deployment) -> bool:
        """Whether more than half would rest if this one did."""
        resting = len(self.resting) + (deployment.circuit.state == "closed")
        return 2 * resting > len(self.deployments)

    def usual(self, kind: str) -> float:
        """The median time to first token of those ready, in seconds."""
        known = sorted(f for d in self.ready if (f := d.pace(kind).first) is not None)
        return known[len(known) // 2] if known else 0.5

    def usual_time(self) -> float | None:
        """Seconds that an attempt takes, on average of those ready; None without history."""
        known = [d.latency for d in self.ready if d.latency is not None]
        return sum(known) / len(known) if known else None

    def timings(self, kind: str) -> Recent:
        """The recent times to first token of this kind of call."""
        recent = self.recent.get(kind)
        if recent is None:
            recent = self.recent[kind] = Recent()
        return recent

    def probe(self, tried: Collection[Deployment]) -> Deployment | None:
        """A deployment whose rest is over and that nobody is probing, if there is one.

        Those whose rest was the provider's wish come back without a probe.
        """
        found = None
        for deployment in self.resting:
            if deployment.circuit.rested() and deployment not in tried:
                found = found or deployment
            elif deployment.circuit.state == "closed":
                for group in deployment.groups:
                    group.refresh()
        return found

    def back_in(self, now: float) -> float | None:
        """Seconds until the first rest that a provider asked for ends; None: nobody has one."""
        ends = [d.circuit.until for d in self.resting if d.circuit.limited]
        return max(0.0, min(ends) - now) if ends else None

    def fresh(self, tried: Collection[Deployment]) -> Sequence[Deployment]:
        """Those ready that have not failed in this call."""
        if not tried:
            return self.ready
        return [deployment for deployment in self.ready if deployment not in tried]

    def closest_to_recovery(self, among: Collection[Deployment]) -> Deployment:
        """Of these resting deployments the one whose rest ends first."""
        return min(among, key=lambda deployment: deployment.circuit.until)


def unknown_alias(alias: str, aliases: Sequence[str]) -> str:
    """Why an alias does not resolve, with the ones that would."""
    close = get_close_matches(alias, aliases, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"but there is no such alias{hint}; there are: {', '.join(sorted(aliases)) or 'none'}"
