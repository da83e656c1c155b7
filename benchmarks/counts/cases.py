"""
What is done while steps are counted.

    call      one call, 100 deployments; a bare aiohttp session's beside it
    stream    one content chunk, written alone or 50 at once; opening and ending a stream apart
    choice    one choice among 10 to 10,000 deployments, with the books that it opens
    import    `import polyroute`, and what the first Router loads

Everything has been done often enough before that it costs what it will always cost.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

from ..load import EXPECTED, MESSAGES, WrongAnswerError
from ..peers import Setup
from . import counters
from .offline import OfflineLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..peers import Client

Figures = dict[str, float]

ALL = "all "
"""Before the name of a figure that has the steps of all code, dependencies' included."""

DEPLOYMENTS = 100
UNITS = 100
"""Calls or choices that a figure is the mean of."""

WARM = 300
"""Calls before steps are counted."""

SETTLED = 3_000
"""Calls before memory is looked at: books and caches have their size by then."""

BLOCK_CALLS = 1_000
FEW, MANY = 200, 600
"""Chunks of two streams; their difference is what chunks alone cost."""

URL = "http://127.0.0.1:1/{}/v1"


def call() -> Figures:
    """A call of the Router's: its steps, and the blocks of memory that 1,000 calls leave."""
    loop, client = polyroute_client("c1", DEPLOYMENTS)
    calls(loop, client, WARM)
    figures = per_unit(lambda: calls(loop, client, UNITS))
    calls(loop, client, SETTLED)
    figures["blocks"] = counters.blocks_left(lambda: calls(loop, client, BLOCK_CALLS))
    return figures


def bare_call() -> Figures:
    """The same call by a bare aiohttp session: what of the steps would be there anyhow."""
    loop = OfflineLoop()
    client = bare_client("c1", loop)
    calls(loop, client, WARM)
    figures = per_unit(lambda: calls(loop, client, UNITS))
    loop.run_until_complete(client.session.close())
    return figures


def chunk(per_write: int) -> Figures:
    """A content chunk of a stream that comes with so many in each write."""
    loop, few = polyroute_client(f"n{FEW}-b{per_write}-d1", DEPLOYMENTS)
    _, many = polyroute_client(f"n{MANY}-b{per_write}-d1", DEPLOYMENTS, loop)
    return per_chunk(loop, few, many)


def bare_chunk(per_write: int) -> Figures:
    """The same by a bare aiohttp session, line by line."""
    loop = OfflineLoop()
    few = bare_client(f"n{FEW}-b{per_write}-d1", loop)
    many = bare_client(f"n{MANY}-b{per_write}-d1", loop)
    figures = per_chunk(loop, few, many)
    for client in (few, many):
        loop.run_until_complete(client.session.close())
    return figures


def stream() -> Figures:
    """A whole stream of one content chunk: what opening and ending one takes."""
    loop, client = polyroute_client("n1", DEPLOYMENTS)

    def work(count: int) -> None:
        for _ in range(count):
            streams(loop, client, 1)

    work(WARM)
    figures = per_unit(lambda: work(UNITS))
    work(SETTLED)
    figures["blocks"] = counters.blocks_left(lambda: work(BLOCK_CALLS))
    return figures


def choice(deployments: int) -> Figures:
    """A choice among so many deployments, some of which have answered before."""
    from ..peers.polyroute import choose  # noqa: PLC0415  a peer is loaded where it is measured

    loop, client = polyroute_client("c1", deployments)
    calls(loop, client, WARM)
    choose(client.router, WARM)
    return per_unit(lambda: choose(client.router, UNITS))


def first_import(statement: str) -> Figures:
    """A statement in this fresh interpreter: polyroute's own steps and modules."""
    steps = BYTECODES(lambda: exec(statement, {}))
    modules = sum(name.partition(".")[0] == "polyroute" for name in sys.modules)
    return {"bytecodes": steps.own, "modules": modules}


BYTECODES = counters.Bytecodes()
COUNTERS: dict[str, counters.Counter] = {"bytecodes": BYTECODES, "calls": counters.Calls()}

CASES: dict[str, Callable[[], Figures]] = {
    "call": call,
    "call, bare aiohttp": bare_call,
    "chunk, one per write": lambda: chunk(1),
    "chunk, one per write, bare aiohttp": lambda: bare_chunk(1),
    "chunk, 50 per write": lambda: chunk(50),
    "chunk, 50 per write, bare aiohttp": lambda: bare_chunk(50),
    "stream of one chunk": stream,
    "choice among 10": lambda: choice(10),
    "choice among 100": lambda: choice(100),
    "choice among 1,000": lambda: choice(1_000),
    "choice among 10,000": lambda: choice(10_000),
    "import polyroute": lambda: first_import("import polyroute"),
    "first Router": lambda: first_import("import polyroute; polyroute.Router()"),
}


def per_unit(work: Callable[[], object]) -> Figures:
    """The figures of one unit of the work's."""
    figures: Figures = {}
    for name, counter in COUNTERS.items():
        figures |= named(name, counter(work), UNITS)
    return figures


def per_chunk(loop: OfflineLoop, few: Client, many: Client) -> Figures:
    """The figures of one chunk: a long stream's minus a short one's."""
    for _ in range(WARM // 100):
        streams(loop, few, FEW)
        streams(loop, many, MANY)
    figures: Figures = {}
    for name, counter in COUNTERS.items():
        longer = counter(lambda: streams(loop, many, MANY))
        steps = longer - counter(lambda: streams(loop, few, FEW))
        figures |= named(name, steps, MANY - FEW)
    return figures


def named(name: str, steps: counters.Steps, units: int) -> Figures:
    """The steps of one unit, polyroute's own and all there were."""
    return {name: round(steps.own / units, 2), ALL + name: round(steps.all / units, 2)}


def polyroute_client(
    scenario: str, deployments: int, loop: OfflineLoop | None = None
) -> tuple[OfflineLoop, Any]:
    """A Router whose chance and time are the test's own."""
    from ..peers.polyroute import Client  # noqa: PLC0415  the import is a case of its own

    loop = loop or OfflineLoop()
    setup = Setup(URL.format(scenario), deployments, None)
    return loop, Client(setup, clock=loop.time, rng=random.Random(1))


def bare_client(scenario: str, loop: OfflineLoop) -> Any:
    """A bare session; whoever asks for it closes it."""
    from ..peers import bare_aiohttp  # noqa: PLC0415  a peer is loaded where it is measured

    async def make() -> bare_aiohttp.Client:
        return bare_aiohttp.Client(Setup(URL.format(scenario), 1, None))

    return loop.run_until_complete(make())


def calls(loop: OfflineLoop, client: Client, count: int) -> None:
    """One call after the other."""

    async def work() -> None:
        for _ in range(count):
            text = await client.call(MESSAGES)
            if text != EXPECTED:
                raise WrongAnswerError(f"expected {EXPECTED!r}, got {text!r}")

    loop.run_until_complete(work())


def streams(loop: OfflineLoop, client: Client, chunks: int) -> None:
    """One stream, read to its end."""

    async def work() -> None:
        count = 0
        async for piece in await client.stream(MESSAGES):
            count += bool(client.text(piece))
        if count != chunks:
            raise WrongAnswerError(f"expected {chunks} chunks, got {count}")

    loop.run_until_complete(work())
