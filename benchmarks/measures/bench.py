"""What a measure has to work with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ..grid import Cell

if TYPE_CHECKING:
    from ..grid import Case
    from ..pace import Pace
    from ..remote import RemotePeer
    from ..upstream import Upstream


@dataclass(frozen=True, slots=True)
class Bench:
    """Peers and an upstream, running.

    Attributes:
        peers: those that can run here, the baseline first.
        upstream: the model API they call.
        pace: the size of the run.
    """

    peers: tuple[RemotePeer, ...]
    upstream: Upstream
    pace: Pace

    def cells(self, case: Case, operation: str, *, scenario: str, **arguments: int) -> list[Cell]:
        """A cell for every peer, doing the same.

        A scenario has clients of its own. What the upstream does not know in its name only tells
        it apart, so that no measure inherits another's pool of connections.
        """
        url = self.upstream.url(scenario)
        return [
            Cell(case, peer.label, peer.label, partial(peer.ask, operation, url=url, **arguments))
            for peer in self.peers
        ]
