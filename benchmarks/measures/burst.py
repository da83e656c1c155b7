"""Thousands of calls in the same moment, to a model that takes 50 ms for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from ..peers import BASELINE
from . import fresh

if TYPE_CHECKING:
    from .bench import Bench


def burst(bench: Bench) -> Grid:
    """Time until the last answer, and the peak of memory."""
    count = bench.pace.burst
    return Grid(
        name="burst",
        title="Calls at once, 50 ms upstream, a fresh process",
        headings=("calls", "peer"),
        columns=(
            Column("wall_ms", "ms until the last", gate=""),
            Column("cpu_us", "CPU µs/call", gate="-cpu"),
            Column("peak_mb", "peak MB", gate="-peak", versus="itself"),
        ),
        baselines=(BASELINE,),
        fresh=True,
        most_rounds=5,
        cells=fresh.cells(bench, Case(f"{count:,}"), "burst", scenario="lat50", count=count),
    )
