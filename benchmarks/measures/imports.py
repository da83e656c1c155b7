"""What an import costs a fresh interpreter: time, memory, threads, sockets."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..grid import Case, Cell, Column, Grid
from ..peers import BASELINE

if TYPE_CHECKING:
    from ..grid import Sample
    from ..remote import RemotePeer
    from .bench import Bench


def imports(bench: Bench) -> Grid:
    """Every peer's statements over the baseline's: what any such library must import."""
    case = Case("cached")
    return Grid(
        name="import",
        title="Import in a fresh interpreter",
        headings=("files", "statement"),
        columns=(
            Column("wall_ms", "ms", gate=""),
            Column("cpu_ms", "CPU ms"),
            Column("modules", "modules"),
            Column("resident_mb", "RSS MB"),
            Column("threads", "threads"),
            Column("sockets", "sockets"),
        ),
        baselines=tuple(
            statement
            for peer in bench.peers
            if peer.label == BASELINE
            for statement in peer.imports
        ),
        cells=[
            Cell(case, peer.label, row(peer, statement), partial(take, peer, statement))
            for peer in bench.peers
            for statement in peer.imports
        ],
    )


def row(peer: RemotePeer, statement: str) -> str:
    """The statement, with the peer's label where one peer runs in several environments."""
    return statement if peer.label == peer.settings.name else f"{statement} ({peer.label})"


def take(peer: RemotePeer, statement: str, **_pace: float) -> Sample:
    """One import: how long that takes is the question, so no pace can be set."""
    return peer.probe(statement)
