"""Scene 1: one alias, several wire formats, and every strategy in turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from .fleet import ANSWER
from .show import bar

if TYPE_CHECKING:
    from ...router import Router
    from ..terminal import Row
    from .show import Show

WORKERS = 3
"""Calls that run at the same time while load is balanced."""


async def balancing(show: Show) -> None:
    """The same calls, spread by one strategy after the other."""
    members = show.fleet.smart
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
            async with show.fleet.router(strategy) as router:
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
            if answer.choices[0].message.content == ANSWER and answer.route is not None:
                count[answer.route.served_by or ""] += 1

    await asyncio.gather(*(work() for _ in range(WORKERS)))


def check_balance(show: Show, counts: dict[str, Counter[str]], calls: int) -> None:
    """Every strategy did what it promises."""
    members = show.fleet.smart
    total = sum(count.total() for count in counts.values())
    show.check(
        "every call got the right answer, whatever the wire format",
        total == calls * len(counts),
        f"{total} of {calls * len(counts)}",
    )
    shares = [counts["round-robin"][member.id] for member in members]
    show.check("round-robin gives everybody the same share", max(shares) - min(shares) <= 1)
    cheapest = min(members, key=lambda member: member.price_in).id
    favourite = counts["cost-weighted"].most_common(1)[0]
    show.check("cost-weighted prefers the cheapest", favourite[0] == cheapest, favourite[0])
    if members[0].latency:
        fastest = min(members, key=lambda member: member.latency).id
        favourites = {
            counts[name].most_common(1)[0][0] for name in ("lowest-latency", "least-busy")
        }
        show.check(
            "lowest-latency and least-busy prefer the fastest",
            favourites == {fastest},
            ", ".join(favourites),
        )
