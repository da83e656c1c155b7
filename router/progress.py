"""A bar that shows how far a batch is, for somebody who watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
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
        from rich.console import Console  # noqa: PLC0415  an extra
        from rich.progress import MofNCompleteColumn, Progress  # noqa: PLC0415
    except ImportError:
        with _tqdm_bar(total) as advance:
            yield advance
        return
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("answers", total=total)
        yield lambda: progress.advance(task)


@contextmanager
def _tqdm_bar(total: int) -> Iterator[Callable[[], object]]:
    try:
        from tqdm import tqdm  # noqa: PLC0415  an extra
    except ImportError:
        raise ConfigurationError(
            "progress=True needs rich or tqdm: pip install polyroute[cli]"
        ) from None
    with tqdm(total=total, desc="answers") as bar:
        yield bar.update
