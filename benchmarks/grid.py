"""
What a measure fills in: cases of rows of cells, each taken once in every round.

    Grid ── cells: [Cell ── case, peer, row, take(seconds) → sample]
         ├─ columns: which figures of a sample are shown, and which of them compared
         └─ baselines: the rows that the others' ratios refer to

The cells of one case are taken one after the other, in an order that every round shuffles, and a
ratio is formed within each round: what else the machine does hits both sides of it alike.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal, Protocol

from .remote import MeasureFailedError

if TYPE_CHECKING:
    import random

Sample = dict[str, float]

Versus = Literal["ratio", "added", "itself"]
"""How a figure is judged: over the baseline's, by what it has more, or as it is."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of the samples.

    Attributes:
        key: its name in a sample.
        heading: its name in the table, with the unit.
        digits: decimal places.
        gate: appended to the measure's name it makes the name of a gate; None: not compared.
        versus: what the gate compares it with.
    """

    key: str
    heading: str
    digits: int = 0
    gate: str | None = None
    versus: Versus = "ratio"


@dataclass(frozen=True, slots=True)
class Case:
    """One situation that all rows are put in; `gate` tells it apart in the name of a gate."""

    label: str
    gate: str = ""


class Take(Protocol):
    """Takes one sample."""

    def __call__(self, *, seconds: float) -> Sample:
        """Measure for about so many seconds.

        Raises:
            MeasureFailedError: it cannot be measured.
        """
        ...


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of one case, and the peer that it is about."""

    case: Case
    peer: str
    row: str
    take: Take


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of what the rounds gave, and the extremes."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(slots=True)
class Grid:
    """A measure's cells and what they gave.

    Attributes:
        name: the measure's name.
        title: what it measures, in a sentence.
        headings: of the column of cases and of the column of rows.
        fresh: every visit has a process of its own: there is nothing to warm up.
        most_rounds: visits that a long measure is limited to.
        samples: by cell, one for each round.
        failures: by cell, why it could not be measured; such a cell has no figures.
    """

    name: str
    title: str
    headings: tuple[str, str]
    columns: tuple[Column, ...]
    cells: list[Cell]
    baselines: tuple[str, ...] = ()
    fresh: bool = False
    most_rounds: int | None = None
    samples: dict[Cell, list[Sample]] = field(default_factory=dict)
    failures: dict[Cell, str] = field(default_factory=dict)

    def run(self, *, rounds: int, seconds: float, rng: random.Random) -> None:
        """Warm every cell up by an extra visit, then fill it in."""
        for cell in () if self.fresh else self.cells:
            self._take(cell, seconds)
        self.samples = {cell: [] for cell in self.cells}
        for _ in range(min(rounds, self.most_rounds or rounds)):
            for _, cells in groupby(self.cells, key=lambda cell: cell.case):
                rivals = list(cells)
                for cell in rng.sample(rivals, k=len(rivals)):
                    self._take(cell, seconds)

    def _take(self, cell: Cell, seconds: float) -> None:
        if cell in self.failures:
            return
        try:
            self.samples.setdefault(cell, []).append(cell.take(seconds=seconds))
        except MeasureFailedError as error:
            self.failures[cell] = str(error)

    def value(self, cell: Cell, column: Column) -> Spread | None:
        """The figure itself; None for a cell that failed."""
        if cell in self.failures:
            return None
        return Spread.of([sample[column.key] for sample in self.samples[cell]])

    def versus(self, column: Column) -> Versus:
        """How a column is judged here: without a baseline there is only the figure itself."""
        return column.versus if self.baselines else "itself"

    def compared(self, cell: Cell, column: Column, baseline: str) -> Spread | None:
        """The figure over (or minus) the baseline's in the same case and round."""
        floor = next(
            (each for each in self.cells if each.case == cell.case and each.row == baseline), None
        )
        if floor is None or cell in self.failures or floor in self.failures:
            return None
        pairs = [
            (sample[column.key], base[column.key])
            for sample, base in zip(self.samples[cell], self.samples[floor], strict=True)
        ]
        if self.versus(column) == "added":
            return Spread.of([figure - base for figure, base in pairs])
        return Spread.of([figure / base for figure, base in pairs])

    def gates(self, cell: Cell, column: Column) -> set[str]:
        """The names under which `--max` and `--min` know this figure."""
        if column.gate is None:
            return set()
        return {self.name + column.gate, self.name + cell.case.gate + column.gate}
