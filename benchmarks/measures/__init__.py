"""
What is measured: one small module per measure, each making a :class:`~benchmarks.grid.Grid`.

    call         one call at a time, at no server latency: what a client adds
    throughput   calls per second on one core with 1, 64 and 512 in flight
    stream       CPU per streamed chunk: 64 streams of 200 chunks, one of 2,000
    paced        CPU per chunk that comes in a write of its own
    first        time to the first chunk
    choice       a router's choice alone, by strategy and number of deployments
    import       a fresh interpreter's time and memory for the import
    burst        5,000 calls at once: time, peak of memory
    memory       what 50,000 calls leave behind
    crowd        10,000 streams open at once: memory, the loop's lag
    backlog      a reader that stops while the upstream goes on

To add one, write a function that takes a :class:`Bench` and returns a grid, and name it below; a
new kind of load goes into `load.py` or `heavy.py`, and into `worker.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .burst import burst
from .call import call
from .choice import choice
from .crowd import backlog, crowd
from .imports import imports
from .memory import memory
from .paced import first, paced
from .stream import stream
from .throughput import throughput

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..grid import Grid
    from .bench import Bench

MEASURES: dict[str, Callable[[Bench], Grid]] = {
    "call": call,
    "throughput": throughput,
    "stream": stream,
    "paced": paced,
    "first": first,
    "choice": choice,
    "import": imports,
    "burst": burst,
    "memory": memory,
    "crowd": crowd,
    "backlog": backlog,
}

USUAL = ("call", "throughput", "stream", "paced", "first", "choice", "import")
"""Those that take seconds, not minutes."""
