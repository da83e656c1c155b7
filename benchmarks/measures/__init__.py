"""
What is measured: one small module per measure, each making a :class:`~benchmarks.grid.Grid`.

    call         one call at a time, at no server latency: what a client adds
    throughput   calls per second on one core with 1, 64 and 512 in flight
    stream       CPU per streamed chunk: 64 streams of 200 chunks, one of 2,000
    choice       a router's choice alone, by strategy and number of deployments
    import       a fresh interpreter's time and memory for the import

To add one, write a function that takes a :class:`Bench` and returns a grid, and name it below; a
new kind of load goes into `load.py` and `worker.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call import call
from .choice import choice
from .imports import imports
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
    "choice": choice,
    "import": imports,
}
