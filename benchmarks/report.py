"""The report: markdown tables of medians and ratios, or every sample as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .grid import Cell, Column, Grid
    from .remote import RemotePeer
    from .upstream import Upstream


def heading(peers: Iterable[RemotePeer], upstream: Upstream, rounds: int) -> str:
    """What was measured, where and how."""
    how = f"{upstream.kind} upstream, medians of {rounds} rounds, ratios with lowest and highest"
    lines = [f"{machine.description()}; {how}.", ""]
    lines += [
        f"- {peer.label}: "
        + (f"left out, cannot run here ({peer.missing})" if peer.missing else peer.version)
        for peer in peers
    ]
    return "\n".join(lines) + "\n"


def table(grid: Grid) -> str:
    """A grid's figures, and below them what could not be measured."""
    head = [*grid.headings]
    for column in grid.columns:
        head.append(column.heading)
        if column.gate is not None:
            head += [f"x {baseline}" for baseline in grid.baselines]
    rows = [[cell.case.label, cell.row, *figures(grid, cell)] for cell in grid.cells]
    rules = ["---", "---", *["---:"] * (len(head) - 2)]
    lines = ["| " + " | ".join(row) + " |" for row in (head, rules, *rows)]
    return "\n".join([f"### {grid.name}: {grid.title}", "", *lines, *failures(grid)]) + "\n"


def failures(grid: Grid) -> Iterator[str]:
    """A line for every reason that cells failed for."""
    found: dict[tuple[str, str], list[str]] = {}
    for cell, reason in grid.failures.items():
        found.setdefault((cell.row, reason), []).append(cell.case.label)
    for (row, reason), cases in found.items():
        yield f"\nFAILED: {row} ({', '.join(cases)}): {reason}"


def figures(grid: Grid, cell: Cell) -> Iterator[str]:
    """The texts of one row."""
    for column in grid.columns:
        yield value(grid, cell, column)
        if column.gate is not None:
            for baseline in grid.baselines:
                yield "1" if cell.row == baseline else ratio(grid, cell, column, baseline)


def value(grid: Grid, cell: Cell, column: Column) -> str:
    spread = grid.value(cell, column)
    if spread is None:
        return "failed"
    digits = column.digits
    if column.gate is None or grid.baselines:
        return f"{spread.median:,.{digits}f}"
    return f"{spread.median:,.{digits}f} ({spread.low:,.{digits}f}-{spread.high:,.{digits}f})"


def ratio(grid: Grid, cell: Cell, column: Column, baseline: str) -> str:
    spread = grid.ratio(cell, column, baseline)
    return f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})" if spread else "-"


def as_json(grids: Iterable[Grid], text: str) -> str:
    """Every sample of every round, for plots and comparisons; `text` is the heading."""
    return json.dumps(
        {
            "heading": text,
            "cells": [
                {
                    "measure": grid.name,
                    "case": cell.case.label,
                    "peer": cell.peer,
                    "row": cell.row,
                    "samples": grid.samples.get(cell, []),
                    "failure": grid.failures.get(cell),
                }
                for grid in grids
                for cell in grid.cells
            ],
        },
        indent=1,
    )
