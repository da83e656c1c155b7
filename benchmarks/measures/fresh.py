"""Cells that take a new process for every visit: for memory, which a process never quite frees."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from ..grid import Cell
from ..remote import MeasureFailedError, RemotePeer

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..grid import Case, Sample
    from .bench import Bench

PATIENCE = 1_800
"""Seconds that a peer may take: a million calls of a slow one."""


def cells(bench: Bench, case: Case, operation: str, *, scenario: str, **load: Any) -> list[Cell]:
    """A cell for every peer, doing the same, each time in a process of its own."""
    url = bench.upstream.url(scenario)
    return [
        Cell(case, peer.label, peer.label, partial(take, peer, operation, url=url, **load))
        for peer in bench.peers
    ]


def take(peer: RemotePeer, operation: str, *, seconds: float, **arguments: Any) -> Sample:
    """One sample; how long that takes is the question, so no pace can be set."""
    del seconds
    with another(peer) as worker:
        return worker.ask(operation, patience=PATIENCE, **arguments)


@contextmanager
def another(peer: RemotePeer) -> Generator[RemotePeer, None, None]:
    """A second process of a peer's, with the memory allocator as it comes."""
    worker = RemotePeer(peer.settings, environment={})
    try:
        if worker.missing:
            raise MeasureFailedError(worker.missing)
        yield worker
    finally:
        worker.stop()
