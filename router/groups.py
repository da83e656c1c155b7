"""
Aliases and their groups: who may be chosen, kept up to date instead of recomputed.

A group holds the deployments of one alias. Those whose circuit is closed stand in `ready`, a
list that is replaced, never changed, whenever a circuit opens or closes: strategies may keep
what they worked out for as long as they see the same list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ..strategies import Strategy
    from .deployment import Deployment


@dataclass(slots=True, eq=False)
class Group:
    """The deployments of one alias and the strategy that chooses among them.

    A `hidden` group is one deployment reachable by its id.
    """

    name: str
    strategy: Strategy
    hidden: bool = False
    deployments: list[Deployment] = field(default_factory=list)
    ready: list[Deployment] = field(default_factory=list)
    resting: list[Deployment] = field(default_factory=list)

    def add(self, deployment: Deployment) -> None:
        """Take a deployment in; it may be chosen after the next `refresh`."""
        self.deployments.append(deployment)
        deployment.groups.append(self)

    def remove(self, deployment: Deployment) -> None:
        """Let a deployment go; attempts that run on it end as they would have."""
        self.deployments = [other for other in self.deployments if other is not deployment]
        deployment.groups.remove(self)
        self.refresh()

    def refresh(self) -> None:
        """Sort the deployments anew: a circuit has opened or closed, or one came or went."""
        self.ready = [d for d in self.deployments if d.circuit.state == "closed"]
        self.resting = [d for d in self.deployments if d.circuit.state != "closed"]

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
