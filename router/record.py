"""
The log of a Router's decisions: all that its core is told, and what it makes of it.

    start   the generator's state             call, enter    a call sets out, comes to a group
    choose, hedge, next                       what is decided, and what was known of whom
    begin, heard, first_token                 what happens to an attempt, by the lease's number
    succeeded, failed, overtaken, abandoned   how it ends

One line of JSON for each event. Time stands still within an event, so the log has all that the
core knew: `replay` feeds it to a fresh Router and compares. It holds no prompt, answer or key.
A Router without a log uses none of these classes.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec

from ..exceptions import APIError
from ..strategies.base import FULL_SCAN
from .decisions import Core, Wait
from .lease import Lease
from .trip import Trip

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from ..providers.limits import Remaining
    from ..schemas import Usage
    from .deployment import Deployment
    from .filters import Selection
    from .groups import Group
    from .policies import Policies

logger: logging.Logger = logging.getLogger("polyroute")

DECIDING = (
    "timeout",
    "force_timeout",
    "stream_timeout",
    "num_retries",
    "retry_policy",
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "fallback_on_bad_request",
    "hedge",
    "priority",
)
"""The options of a call that decisions depend on; tags and regions show in who is `allowed`."""


class Record:
    """Writes events, one at a time; what happens within one is a part of it.

    Args:
        write: takes each line, without its end; an exception of its is logged and goes no further.
        clock: the Router's.
        rng: the Router's, before anything has been drawn.
    """

    def __init__(
        self, write: Callable[[str], object], clock: Callable[[], float], rng: random.Random
    ) -> None:
        self._write = write
        self._clock = clock
        self._at: float | None = None
        self._queued: dict[Group, list[int]] = {}
        self.opened: list[dict[str, Any]] = []
        self.numbers: Iterator[int] = count(1)
        self._put({"at": clock(), "do": "start", "rng": rng.getstate()})

    def clock(self) -> float:
        """The seconds; within an event they stand still."""
        return self._clock() if self._at is None else self._at

    @contextmanager
    def event(self, do: str, **facts: Any) -> Iterator[dict[str, Any]]:
        """Record what happens in the ``with`` block; more facts can be added to the dictionary."""
        if self._at is not None:  # a part of another one
            yield {}
            return
        self._at = self._clock()
        line = {"at": self._at, "do": do, **facts, **self._queues()}
        try:
            yield line
        except APIError as error:
            line["raised"] = type(error).__name__
            raise
        finally:
            if self.opened:
                line["opened"], self.opened = self.opened, []
            self._queued = {group: _waiting(group) for group in self._queued}
            self._at = None
            self._put(line)

    def watch(self, group: Group) -> None:
        """Record from now on who stands in the group's queue."""
        self._queued.setdefault(group, [])

    def _queues(self) -> dict[str, Any]:
        """Who has joined a queue, and who has left it, since the last event."""
        changes: dict[str, Any] = {}
        for group, before in self._queued.items():
            if before or group.queue.waiters:
                now = _waiting(group)
                joined, left = (
                    [t for t in now if t not in before],
                    [t for t in before if t not in now],
                )
                if joined or left:
                    changes.setdefault("queues", {})[group.name] = {"joined": joined, "left": left}
        return changes

    def _put(self, line: dict[str, Any]) -> None:
        try:
            self._write(msgspec.json.encode(line, order="deterministic").decode())
        except Exception:
            logger.exception("decision_log failed; the line is lost")


def _waiting(group: Group) -> list[int]:
    """The numbers of the calls that wait, as they came."""
    waiters = sorted(group.queue.waiters, key=lambda waiter: waiter.number)
    return [cast("RecordedTrip", it.trip).number for it in waiters if not it.lease.done()]


class RecordedTrip(Trip):
    """A call whose way is recorded."""

    number: int = 0

    def __post_init__(self) -> None:
        self.number = next(self.record.numbers)
        options = {name: getattr(self.options, name) for name in DECIDING}
        with self.record.event(
            "call",
            trip=self.number,
            alias=self.route.alias,
            start=self.start,
            budget=self.budget,
            stream=self.call.stream,
            operation=self.call.operation,
            tokens=self.input_tokens,
            most=self.call.params.get("max_completion_tokens")
            or self.call.params.get("max_tokens"),
            options={name: said for name, said in options.items() if said is not None},
        ):
            pass

    @property
    def record(self) -> Record:
        """Where it is recorded."""
        return cast("RecordedCore", self.core).record

    def enter(self, group: Group, selection: Selection | None = None) -> None:
        """See :meth:`Trip.enter`."""
        with self.record.event("enter", trip=self.number, group=group.name) as line:
            super().enter(group, selection)
            known = self.selection
            if known is not None and not self.unrestricted:
                line["needs"] = known.needs and asdict(known.needs)
                line["room"] = known.tokens
                line["allowed"] = known.allowed and sorted(it.id for it in known.allowed)

    def note(self, deployment: Deployment, error: APIError, *, sent: bool) -> None:
        """See :meth:`Trip.note`."""
        with self.record.event(
            "note", trip=self.number, deployment=deployment.id, failure=_failure(error), sent=sent
        ):
            super().note(deployment, error, sent=sent)

    def extend(self) -> None:
        """See :meth:`Trip.extend`."""
        super().extend()
        with self.record.event("extend", trip=self.number, budget=self.budget):
            pass

    def next_attempt(self, deployment: Deployment, error: APIError, group: Group) -> float | None:
        """See :meth:`Trip.next_attempt`."""
        with self.record.event(
            "next",
            trip=self.number,
            group=group.name,
            deployment=deployment.id,
            failure=_failure(error),
            failed=sorted(failed.id for failed in self.failed),
            retries_left=self.core.retry_budget.balance,
        ) as line:
            line["pause"] = pause = super().next_attempt(deployment, error, group)
        return pause


