"""What calls leave behind: memory and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..grid import Case, Column, Grid
from . import fresh

if TYPE_CHECKING:
    from .bench import Bench


def memory(bench: Bench) -> Grid:
    """Memory after some calls, its growth over many, tasks left. The reader's own task is one."""
    count = bench.pace.calls
    return Grid(
        name="memory",
        title="Memory over many calls, 64 in flight, a fresh process",
        headings=("calls", "peer"),
        columns=(
            Column("after_mb", "MB after some calls", digits=1, gate="-after"),
            Column("end_mb", "MB at the end", digits=1),
            Column("bytes", "bytes/call, second half", digits=1, gate="-growth"),
            Column("tasks", "tasks left", gate="-tasks"),
            Column("calls", "calls made"),
        ),
        fresh=True,
        most_rounds=3 if count <= 100_000 else 1,
        cells=fresh.cells(bench, Case(f"{count:,}"), "growth", scenario="c64", count=count),
    )
