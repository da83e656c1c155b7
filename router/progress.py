"""A bar that shows how far a batch is, for somebody who watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress_bar(total: int, *, shown: bool) -> Iterator[Callable[[], object]]:
    """What to call whenever one more is done; draws on a terminal only, by rich or tqdm.

    Raises:
        ConfigurationError: there is a terminal, but neither of them is installed.
    """
    if not shown or not sys.stderr.isatty():
        yield lambda: None
        return
    try:
        console, bars = import_module("rich.console"), import_module("rich.progress")
    except ImportError:
        with _tqdm_bar(total) as advance:
            yield advance
        return
    columns = (*bars.Progress.get_default_columns(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, console=console.Console(stderr=True)) as progress:
        task = progress.add_task("answers", total=total)
        yield lambda: progress.advance(task)


@contextmanager
def _tqdm_bar(total: int) -> Iterator[Callable[[], object]]:
    try:
        tqdm = import_module("tqdm")
    except ImportError:
        raise ConfigurationError(
            "progress=True needs rich or tqdm: pip install polyroute[cli]"
        ) from None
    with tqdm.tqdm(total=total, desc="answers") as bar:
        yield bar.update
