"""
What the Router is to reach, and whether it does: `python -m benchmarks --goals`.

A goal is a bound on a figure that some measure has; the run takes the measures that the goals need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .gate import Bound, figures

if TYPE_CHECKING:
    from .grid import Grid


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the table.

    Attributes:
        measure: whose figure it is.
        what: in words, with what the figure is: `x` is the ratio to a bare aiohttp session.
        bound: the figure and its limit.
    """

    measure: str
    what: str
    bound: Bound


def at_most(measure: str, gate: str, limit: float, what: str) -> Goal:
    return Goal(measure, what, Bound("--max", measure + gate, limit))


def at_least(measure: str, gate: str, limit: float, what: str) -> Goal:
    return Goal(measure, what, Bound("--min", measure + gate, limit))


GOALS = (
    at_most("call", "", 1.05, "one call, 0 ms upstream, p50, x"),
    at_most("call", "-cpu", 1.10, "CPU per call, x"),
    at_least("throughput", "64", 0.95, "calls/s, 64 in flight, one core, x"),
    at_least("throughput", "512", 0.95, "calls/s, 512 in flight, one core, x"),
    at_most("stream", "64", 0.8, "CPU per chunk, 64 streams of 200, x"),
    at_most("paced", "", 1.0, "CPU per chunk, one chunk per write, x"),
    at_most("first", "", 100, "time to the first chunk, added, µs"),
    at_most("import", "", 0.5, "import, x `import aiohttp, orjson`"),
    at_most("memory", "-after", 45, "memory after calls, MB"),
    at_most("memory", "-growth", 4, "memory per call over 50,000 calls, bytes"),
    at_most("memory", "-tasks", 1, "tasks left"),
    at_most("burst", "", 1.06, "5,000 calls at once, 50 ms upstream, time, x"),
    at_most("burst", "-peak", 150, "5,000 calls at once, peak memory, MB"),
    at_most("choice", "-growth", 1.1, "choice among 10,000 deployments over 1,000"),
    at_most("crowd", "-peak", 600, "10,000 streams, peak memory, MB"),
    at_most("crowd", "-lag", 50, "10,000 streams, the loop's lag, p99, ms"),
    at_most("backlog", "-held", 10, "a reader that stops: MB held"),
)

MEASURES = tuple(dict.fromkeys(goal.measure for goal in GOALS))


def table(grids: list[Grid]) -> str:
    """Every goal that these measures can tell about, the figure, and whether it is met."""
    rows = [("goal", "limit", "measured", ""), ("---", "---:", "---", "---")]
    measured = {grid.name for grid in grids}
    rows += [row(goal, grids) for goal in GOALS if goal.measure in measured]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(["### goals", "", *lines]) + "\n"


def row(goal: Goal, grids: list[Grid]) -> tuple[str, str, str, str]:
    """One goal's line; of several figures under one name the worst counts."""
    bound = goal.bound
    limit = f"{'≤' if bound.option == '--max' else '≥'} {bound.limit:g}"
    found = [value for _, value in figures(bound.name, grids)]
    values = [value for value in found if value is not None]
    if not values or len(values) < len(found):
        return goal.what, limit, "-", "not measured"
    worst = max(values) if bound.option == "--max" else min(values)
    return goal.what, limit, f"{worst:.2f}", "met" if bound.holds(worst) else "**not met**"
