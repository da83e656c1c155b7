"""
The report as a picture: `--plot FILE.svg`.

A panel for every figure that is compared, a bar for every peer: how it stands to the baseline, on a
logarithmic scale, with a line from the lowest to the highest round. What failed has no bar.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .grid import Case, Cell, Column, Grid, Spread

COLORS = ("#9aa0a6", "#1a73e8", "#e8710a", "#d93025", "#188038", "#9334e6", "#12b5cb", "#f9ab00")
WIDTH, LABEL, END = 860, 230, 130
BAR, GAP, TITLE = 16, 5, 44
STYLE = (
    "text{font:12px 'DejaVu Sans',Arial,sans-serif;fill:#3c4043}"
    ".title{font-weight:600}.grid{stroke:#dadce0}"
)


def svg(grids: Iterable[Grid], heading: str) -> str:
    """All panels, one below the other."""
    parts: list[str] = []
    height = 30
    for grid in grids:
        for case, column in panels(grid):
            bars = [
                (cell, spread)
                for cell in grid.cells
                if cell.case == case
                and (spread := grid.compared(cell, column, grid.baselines[0])) is not None
            ]
            if len(bars) > 1:
                title = f"{grid.name}: {column.heading}, {case.label} {grid.headings[0]}"
                parts += panel(f"{title} — x {grid.baselines[0]}", bars, height)
                height += TITLE + len(bars) * (BAR + GAP)
    first = heading.partition("\n")[0]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height + 10}">',
            f'<style>{STYLE}</style><rect width="100%" height="100%" fill="white"/>',
            f'<text x="10" y="20">{escape(first)}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def panels(grid: Grid) -> Iterator[tuple[Case, Column]]:
    """The figures of a grid that are ratios, case by case."""
    for case in dict.fromkeys(cell.case for cell in grid.cells):
        for column in grid.columns:
            if column.gate is not None and grid.versus(column) == "ratio":
                yield case, column


def panel(title: str, bars: list[tuple[Cell, Spread]], top: int) -> Iterator[str]:
    """A title, lines at powers of ten, a bar for each peer."""
    low = min(0.5, *(spread.low for _, spread in bars))
    high = max(2.0, *(spread.high for _, spread in bars))
    yield f'<text class="title" x="10" y="{top + 24}">{escape(title)}</text>'
    bottom = top + TITLE - 10 + len(bars) * (BAR + GAP)
    for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1):
        x = place(10.0**power, low, high)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top + 32}" y2="{bottom}"/>'
    for index, (cell, spread) in enumerate(bars):
        color = COLORS[index % len(COLORS)]
        yield from bar(cell.row, spread, color, top + TITLE - 10 + index * (BAR + GAP), low, high)


def bar(label: str, spread: Spread, color: str, top: int, low: float, high: float) -> Iterator[str]:
    """One peer's bar, from 1 to its ratio."""
    start, end = place(1.0, low, high), place(spread.median, low, high)
    left, width = min(start, end), max(abs(end - start), 2.0)
    middle = top + BAR / 2
    right = max(end, start, place(spread.high, low, high)) + 6
    yield f'<text x="10" y="{top + 12}">{escape(label)}</text>'
    yield f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" fill="{color}"/>'
    yield (
        f'<line x1="{place(spread.low, low, high):.1f}" x2="{place(spread.high, low, high):.1f}" '
        f'y1="{middle}" y2="{middle}" stroke="#202124"/>'
    )
    yield f'<text x="{right:.1f}" y="{top + 12}">{spread.median:.2f}</text>'


def place(value: float, low: float, high: float) -> float:
    """Where a ratio is drawn, in pixels from the left."""
    share = math.log(max(value, low) / low) / math.log(high / low)
    return LABEL + share * (WIDTH - LABEL - END)
