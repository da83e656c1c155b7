"""What came of a simulation, in numbers. Those that arrived during the warm-up do not count."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import floor, inf, isfinite, nan, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .engine import Simulation, Start
    from .provider import Request
    from .scenario import FaultWindow, Scenario

Metrics = dict[str, float]

WINDOW = 5.0
"""Seconds over which a deployment's share of the traffic is taken."""

FEW = 5
"""Starts in a window, below which there is no share to speak of."""

RECOVERY_WINDOW = 10.0
RECOVERED = 0.8
"""A deployment is back when it has this share of its share from before."""

UNUSED = 0.02
"""Who had no more than this share before a fault needs not come back after it."""


def measure(simulation: Simulation) -> Metrics:
    """Everything about one run; times are seconds, `cost` US dollars per 1,000 answers.

    ``ok`` share answered; ``p50`` … ``ttft99`` percentiles of whole time and time to first token,
    a failed call counting as its deadline; ``amp`` attempts per call; ``n429`` per call;
    ``osc`` how the shares of traffic swing beyond chance; the rest: see :func:`_of_window`.
    """
    scenario = simulation.scenario
    requests = [it for it in simulation.requests if it.arrived >= scenario.warmup]
    count = max(1, len(requests))
    answered = sum(it.ok for it in requests)
    whole = sorted(_whole(it, scenario) for it in requests)
    first = sorted(_first(it, scenario) for it in requests)
    starts = simulation.starts
    found = {
        "n": float(len(requests)),
        "ok": answered / count,
        "p50": percentile(whole, 50),
        "p95": percentile(whole, 95),
        "p99": percentile(whole, 99),
        "ttft50": percentile(first, 50),
        "ttft95": percentile(first, 95),
        "ttft99": percentile(first, 99),
        "amp": sum(it.at >= scenario.warmup for it in starts) / count,
        "n429": simulation.limited / count,
        "cost": 1000 * sum(it.cost for it in requests) / max(1, answered),
        "osc": _swing(starts, scenario),
        "load": max(map(max, simulation.loads[int(scenario.warmup) :]), default=0),
    }
    if scenario.fault_window is not None:
        found |= _of_window(scenario.fault_window, requests, starts, scenario)
    return found


def verdicts(simulation: Simulation) -> Counter[str]:
    """Why calls failed, and how many."""
    warmup = simulation.scenario.warmup
    return Counter(it.verdict for it in simulation.requests if not it.ok and it.arrived >= warmup)


def mean(runs: Sequence[Metrics]) -> Metrics:
    """The metrics of several seeds; where one is infinite, the median."""
    found = {}
    for name in runs[0]:
        values = [run[name] for run in runs]
        found[name] = fmean(values) if all(map(isfinite, values)) else median(values)
    return found


def percentile(ordered: Sequence[float], share: float) -> float:
    """Interpolated between the two nearest; not a number of nothing."""
    if not ordered:
        return nan
    place = (len(ordered) - 1) * share / 100
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _whole(request: Request, scenario: Scenario) -> float:
    if request.ended is None or not request.ok:
        return scenario.deadline
    return request.ended - request.arrived


def _first(request: Request, scenario: Scenario) -> float:
    first = request.first_token
    return scenario.deadline if first is None else first - request.arrived


def _swing(starts: Sequence[Start], scenario: Scenario) -> float:
    """How much shares change from window to window, less what drawing alone would do."""
    places = range(len(scenario.deployments))
    windows = [Counter[int]() for _ in range(int(scenario.duration / WINDOW))]
    for start in starts:
        if start.at < len(windows) * WINDOW:
            windows[int(start.at / WINDOW)][start.place] += 1
    used = [(window, window.total()) for window in windows if window.total() >= FEW]
    if len(used) <= 3:
        return nan
    swings, chances = [], []
    for (before, many), (after, more) in pairwise(used):
        pairs = [(before[place] / many, after[place] / more) for place in places]
        swings.append(sum((new - old) ** 2 for old, new in pairs))
        chances.append(sum(new * (1 - new) / more + old * (1 - old) / many for old, new in pairs))
    return sqrt(max(0.0, fmean(swings) - fmean(chances)))


def _of_window(
    window: FaultWindow, requests: Sequence[Request], starts: Sequence[Start], scenario: Scenario
) -> Metrics:
    """``ok_fault``, ``ttft99_fault`` of calls during the fault; ``bad_starts`` at who has it;
    ``recovery`` seconds until that one has its traffic back.
    """
    bad = {place for place, it in enumerate(scenario.deployments) if it.id in window.ids}
    during = [it for it in requests if window.begins <= it.arrived < window.ends]
    since = max(scenario.warmup, window.begins - 60)
    before = [it.place in bad for it in starts if since <= it.at < window.begins]
    share = sum(before) / max(1, len(before))
    return {
        "ok_fault": sum(it.ok for it in during) / max(1, len(during)),
        "ttft99_fault": percentile(sorted(_first(it, scenario) for it in during), 99),
        "bad_starts": sum(it.place in bad for it in starts if window.begins <= it.at < window.ends),
        "recovery": _recovery(
            [(it.at - window.ends, it.place in bad) for it in starts if it.at >= window.ends],
            RECOVERED * share if share > UNUSED else inf,
            scenario.duration - window.ends,
        ),
    }


def _recovery(starts: Sequence[tuple[float, bool]], wanted: float, left: float) -> float:
    """Seconds until the share is what is wanted, in the middle of the first such window."""
    begins = 0.0
    while wanted < inf and begins + RECOVERY_WINDOW <= left:
        among = [bad for at, bad in starts if begins <= at < begins + RECOVERY_WINDOW]
        if len(among) >= FEW and sum(among) >= wanted * len(among):
            return begins + RECOVERY_WINDOW / 2
        begins += 1.0
    return inf
