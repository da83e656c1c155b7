"""What commands show in a terminal, drawn by rich."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from .terminal import Piece, Row


class RichScreen:
    """Colours, rules and tables that move."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._column = 0

    def heading(self, title: str, explanation: str = "") -> None:
        """See :meth:`Screen.heading`."""
        self._console.print()
        self._console.rule(Text(title, "bold cyan"), align="left", style="cyan")
        if explanation:
            self._console.print(Text(explanation, "bright_black"))

    def say(self, *pieces: Piece) -> None:
        """See :meth:`Screen.say`."""
        self._column = 0
        self._console.print(Text.assemble(*pieces))

    def type(self, text: str) -> None:
        """See :meth:`Screen.type`: words are kept whole at the edge of the terminal."""
        if self._column + len(text) > self._console.width:
            text, self._column = f"\n  {text.lstrip()}", 0
        self._column += len(text.rpartition("\n")[2])
        self._console.print(Text(text), end="", soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """See :meth:`Screen.table`."""
        self._console.print(drawn(columns, rows))

    @contextmanager
    def live(
        self, columns: Sequence[str], rows: Callable[[], Sequence[Row]]
    ) -> Generator[None, None, None]:
        """See :meth:`Screen.live`."""
        with Live(
            console=self._console,
            get_renderable=lambda: drawn(columns, rows()),
            refresh_per_second=12,
        ):
            yield


def drawn(columns: Sequence[str], rows: Sequence[Row]) -> Padding:
    """A table with room around it."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, collapse_padding=True)
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*(Text.assemble(*cell) for cell in row))
    return Padding(table, (0, 0, 0, 2))
