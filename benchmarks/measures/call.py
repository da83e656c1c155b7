"""One call at a time against an upstream without latency: what a client adds to a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from ..peers import BASELINE

if TYPE_CHECKING:
    from .bench import Bench


def call(bench: Bench) -> Grid:
    """Time and CPU per call."""
    return Grid(
        name="call",
        title="One call at a time, no server latency",
        headings=("in flight", "peer"),
        columns=(
            Column("p50_us", "p50 µs", gate=""),
            Column("p99_us", "p99 µs"),
            Column("cpu_us", "CPU µs", gate="-cpu"),
        ),
        baselines=(BASELINE,),
        cells=bench.cells(Case("1"), "calls", scenario="c1", in_flight=1),
    )
