"""Scenes 3 and 4: trying again at the only deployment, and falling back to another provider."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..terminal import BAD, FAINT
from .show import attempt_line, route_line

if TYPE_CHECKING:
    from ...router import Router
    from ...schemas import ChatCompletion, Route
    from .fleet import Fleet
    from .show import Show

RETRY_AFTER = 1.0
"""Seconds that the upstream asks to be left alone."""


async def retries(show: Show, router: Router) -> None:
    """The only deployment of an alias fails for a moment."""
    upstream = show.fleet.upstreams.get("spare")
    if upstream is not None:
        show.screen.heading(
            "3  Retries",
            "'backup' has one deployment: 503, then 429 with Retry-After: 1, then an answer.",
        )
        upstream.fail(503)
        upstream.fail(429, retry_after=RETRY_AFTER)
        route = routed(await show.ask(router, "backup", num_retries=2))
        timeline(show, route)
        show.check("the third attempt was answered", len(route.attempts) == 3)
        waited = route.attempts[-1].started - (route.attempts[-2].ended or 0.0)
        kept = waited >= RETRY_AFTER * 0.99
        show.check("Retry-After was kept", kept, f"waited {waited:.2f} s")
        return
    show.screen.heading("3  Retries", "'backup' has one server. It is being restarted.")
    show.fleet.kill("spare")
    restart = asyncio.create_task(restart_later(show.fleet, 0.3))
    route = routed(await show.ask(router, "backup", num_retries=8))
    await restart
    timeline(show, route)
    show.check("the call outlived the restart", len(route.attempts) > 1)


async def restart_later(fleet: Fleet, seconds: float) -> None:
    """Bring the spare server back after a while."""
    await asyncio.sleep(seconds)
    await fleet.revive("spare")


def timeline(show: Show, route: Route) -> None:
    """Each attempt of a call with its time."""
    for attempt in route.attempts:
        show.screen.say((f"  {attempt.started:5.2f} s  ", FAINT), *attempt_line(attempt))


async def fallback(show: Show, router: Router) -> None:
    """A whole group is down."""
    show.screen.heading(
        "4  Fallback across providers",
        "Every deployment of 'smart' is down. fallbacks=[{'smart': ['backup']}]",
    )
    await take_down(show)
    route = routed(await show.ask(router, "smart"))
    show.screen.say("  ", *route_line(route))
    show.check(
        "another group answered",
        (route.served_by, route.attempts[-1].reason) == ("spare", "fallback"),
        f"asked for {route.alias!r}, served by {route.served_by}",
    )
    await asyncio.gather(*(show.fleet.revive(member.id) for member in show.fleet.smart))
    show.screen.say("  All are back.")


async def take_down(show: Show) -> None:
    """Kill the first; the others die too, or answer with errors where that can be scripted."""
    first, *others = show.fleet.smart
    show.fleet.kill(first.id)
    show.screen.say((f"  {first.id} is killed", BAD))
    for member, status in zip(others, (529, 500), strict=False):
        if member.id in show.fleet.upstreams:
            show.fleet.upstreams[member.id].fail(status)
            show.screen.say((f"  {member.id} answers {status}", BAD))
        else:
            show.fleet.kill(member.id)
            show.screen.say((f"  {member.id} is killed", BAD))
    await show.pause(0.5)


def routed(answer: ChatCompletion) -> Route:
    """How an answer came about."""
    assert answer.route is not None  # noqa: S101  every answer of a Router has one
    return answer.route
