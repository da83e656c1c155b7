"""What the scenes of a demonstration share: the screen, the books, and claims that are checked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ...exceptions import APIError
from ..terminal import BAD, FAINT, GOOD
from .fleet import PROMPT, STORY_PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...router import ChatStream, Router
    from ...schemas import Attempt, ChatCompletion, Route
    from ..terminal import Line, Screen
    from .fleet import Fleet

STATES: dict[str, tuple[str, str]] = {
    "closed": ("● in use", GOOD),
    "half_open": ("◐ probed", "yellow"),
    "open": ("○ resting", BAD),
}


class Show:
    """One demonstration.

    Attributes:
        pace: 1 is made for people; less is quicker.
        attempts: everything that was asked of a deployment, from the routes of all calls.
        broken: claims that turned out false.
    """

    def __init__(self, screen: Screen, fleet: Fleet, pace: float) -> None:
        self.screen = screen
        self.fleet = fleet
        self.pace = pace
        self.attempts: dict[str, list[Attempt]] = {member.id: [] for member in fleet.members}
        self.broken: list[str] = []

    async def pause(self, seconds: float) -> None:
        """Give the reader time."""
        await asyncio.sleep(seconds * self.pace)

    def some(self, count: int, least: int) -> int:
        """How many calls to make: fewer in a quick show."""
        return max(least, round(count * min(1.0, self.pace)))

    async def ask(self, router: Router, model: str, **options: Any) -> ChatCompletion:
        """Make one call and put it on the books.

        Raises:
            APIError: there was no answer.
        """
        messages = [{"role": "user", "content": PROMPT}]
        try:
            answer: ChatCompletion = await router.acompletion(model, messages, **options)
        except APIError as error:
            self.record(error.route)
            raise
        self.record(answer.route)
        return answer

    async def tell(self, router: Router, model: str) -> ChatStream:
        """Begin a story as a stream; its route goes on the books by :meth:`record`."""
        messages = [{"role": "user", "content": STORY_PROMPT}]
        return await router.acompletion(model, messages, stream=True)

    def record(self, route: Route | None) -> None:
        """Put the attempts of a call on the books."""
        for attempt in route.attempts if route is not None else ():
            self.attempts[attempt.deployment_id].append(attempt)

    def check(self, claim: str, truth: bool, seen: object = "") -> None:
        """Show a claim and whether it is true; a false one fails the whole demonstration."""
        if truth:
            self.screen.say(("  ✓ ", GOOD), claim, *([(f"  ({seen})", FAINT)] if seen else []))
        else:
            self.broken.append(claim)
            self.screen.say(("  ✗ ", f"bold {BAD}"), (claim, BAD), f"  (saw: {seen})")


def route_line(route: Route) -> Line:
    """A route as one line: ``east ✗ 503 → west ✓ 81 ms``."""
    line: Line = []
    for attempt in route.attempts:
        if line:
            line.append((" → ", FAINT))
        line += attempt_line(attempt)
    return line


def attempt_line(attempt: Attempt) -> Line:
    """One attempt: where, and how it ended."""
    if attempt.outcome == "ok":
        return [f"{attempt.deployment_id} ", (f"✓ {milliseconds(duration(attempt))}", GOOD)]
    if attempt.status is None:
        why = "no connection"
    else:
        why = f"HTTP {attempt.status}" if attempt.status >= 300 else "the stream broke off"
    return [f"{attempt.deployment_id} ", (f"✗ {why}", BAD)]


def state_line(state: str) -> Line:
    """A circuit's state."""
    return [STATES[state]]


def duration(attempt: Attempt) -> float:
    """Seconds that an attempt took."""
    return (attempt.ended or attempt.started) - attempt.started


def milliseconds(seconds: float | None) -> str:
    """Seconds as a reader wants them."""
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"


def bar(count: int, most: int, width: int = 14) -> Line:
    """A number as a bar of blocks."""
    blocks = round(width * count / most) if most else 0
    return [("█" * max(blocks, count > 0), "cyan"), f" {count}"]


def answered(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The attempts that brought an answer."""
    return [attempt for attempt in attempts if attempt.outcome == "ok"]
