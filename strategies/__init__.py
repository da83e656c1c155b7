"""Everything that chooses: one file per strategy, one table of their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .adaptive import Adaptive
from .base import Candidate, Demand, Strategy, lowest, shortlist
from .cost_based import CostBased
from .cost_weighted import CostWeighted
from .least_busy import LeastBusy
from .lowest_latency import LowestLatency
from .round_robin import RoundRobin
from .simple_shuffle import SimpleShuffle
from .usage_based import UsageBased

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

STRATEGIES: dict[str, Callable[[random.Random], Strategy]] = {
    "adaptive": Adaptive,
    "cost-based-routing": CostBased,
    "cost-weighted": CostWeighted,
    "latency-based-routing": LowestLatency,
    "least-busy": LeastBusy,
    "lowest-latency": LowestLatency,
    "round-robin": RoundRobin,
    "simple-shuffle": SimpleShuffle,
    "usage-based-routing": UsageBased,
    "usage-based-routing-v2": UsageBased,
}
"""Strategies by the name that `Router(routing_strategy=...)` takes."""

__all__ = [
    "STRATEGIES",
    "Adaptive",
    "Candidate",
    "CostBased",
    "CostWeighted",
    "Demand",
    "LeastBusy",
    "LowestLatency",
    "RoundRobin",
    "SimpleShuffle",
    "Strategy",
    "UsageBased",
    "lowest",
    "shortlist",
]
