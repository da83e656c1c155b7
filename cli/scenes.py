"""
The scenes of the demonstration, in order. Each shows something and checks that it was so.

    balancing   one alias, several wire formats, every strategy
    death       an upstream dies under traffic and comes back
    retries     the only deployment of an alias fails for a moment
    fallback    a whole group is down
    streaming   an answer arrives piece by piece
    closing     calls, successes, latencies and costs of everything above
"""

from __future__ import annotations

import asyncio
from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from ..exceptions import StreamInterruptedError
from .fleet import LoopbackFleet, fleet_router, smart
from .show import (
    answered,
    attempt_line,
    bar,
    duration,
    milliseconds,
    route_line,
    state_line,
)
from .terminal import BAD, FAINT

if TYPE_CHECKING:
    from ..router import Router
    from ..schemas import Attempt, Route
    from .show import Show
    from .terminal import Row

WORKERS = 3
"""Calls that run at the same time while load is balanced."""


async def balancing(show: Show) -> None:
    """The same calls, spread by one strategy after the other."""
    members = smart(show.fleet)
    calls = show.some(30, 12)
    show.screen.heading(
        "1  Load balancing",
        f"The alias 'smart' is served by {len(members)} deployments. {calls} calls, "
        f"{WORKERS} at a time, under each strategy.",
    )
    counts: dict[str, Counter[str]] = {}

    def rows() -> list[Row]:
        return [
            [[strategy], *(bar(count[member.id], calls) for member in members)]
            for strategy, count in counts.items()
        ]

    columns = ["strategy", *(f"{member.id} · {member.speaks}" for member in members)]
    with show.screen.live(columns, rows):
        for strategy in ("round-robin", "least-busy", "lowest-latency", "cost-weighted"):
            async with fleet_router(show.fleet, strategy) as router:
                counts[strategy] = Counter()
                await spread(show, router, calls, counts[strategy])
            await show.pause(0.3)
    check_balance(show, counts, calls)


async def spread(show: Show, router: Router, calls: int, count: Counter[str]) -> None:
    """Make calls from a few workers and count who answered."""
    left = iter(range(calls))

    async def work() -> None:
        for _ in left:
            answer = await show.ask(router, "smart")
            if answer.choices[0].message.content == show.fleet.answer and answer.route is not None:
                count[answer.route.served_by or ""] += 1

    await asyncio.gather(*(work() for _ in range(WORKERS)))


def check_balance(show: Show, counts: dict[str, Counter[str]], calls: int) -> None:
    """Every strategy did what it promises."""
    members = smart(show.fleet)
    formats = ", ".join(sorted({member.speaks for member in members}))
    total = sum(count.total() for count in counts.values())
    show.check(
        f"every call got the right answer, in OpenAI's shape, from {formats}",
        total == calls * len(counts),
        f"{total} of {calls * len(counts)}",
    )
    shares = [counts["round-robin"][member.id] for member in members]
    show.check("round-robin gives everybody the same share", max(shares) - min(shares) <= 1, shares)
    cheapest = min(members, key=lambda member: member.price_in).id
    favourite = counts["cost-weighted"].most_common(1)[0]
    show.check("cost-weighted prefers the cheapest", favourite[0] == cheapest, favourite[0])
    if members[0].latency:
        fastest = min(members, key=lambda member: member.latency).id
        favourites = {counts[name].most_common(1)[0][0] for name in ("lowest-latency", "least-busy")}
        show.check(
            "lowest-latency and least-busy prefer the fastest",
            favourites == {fastest},
            ", ".join(favourites),
        )


async def death(show: Show, router: Router) -> None:
    """Steady traffic while one upstream dies and comes back."""
    victim = smart(show.fleet)[0].id
    show.screen.heading(
        "2  An upstream dies",
        f"Calls keep coming while {victim} is killed and, later, started again.",
    )
    calls = Traffic(show, router)
    with show.screen.live(*status_table(router)):
        await calls.run(12)
        show.fleet.kill(victim)
        show.screen.say((f"  {victim} is dead: its port is closed", f"bold {BAD}"))
        await calls.run(24)
        rested = state(router, victim) != "closed"
        await show.fleet.revive(victim)
        show.screen.say((f"  {victim} is back", "bold green"))
        back = await calls.until_served_by(victim)
    show.check("no caller noticed", calls.failed == 0, f"{calls.made} calls, {calls.failed} failed")
    refused = [attempt for attempt in show.attempts[victim] if attempt.outcome == "failed"]
    show.check("attempts that failed were repeated on a sibling", bool(refused), f"{len(refused)}")
    show.check(f"{victim} was given a rest instead of more calls", rested and len(refused) < 12)
    show.check(f"one probe found out that {victim} is back", back)


class Traffic:
    """Calls that start at regular intervals, whether or not earlier ones have ended."""

    def __init__(self, show: Show, router: Router) -> None:
        self._show = show
        self._router = router
        self.made = 0
        self.failed = 0

    async def run(self, calls: int) -> None:
        """Start some calls and wait for all of them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._show.some(calls, 6)):
                group.create_task(self._call())
                await asyncio.sleep(0.1)

    async def until_served_by(self, id: str) -> bool:
        """Go on until a deployment answers again; False if it does not within 8 seconds."""
        try:
            async with asyncio.timeout(8):
                while await self._call() != id:
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return False
        return True

    async def _call(self) -> str | None:
        self.made += 1
        answer = await self._show.ask(self._router, "smart")
        route = answer.route
        if answer.choices[0].message.content != self._show.fleet.answer or route is None:
            self.failed += 1
            return None
        if len(route.attempts) > 1:
            self._show.screen.say((f"  call {self.made}: ", FAINT), *route_line(route))
        return route.served_by


def status_table(router: Router):  # type: ignore[no-untyped-def]
    """Columns and rows of what a Router knows of its deployments."""

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
    return next(stats["state"] for stats in router.stats() if stats["id"] == id)
