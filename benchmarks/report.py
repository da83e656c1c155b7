"""The report: markdown tables of medians and ratios, or every sample as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .grid import Cell, Column, Grid
    from .remote import RemotePeer
    from .upstream import Upstream


SIGNS = {"ratio": "x", "added": "over"}
"""Before the baseline's name, in the heading of a comparison."""


def heading(
    peers: Iterable[RemotePeer], left_out: Mapping[str, str], upstream: Upstream, rounds: int
) -> str:
    """What was measured, where and how."""
    how = f"{upstream.kind} upstream, medians of {rounds} rounds, ratios with lowest and highest"
    lines = [f"{machine.description()}; {how}.", ""]
    lines += [f"- {peer.label}: {peer.version}" for peer in peers]
    lines += [f"- {label}: left out, cannot run here ({why})" for label, why in left_out.items()]
    return "\n".join(lines) + "\n"


def table(grid: Grid) -> str:
    """A grid's figures, and below them what could not be measured."""
    head = [*grid.headings]
    for column in grid.columns:
        head.append(column.heading)
        if compared(grid, column):
            sign = SIGNS[grid.versus(column)]
            head += [f"{sign} {baseline}" for baseline in grid.baselines]
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
        if compared(grid, column):
            itself = "1" if grid.versus(column) == "ratio" else "0"
            for baseline in grid.baselines:
                at_baseline = cell.row == baseline
                yield itself if at_baseline else comparison(grid, cell, column, baseline)


def compared(grid: Grid, column: Column) -> bool:
    """Whether a column stands beside what it is compared with."""
    return column.gate is not None and grid.versus(column) != "itself"


def value(grid: Grid, cell: Cell, column: Column) -> str:
    spread = grid.value(cell, column)
    if spread is None:
        return "failed"
    digits = column.digits
    if column.gate is None or compared(grid, column):
        return f"{spread.median:,.{digits}f}"
    return f"{spread.median:,.{digits}f} ({spread.low:,.{digits}f}-{spread.high:,.{digits}f})"


def comparison(grid: Grid, cell: Cell, column: Column, baseline: str) -> str:
    spread = grid.compared(cell, column, baseline)
    if spread is None:
        return "-"
    digits = 2 if grid.versus(column) == "ratio" else column.digits
    return f"{spread.median:,.{digits}f} ({spread.low:,.{digits}f}-{spread.high:,.{digits}f})"


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
