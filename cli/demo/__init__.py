"""A fleet on the loopback: load is balanced, servers die, and every call is answered.

    fleet       the deployments: upstreams with scripted answers, or real inference servers
    show        the screen, the books, the claims
    balancing, outage, recovery, streaming, closing    the scenes

Every scene checks what it claims; a claim that is not true makes the command fail.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from ..terminal import screen
from .balancing import balancing
from .closing import closing
from .fleet import llama_fleet, loopback_fleet
from .outage import outage
from .recovery import fallback, retries
from .show import Show
from .streaming import streaming

if TYPE_CHECKING:
    import argparse

LIMIT = 90.0
"""Seconds after which something hangs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "--real", action="store_true", help="use real inference servers (the extra 'real')"
    )
    parser.add_argument("--fast", action="store_true", help="fewer calls, no pauses")


def run(arguments: argparse.Namespace) -> int:
    """Give the show; 0 if everything was as claimed."""
    fleet = llama_fleet() if arguments.real else loopback_fleet()
    show = Show(screen(), fleet, pace=0.2 if arguments.fast else 1.0)
    started = time.monotonic()
    try:
        asyncio.run(asyncio.wait_for(give(show), LIMIT))
    except TimeoutError:
        show.screen.say(f"\nThe show has not ended within {LIMIT:g} s: something hangs.")
        return 1
    seconds = time.monotonic() - started
    if show.broken:
        show.screen.say(f"\n{len(show.broken)} of the claims above are not true.")
        return 1
    show.screen.say(f"\nEverything was as claimed. {seconds:.0f} s.")
    return 0


async def give(show: Show) -> None:
    """All scenes in order."""
    show.screen.heading("polyroute demo", show.fleet.introduction)
    async with show.fleet:
        await show.pause(1)
        await balancing(show)
        await show.pause(0.5)
        async with show.fleet.router() as router:
            for scene in (outage, retries, fallback):
                await scene(show, router)
                await show.pause(0.7)
        async with show.fleet.router() as router:
            await streaming(show, router)
        await show.pause(0.5)
        closing(show)
