"""Thousands of streams in one process, and a reader who does not keep up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from . import fresh

if TYPE_CHECKING:
    from .bench import Bench

CHUNKS = 20


def crowd(bench: Bench) -> Grid:
    """Memory and the loop's lag while all streams are open, each with a chunk now and then."""
    count, pause = bench.pace.streams, bench.pace.pause
    return Grid(
        name="crowd",
        title=f"Streams open at once, a chunk per {pause:g} s each, a fresh process",
        headings=("streams", "peer"),
        columns=(
            Column("peak_mb", "peak MB", gate="-peak"),
            Column("stream_kb", "KB/stream", digits=1),
            Column("lag_ms", "lag p50 ms", digits=1),
            Column("lag99_ms", "lag p99 ms", digits=1, gate="-lag"),
            Column("cpu_us", "CPU µs/chunk", digits=1),
            Column("tasks", "tasks left"),
        ),
        fresh=True,
        most_rounds=2,
        cells=fresh.cells(
            bench,
            Case(f"{count:,} of {CHUNKS}"),
            "crowd",
            scenario=f"n{CHUNKS}-b1-d{pause * 1e6:.0f}",
            count=count,
            chunks=CHUNKS,
        ),
    )


def backlog(bench: Bench) -> Grid:
    """What is buffered while a reader stops, and the most there was until the stream's end."""
    count = bench.pace.backlog
    return Grid(
        name="backlog",
        title="A reader that stops for a second while the upstream goes on, a fresh process",
        headings=("chunks", "peer"),
        columns=(
            Column("held_mb", "MB held meanwhile", digits=1, gate="-held"),
            Column("peak_mb", "MB at most", digits=1, gate="-peak"),
        ),
        fresh=True,
        most_rounds=3,
        cells=fresh.cells(bench, Case(f"{count:,}"), "backlog", scenario=f"n{count}", chunks=count),
    )
