"""What it costs a router to choose a deployment, no call made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..grid import Case, Cell, Column, Grid

if TYPE_CHECKING:
    from ..grid import Sample
    from ..remote import RemotePeer
    from .bench import Bench

SLICE = 0.2
"""One size takes this share of a cell's time."""


def choice(bench: Bench) -> Grid:
    """CPU per choice. A floor to compare with does not exist: gates bound the figure itself."""
    url = bench.upstream.url("choice")
    return Grid(
        name="choice",
        title="A router's choice alone, CPU µs, by number of deployments",
        headings=("strategy", "router"),
        columns=(
            *(
                Column(str(size), f"{size:,}", digits=1, gate=str(size))
                for size in bench.pace.sizes
            ),
            Column("growth", "the last over the one before", digits=2, gate="-growth"),
        ),
        cells=[
            Cell(
                Case(strategy),
                peer.label,
                peer.label,
                partial(take, peer, url=url, strategy=strategy, sizes=bench.pace.sizes),
            )
            for strategy in dict.fromkeys(name for peer in bench.peers for name in peer.strategies)
            for peer in bench.peers
            if strategy in peer.strategies
        ],
    )


def take(
    peer: RemotePeer, *, seconds: float, url: str, strategy: str, sizes: tuple[int, ...]
) -> Sample:
    """Every size in turn, in one cell."""
    sample = peer.ask("choices", url=url, seconds=seconds * SLICE, strategy=strategy, sizes=sizes)
    before, last = (sample[str(size)] for size in sizes[-2:])
    return sample | {"growth": last / before}
