"""Streams as models send them: every chunk in a write of its own, with a pause in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from ..peers import BASELINE

if TYPE_CHECKING:
    from .bench import Bench


def paced(bench: Bench) -> Grid:
    """CPU per chunk that is read alone: a wake-up of the loop, and what the client adds to it."""
    return Grid(
        name="paced",
        title="Paced streams, one chunk per write, 4 ms apart",
        headings=("streams of chunks", "peer"),
        columns=(Column("cpu_us", "CPU µs/chunk", digits=1, gate=""),),
        baselines=(BASELINE,),
        cells=bench.cells(
            Case("8 of 100"), "streams", scenario="n100-b1-d4000", in_flight=8, chunks=100
        ),
    )


def first(bench: Bench) -> Grid:
    """What a client adds to the time until the first content is in the caller's hands."""
    return Grid(
        name="first",
        title="Time to the first chunk, one stream at a time",
        headings=("streams of chunks", "peer"),
        columns=(Column("first_us", "first chunk µs", gate="", versus="added"),),
        baselines=(BASELINE,),
        cells=bench.cells(Case("1 of 5"), "streams", scenario="n5-b2-d2000", in_flight=1, chunks=5),
    )