class RecordedLease(Lease):
    """An attempt of which everything that happens is recorded."""

    number: int = 0

    def __post_init__(self) -> None:
        self.number = next(self.record.numbers)
        self.record.opened.append(
            {
                "lease": self.number,
                "trip": cast("RecordedTrip", self.trip).number,
                "deployment": self.deployment.id,
                "reason": self.attempt.reason,
                "delay": self.delay,
            }
        )

    @property
    def record(self) -> Record:
        """Where it is recorded."""
        return cast("RecordedCore", self.trip.core).record

    def begin(self) -> None:
        """See :meth:`Lease.begin`."""
        with self._event("begin"):
            super().begin()

    def heard(self, remaining: Remaining) -> None:
        """See :meth:`Lease.heard`."""
        with self._event("heard", remaining=list(remaining)):
            super().heard(remaining)

    def first_token(self) -> None:
        """See :meth:`Lease.first_token`."""
        with self._event("first_token"):
            super().first_token()

    def succeeded(self, usage: Usage | None, answer: Any = None) -> None:
        """See :meth:`Lease.succeeded`."""
        with self._event("succeeded", usage=_tokens(usage)):
            super().succeeded(usage, answer)

    def failed(self, error: APIError, *, usage: Usage | None = None, counts: bool = True) -> None:
        """See :meth:`Lease.failed`."""
        with self._event("failed", failure=_failure(error), usage=_tokens(usage), counts=counts):
            super().failed(error, usage=usage, counts=counts)

    def overtaken(self) -> None:
        """See :meth:`Lease.overtaken`."""
        with self._event("overtaken"):
            super().overtaken()

    def abandoned(self) -> None:
        """See :meth:`Lease.abandoned`."""
        with self._event("abandoned"):
            super().abandoned()

    def _event(self, do: str, **facts: Any) -> Any:
        return self.record.event(do, lease=self.number, status=self.attempt.status, **facts)


class RecordedCore(Core):
    """A decision core that records what it is told and what it decides."""

    new_trip: ClassVar[type[Trip]] = RecordedTrip
    new_lease: ClassVar[type[Lease]] = RecordedLease

    def __init__(
        self,
        record: Record,
        rng: random.Random,
        find: Callable[[str], Group],
        policies: Policies,
    ) -> None:
        super().__init__(record.clock, rng, find, policies)
        self.record: Record = record

    def choose(self, group: Group, trip: Trip) -> Lease | Wait:
        """See :meth:`Core.choose`."""
        self.record.watch(group)
        with self._decision("choose", group, trip) as line:
            line["known"] = self._known(group, trip)
            choice = super().choose(group, trip)
            if type(choice) is Wait:
                line["wait"] = choice
        return choice

    def hedge(self, group: Group, trip: Trip, slow: Lease) -> Lease | None:
        """See :meth:`Core.hedge`."""
        with self._decision("hedge", group, trip) as line:
            line["known"] = self._known(group, trip)
            line["slow"] = cast("RecordedLease", slow).number
            line["hedges_left"] = self.hedge_budget.balance
            return super().hedge(group, trip, slow)

    def serve(self, group: Group) -> None:
        """See :meth:`Core.serve`. As an event of its own: the configuration has changed."""
        with self.record.event("changed", group=group.name):
            super().serve(group)

    def _decision(self, do: str, group: Group, trip: Trip) -> Any:
        return self.record.event(do, trip=cast("RecordedTrip", trip).number, group=group.name)

    def _known(self, group: Group, trip: Trip) -> dict[str, Any]:
        """What a decision is made from, for who reads the log; of large groups a part."""
        now, usual = self.clock(), group.usual(trip.kind)
        return {
            it.id: {
                "state": it.circuit.state,
                "in_flight": it.in_flight,
                "expected": it.pace(trip.kind).expected(now, usual),
            }
            for it in group.deployments[:FULL_SCAN]
        }


def _failure(error: APIError) -> dict[str, Any]:
    """What decisions depend on of an error."""
    return {
        "error": type(error).__name__,
        "status": error.status_code,
        "retry_after": error.retry_after,
    }


def _tokens(usage: Usage | None) -> list[int] | None:
    return None if usage is None else [usage.prompt_tokens, usage.completion_tokens]
