"""What a chunk of a stream costs, once its bytes are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from ..peers import BASELINE

if TYPE_CHECKING:
    from .bench import Bench

SHAPES = ((64, 200), (1, 2000))
"""Streams at once, and content chunks of each."""


def stream(bench: Bench) -> Grid:
    """CPU per content chunk."""
    return Grid(
        name="stream",
        title="Streams, sent as fast as they are read",
        headings=("streams of chunks", "peer"),
        columns=(
            Column("cpu_us", "CPU µs/chunk", digits=2, gate=""),
            Column("rate", "chunks/s", gate="-rate"),
        ),
        baselines=(BASELINE,),
        cells=[
            cell
            for count, chunks in SHAPES
            for cell in bench.cells(
                Case(f"{count} of {chunks:,}", gate=str(count)),
                "streams",
                scenario=f"n{chunks}",
                in_flight=count,
                chunks=chunks,
            )
        ],
    )
