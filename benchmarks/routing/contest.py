"""Who is compared, and the runs: every policy through a scenario with the same seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import balancers, litellm
from .engine import Simulation
from .metrics import Metrics, mean, measure
from .shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .policy import MakePolicy
    from .scenario import Scenario

DEFAULT = "polyroute/adaptive"

POLICIES: dict[str, MakePolicy] = {
    DEFAULT: shipped(),
    "polyroute/adaptive+hedge+resume": shipped(hedge=True, on_stream_break="resume"),
    "polyroute/simple-shuffle": shipped(routing_strategy="simple-shuffle"),
    "polyroute/round-robin": shipped(routing_strategy="round-robin"),
    "polyroute/least-busy": shipped(routing_strategy="least-busy"),
    "polyroute/lowest-latency": shipped(routing_strategy="lowest-latency"),
    "polyroute/usage-based": shipped(routing_strategy="usage-based-routing"),
    "polyroute/cost-based": shipped(routing_strategy="cost-based-routing"),
    "polyroute/cost-weighted": shipped(routing_strategy="cost-weighted"),
    "litellm/shuffle": litellm.LiteLLM,
    "litellm/weighted": litellm.Weighted,
    "litellm/least-busy": litellm.LeastBusy,
    "litellm/latency": litellm.LowestLatency,
    "litellm/usage": litellm.LowestUsage,
    "litellm/cost": litellm.LowestCost,
    "simple/random": balancers.AtRandom,
    "simple/round-robin": balancers.InTurn,
    "simple/least-busy": balancers.FewestInFlight,
    "simple/two-choices": balancers.TwoChoices,
}
"""Policies by name: ours with the Router's default settings unless the name says otherwise."""

NAMESAKES: dict[str, tuple[str, ...]] = {
    "polyroute/simple-shuffle": ("litellm/shuffle", "litellm/weighted"),
    "polyroute/least-busy": ("litellm/least-busy",),
    "polyroute/lowest-latency": ("litellm/latency",),
    "polyroute/usage-based": ("litellm/usage",),
    "polyroute/cost-based": ("litellm/cost",),
}
"""Strategies that both have."""


def policies(names: Sequence[str] = ()) -> list[str]:
    """The names of all policies, or of those that begin like one of these.

    Raises:
        ValueError: a name is none.
    """
    for name in names:
        if not any(known.startswith(name) for known in POLICIES):
            raise ValueError(f"there is no policy {name!r}; there are {', '.join(POLICIES)}")
    return [known for known in POLICIES if not names or known.startswith(tuple(names))]


def simulate(scenario: Scenario, policy: str, seed: int) -> Simulation:
    """One run."""
    return Simulation(scenario, POLICIES[policy], seed).run()


def compare(scenario: Scenario, names: Sequence[str], seeds: Sequence[int]) -> dict[str, Metrics]:
    """The means over all seeds, by policy."""
    return {
        name: mean([measure(simulate(scenario, name, seed)) for seed in seeds]) for name in names
    }
