"""Scene 2: an upstream dies under traffic, rests, and comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...exceptions import APIError
from ..terminal import BAD, FAINT
from .fleet import ALLOWED_FAILS, ANSWER
from .show import milliseconds, route_line, state_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...router import Router
    from ..terminal import Row
    from .show import Show

INTERVAL = 0.1
"""Seconds between two calls."""


async def outage(show: Show, router: Router) -> None:
    """Steady traffic while one upstream dies and comes back."""
    victim = show.fleet.smart[0].id
    show.screen.heading(
        "2  An upstream dies",
        f"Calls keep coming while {victim} is killed and, later, started again.",
    )
    calls = Traffic(show, router)
    with show.screen.live(*status_table(router)):
        await calls.run(9)
        show.fleet.kill(victim)
        show.screen.say((f"  {victim} is dead: its port is closed", f"bold {BAD}"))
        await calls.run(20)
        rested = state(router, victim) != "closed"
        await show.fleet.revive(victim)
        show.screen.say((f"  {victim} is back", "bold green"))
        back = await calls.until_served_by(victim)
    show.check("no caller noticed", calls.failed == 0, f"{calls.made} calls, {calls.failed} failed")
    attempts = show.attempts[victim]
    refused = sum(attempt.outcome == "failed" for attempt in attempts)
    show.check("what it refused was answered by a sibling", refused > 0, f"{refused} times")
    show.check(f"{victim} was left alone after {ALLOWED_FAILS + 1} failures", rested)
    probes = [attempt.outcome for attempt in attempts if attempt.reason == "probe"]
    show.check(
        f"a probe found {victim} back", back and "ok" in probes, " → ".join(map(str, probes))
    )


class Traffic:
    """Calls that start at regular intervals, whether or not earlier ones have ended."""

    def __init__(self, show: Show, router: Router) -> None:
        self._show = show
        self._router = router
        self.made: int = 0
        self.failed: int = 0

    async def run(self, calls: int) -> None:
        """Start some calls and wait for all of them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._show.some(calls, 9)):
                group.create_task(self._call())
                await asyncio.sleep(INTERVAL)

    async def until_served_by(self, id: str) -> bool:
        """Go on until a deployment answers again; False if it does not within some 8 seconds."""
        for _ in range(80):
            if await self._call() == id:
                return True
            await asyncio.sleep(INTERVAL)
        return False

    async def _call(self) -> str | None:
        self.made += 1
        number = self.made
        try:
            answer = await self._show.ask(self._router, "smart")
        except APIError as error:
            self.failed += 1
            self._show.screen.say((f"  call {number}: {error}", BAD))
            return None
        self.failed += answer.choices[0].message.content != ANSWER
        route = answer.route
        if route is None:
            return None
        if len(route.attempts) > 1:
            self._show.screen.say((f"  call {number:2}: ", FAINT), *route_line(route))
        return route.served_by


def status_table(router: Router) -> tuple[list[str], Callable[[], list[Row]]]:
    """Columns, and a function for the rows, of what a Router knows of its deployments."""

    def rows() -> list[Row]:
        return [
            [
                [stats["id"]],
                [stats["provider"]],
                state_line(stats["state"]),
                [f"{stats['in_flight']}"],
                [f"{stats['successes']}"],
                [(f"{stats['failures']}", BAD if stats["failures"] else FAINT)],
                [milliseconds(stats["latency"])],
            ]
            for stats in router.stats()
        ]

    return ["deployment", "speaks", "circuit", "in flight", "answered", "failed", "latency"], rows


def state(router: Router, id: str) -> str:
    """The state of a deployment's circuit."""
    return next(str(stats["state"]) for stats in router.stats() if stats["id"] == id)
