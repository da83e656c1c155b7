"""The last scene: what everything above came to, per deployment."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from ..terminal import BAD, FAINT
from .show import answered, duration, milliseconds

if TYPE_CHECKING:
    from ...schemas import Attempt
    from ..terminal import Row
    from .show import Show

COLUMNS = ("deployment", "speaks", "calls", "answered", "failed", "median", "slowest", "cost")


def closing(show: Show) -> None:
    """Calls, successes, latencies and costs of the whole show."""
    show.screen.heading("Everything that was asked", "Every attempt is on some call's route.")
    rows = [row(show, member.id, member.speaks) for member in show.fleet.members]
    everything = [attempt for attempts in show.attempts.values() for attempt in attempts]
    rows.append([[("total", "bold")], [], *figures(everything)])
    show.screen.table(COLUMNS, rows)
    show.screen.say()
    if show.fleet.upstreams:
        agree(show)


def row(show: Show, id: str, speaks: str) -> Row:
    """One deployment's line."""
    return [[id], [speaks], *figures(show.attempts[id])]


def figures(attempts: list[Attempt]) -> Row:
    """The numbers of some attempts."""
    good = answered(attempts)
    failed = len(attempts) - len(good)
    times = [duration(attempt) for attempt in good]
    cost = sum(attempt.cost or 0.0 for attempt in attempts)
    return [
        [f"{len(attempts)}"],
        [f"{len(good)}"],
        [(f"{failed}", BAD if failed else FAINT)],
        [milliseconds(median(times) if times else None)],
        [milliseconds(max(times, default=None))],
        [f"${cost:.6f}"],
    ]


def agree(show: Show) -> None:
    """The upstreams have counted too, on their side of the sockets."""
    seen = {
        id: sum(request.outcome == "answered" for request in upstream.requests)
        for id, upstream in show.fleet.upstreams.items()
    }
    claimed = {id: len(answered(attempts)) for id, attempts in show.attempts.items()}
    show.check(
        "the upstreams counted the same",
        seen == claimed,
        ", ".join(f"{id} {count}" for id, count in seen.items()),
    )
