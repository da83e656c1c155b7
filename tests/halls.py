"""What tests of the decision core start from: one group, a core, and time under control."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from polyroute.providers import Call, Target
from polyroute.router.decisions import Core
from polyroute.router.deployment import Deployment
from polyroute.router.groups import Group
from polyroute.router.health import Circuit, HealthPolicy
from polyroute.router.lease import open_lease
from polyroute.router.options import Options
from polyroute.router.policies import Policies
from polyroute.router.quota import Quota
from polyroute.router.trip import begin_trip
from polyroute.schemas import Attempt
from polyroute.strategies import Adaptive

if TYPE_CHECKING:
    from polyroute.router.lease import Lease
    from polyroute.router.trip import Trip
    from polyroute.strategies import Strategy
    from polyroute.testing import FakeClock

PRICES = {"input_cost_per_token": 1.0, "output_cost_per_token": 2.0}
STRICT = HealthPolicy(allowed_fails=0, jitter=0.0, ramp=0.0)
"""One failure rests, for exactly as long as it is said, and traffic comes back at once."""


class Hall:
    """Deployments in one group called "smart", and the core that chooses among them."""

    def __init__(
        self,
        clock: FakeClock,
        names: str = "abc",
        *,
        health: HealthPolicy = STRICT,
        strategy: Strategy | None = None,
        backup: bool = False,
        **policies: Any,
    ) -> None:
        self.clock = clock
        self.rng = random.Random(1)
        self.health = health
        self.group = Group("smart", strategy or Adaptive(self.rng))
        self.deployments = [self.deployment(name) for name in names]
        for deployment in self.deployments:
            self.group.add(deployment)
        self.group.refresh()
        self.groups = {"smart": self.group, "backup": Group("backup", Adaptive(self.rng))}
        fallbacks = {"smart": ["backup"]} if backup else {}
        self.core = Core(
            clock, self.rng, self.groups.__getitem__, Policies(fallbacks=fallbacks, **policies)
        )

    def deployment(self, name: str, **settings: Any) -> Deployment:
        """A deployment without a history; it is in no group yet."""
        circuit = Circuit(self.health, self.clock, self.rng)
        target = Target("openai", "m", "key")
        return Deployment(name, "smart", target, circuit, model_info=PRICES, **settings)

    def limit(self, *deployments: Deployment, slots: int | None = None, **limits: float) -> None:
        """Give deployments quotas (`rpm`, …) and slots."""
        for deployment in deployments or self.deployments:
            deployment.most_in_flight = slots
            deployment.quota = Quota(limits, self.clock()) if limits else None
        self.group.refresh()

    def trip(self, *, stream: bool = False, tokens: int = 100, **options: Any) -> Trip:
        """A call that has come to the group; its prompt has so many tokens."""
        trip = begin_trip(self.core, Call([], stream=stream), "smart", Options(**options))
        trip.counted = tokens
        trip.enter(self.group)
        return trip

    def lease(self, deployment: Deployment, trip: Trip | None = None) -> Lease:
        """A hold on a deployment that nobody chose."""
        trip = trip or self.trip()
        attempt = Attempt(deployment.id, "smart", "first", 0.0, self.clock() - trip.start)
        return open_lease(deployment, self.group, attempt, trip)

    def choose(self, trip: Trip | None = None) -> Any:
        """What the core decides for a call."""
        return self.core.choose(self.group, trip or self.trip())

    def answered(self, deployment: Deployment, seconds: float, trip: Trip | None = None) -> None:
        """Let an attempt be answered after so many seconds."""
        lease = self.lease(deployment, trip)
        self.clock.advance(seconds)
        lease.succeeded(None)

    def rest(self, *deployments: Deployment, error: Any) -> None:
        """Let deployments fail, so that they rest."""
        for deployment in deployments:
            self.lease(deployment).failed(error)
