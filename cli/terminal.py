"""
What commands show, with rich in a terminal and as plain text everywhere else.

A line is made of pieces, either text or ``(text, style)``; a table is rows of such lines.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from contextlib import AbstractContextManager

Piece = str | tuple[str, str]
Line = list[Piece]
"""Pieces of text; the second part of a pair is a style of rich's, such as ``bold red``."""
Row = list[Line]

GOOD, BAD, FAINT = "green", "red", "bright_black"


class Screen(Protocol):
    """Where commands show things."""

    def heading(self, title: str, explanation: str = "") -> None:
        """Begin a section."""
        ...

    def say(self, *pieces: Piece) -> None:
        """Show a line."""
        ...

    def type(self, text: str) -> None:
        """Show text that goes on, as a stream delivers it."""
        ...

    def table(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Show a table."""
        ...

    def live(
        self, columns: Sequence[str], rows: Callable[[], Sequence[Row]]
    ) -> AbstractContextManager[None]:
        """Keep a table up to date while the block runs; what is said meanwhile stands above it."""
        ...


def screen() -> Screen:
    """The best there is for standard output."""
    if sys.stdout.isatty() and find_spec("rich") is not None:
        from .rich_screen import RichScreen  # noqa: PLC0415  rich is an extra

        return RichScreen()
    return PlainScreen()


def text_of(line: Line) -> str:
    """A line without its styles."""
    return "".join(piece if isinstance(piece, str) else piece[0] for piece in line)


class PlainScreen:
    """Text without colours, in the order in which things happen."""

    def heading(self, title: str, explanation: str = "") -> None:
        """See :meth:`Screen.heading`."""
        print(f"\n== {title} ==")
        if explanation:
            print(explanation)
        sys.stdout.flush()

    def say(self, *pieces: Piece) -> None:
        """See :meth:`Screen.say`."""
        print(text_of(list(pieces)), flush=True)

    def type(self, text: str) -> None:
        """See :meth:`Screen.type`."""
        print(text, end="", flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See :meth:`Screen.table`."""
        cells = [list(columns), *([text_of(cell) for cell in row] for row in rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(columns))]
        for row in cells:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print(f"  {'  '.join(padded)}".rstrip())
        sys.stdout.flush()

    @contextmanager
    def live(
        self, columns: Sequence[str], rows: Callable[[], Sequence[Row]]
    ) -> Generator[None, None, None]:
        """See :meth:`Screen.live`: only the last state is shown."""
        yield
        self.table(columns, rows())
