"""
Bounds that make a run fail, for CI: `--max call=1.15 --min throughput64=0.85`.

A bound applies to the median ratio to the baseline (`first`: to what comes on top of it); where
there is none to compare with (`choice1000`, `burst-peak`), to the median itself. It is about
polyroute, in every environment it was measured in; a bound whose figure is missing is broken too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .grid import Cell, Column, Grid

SUBJECT = "polyroute"


@dataclass(frozen=True, slots=True)
class Bound:
    """The most, or least, that a figure may be.

    Attributes:
        option: `--max` or `--min`.
        name: the gate's name, e.g. `throughput64`.
        limit: the bound itself.
    """

    option: str
    name: str
    limit: float

    @classmethod
    def parse(cls, option: str, text: str) -> Bound:
        """From `name=limit`.

        Raises:
            ValueError: it is not written like that.
        """
        name, _, limit = text.partition("=")
        try:
            return cls(option, name, float(limit))
        except ValueError:
            raise ValueError(f"{option} {text}: write NAME=LIMIT, as in call=1.15") from None

    def holds(self, figure: float) -> bool:
        return figure <= self.limit if self.option == "--max" else figure >= self.limit


def known(grids: Iterable[Grid]) -> set[str]:
    """The names that bounds can have."""
    return {
        name
        for grid in grids
        for cell in grid.cells
        for column in grid.columns
        for name in grid.gates(cell, column)
    }


def verdicts(bounds: Iterable[Bound], grids: list[Grid]) -> list[tuple[bool, str]]:
    """For every bound whether it holds, and a line that says so with the figures."""
    return [verdict(bound, grids) for bound in bounds]


def verdict(bound: Bound, grids: list[Grid]) -> tuple[bool, str]:
    """Whether it holds everywhere, and a line about where it does not."""
    found = dict(figures(bound.name, grids))
    broken = {
        where: figure
        for where, figure in found.items()
        if figure is None or not bound.holds(figure)
    }
    passed = bool(found) and not broken
    state = "ok" if passed else "BROKEN"
    told = told_figures(broken or found)
    return passed, f"{state}: {bound.option} {bound.name}={bound.limit:g}: {told or 'no figure'}"


def told_figures(found: Mapping[str, float | None]) -> str:
    return ", ".join(
        f"{where} {'not measured' if figure is None else f'{figure:.2f}'}"
        for where, figure in found.items()
    )


def figures(name: str, grids: Iterable[Grid]) -> Iterator[tuple[str, float | None]]:
    """Every figure of polyroute's that goes by that name, and where it stands."""
    for grid in grids:
        for cell in grid.cells:
            if cell.peer.partition("@")[0] != SUBJECT:
                continue
            for column in grid.columns:
                if name in grid.gates(cell, column):
                    yield f"{cell.case.label} {cell.row}", figure(grid, cell, column)


def figure(grid: Grid, cell: Cell, column: Column) -> float | None:
    """What a bound applies to: a median, by the column's comparison."""
    judged_alone = grid.versus(column) == "itself"
    spread = (
        grid.value(cell, column) if judged_alone else grid.compared(cell, column, grid.baselines[0])
    )
    return spread.median if spread else None
