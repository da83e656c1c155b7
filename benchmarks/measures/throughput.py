"""How many calls per second one core makes, by how many are in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from ..peers import BASELINE

if TYPE_CHECKING:
    from .bench import Bench

IN_FLIGHT = (1, 64, 512)


def throughput(bench: Bench) -> Grid:
    """Calls per second; more is better."""
    return Grid(
        name="throughput",
        title="Calls per second on one core",
        headings=("in flight", "peer"),
        columns=(
            Column("rate", "calls/s", gate=""),
            Column("cpu_us", "CPU µs/call", gate="-cpu"),
            Column("p99_us", "p99 µs"),
        ),
        baselines=(BASELINE,),
        cells=[
            cell
            for count in IN_FLIGHT
            for cell in bench.cells(
                Case(str(count), gate=str(count)),
                "calls",
                scenario=f"c{count}",
                in_flight=count,
            )
        ],
    )
