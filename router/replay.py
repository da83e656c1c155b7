"""
What a Router decided, decided once more: an incident from its `decision_log`.

    with open("decisions.jsonl") as log:
        replayed = replay(log, lambda **given: Router(model_list=MODEL_LIST, **given))

A Router made as the first one was gets the log's clock and chance, is told what the first one
was told, and keeps a log of its own: the lines must be the same. With another configuration the
first line that differs shows where it would have decided otherwise. Nobody is asked.
"""

from __future__ import annotations

import random
from heapq import heappush
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from .. import exceptions
from ..exceptions import APIError, NotFoundError
from ..providers import Call
from ..providers.limits import Remaining
from ..schemas import Route, Usage
from .filters import Selection
from .needs import Needs
from .options import Options
from .waiting import Waiter, rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .groups import Group
    from .record import RecordedCore, RecordedLease, RecordedTrip
    from .router import Router

    Line = dict[str, Any]


class Replayed(NamedTuple):
    """How far a log could be replayed.

    Attributes:
        events: how many came out as they are in the log.
        logged, decided: the first that did not, as it is in the log and as it came out; None: all
            are the same.
        changed: the log goes on, but there the configuration changed: begin anew from here.
    """

    events: int
    logged: Line | None = None
    decided: Line | None = None
    changed: bool = False


def replay(log: Iterable[str | bytes], make: Callable[..., Router]) -> Replayed:
    """Let a Router decide once more what is in a log.

    Args:
        log: its lines; a file is one.
        make: makes the Router from the keywords `clock`, `rng` and `decision_log`.

    Raises:
        ValueError: the log does not begin with the start of a Router.
    """
    lines = map(msgspec.json.decode, log)
    start: Line = next(lines, {})
    if start.get("do") != "start":
        raise ValueError("the log does not begin with the start of a Router")
    stage = _Stage(start, make)
    for events, line in enumerate(lines):
        if line["do"] == "changed":
            return Replayed(events, changed=True)
        decided = stage.play(line)
        if decided != line:
            return Replayed(events, line, decided)
    return Replayed(stage.played)


class _Stage:
    """A Router that is told what another one was told."""

    def __init__(self, start: Line, make: Callable[..., Router]) -> None:
        self.now: float = start["at"]
        self.played = 0
        version, state, gauss = start["rng"]
        rng = random.Random()
        rng.setstate((version, tuple(state), gauss))
        self._written: list[str] = []
        router = make(clock=lambda: self.now, rng=rng, decision_log=self._written.append)
        self._aliases = router._aliases
        self._core = cast("RecordedCore", router._core)
        self._trips: dict[int, RecordedTrip] = {}
        self._leases: dict[int, RecordedLease] = {}

    def play(self, line: Line) -> Line:
        """Let one event happen; what the log of it says now."""
        self.now = line["at"]
        self.played += 1
        self._written.clear()
        for name, change in line.get("queues", {}).items():
            self._move(self._group(name), **change)
        try:
            if "lease" in line:
                self._tell_lease(self._leases[line["lease"]], line)
            else:
                self._tell_trip(line)
        except APIError:
            pass  # it is in the log
        return cast("Line", msgspec.json.decode(self._written[-1])) if self._written else line

    def _tell_trip(self, line: Line) -> None:
        """What a call did, and what was to be decided for it."""
        core, number = self._core, line["trip"]
        if line["do"] == "call":
            self._trips[number] = self._set_out(line)
            return
        trip = self._trips[number]
        match line["do"]:
            case "enter" if "raised" in line:  # by what the call needed, which is not in the log
                trip.groups.append(line["group"])
            case "enter":
                group = self._group(line["group"])
                trip.enter(group, self._selection(group, line))
            case "choose":
                self._keep(core.choose(self._group(line["group"]), trip))
            case "hedge":
                core.hedge_budget.balance = line["hedges_left"]
                self._keep(core.hedge(self._group(line["group"]), trip, self._leases[line["slow"]]))
            case "extend":
                trip.budget = line["budget"]
                with core.record.event("extend", trip=number, budget=trip.budget):
                    pass
            case "note":
                deployment = self._aliases.deployments[line["deployment"]]
                trip.note(deployment, _error(line["failure"]), sent=line["sent"])
            case "next":
                core.retry_budget.balance = line["retries_left"]
                error, known = _error(line["failure"]), self._aliases.deployments
                for id in line["failed"]:
                    trip.failed.setdefault(known[id], error)
                group = self._group(line["group"])
                trip.next_attempt(known[line["deployment"]], error, group)

    def _tell_lease(self, lease: RecordedLease, line: Line) -> None:
        """What happened to an attempt."""
        lease.attempt.status = line["status"]
        match line["do"]:
            case "heard":
                lease.heard(Remaining(*line["remaining"]))
            case "succeeded":
                lease.succeeded(_usage(line["usage"]))
            case "failed":
                error = _error(line["failure"])
                lease.failed(error, usage=_usage(line["usage"]), counts=line["counts"])
            case name:
                getattr(lease, name)()

    def _set_out(self, line: Line) -> RecordedTrip:
        params = {} if line["most"] is None else {"max_tokens": line["most"]}
        call = Call([], params, stream=line["stream"], operation=line["operation"])
        self._group(line["alias"])  # one behind a wildcard is made when it is asked for
        trip = self._core.new_trip(
            self._core,
            call,
            Options(**line["options"]),
            Route(line["alias"]),
            line["start"],
            line["budget"],
            counted=line["tokens"],
            kind="stream" if line["stream"] else line["operation"],
        )
        return cast("RecordedTrip", trip)

    def _selection(self, group: Group, line: Line) -> Selection:
        """Who could take the call."""
        members = group.members
        if "needs" not in line:
            return members.everybody
        needs = line["needs"] and msgspec.convert(line["needs"], Needs)
        allowed = line["allowed"]
        if allowed is not None:
            allowed = frozenset(it for it in members.deployments if it.id in allowed)
        return Selection(members, needs, allowed, line["room"])

    def _group(self, name: str) -> Group:
        try:
            return self._aliases.find(name)
        except NotFoundError:
            return self._aliases.specific(name)

    def _move(self, group: Group, joined: list[int], left: list[int]) -> None:
        """Let calls join the queue of a group, and others leave it."""
        self._core.record.watch(group)
        for waiter in group.queue.waiters:
            seat = cast("_Seat", waiter.lease)
            seat.left = seat.left or cast("RecordedTrip", waiter.trip).number in left
        for number in joined:
            trip = self._trips[number]
            seat = cast("Any", _Seat(self._keep))
            heappush(
                group.queue.waiters, Waiter(rank(trip), next(group.queue._numbers), trip, seat)
            )

    def _keep(self, lease: Any) -> None:
        """Remember a lease by its number."""
        if hasattr(lease, "number"):
            self._leases[lease.number] = lease


class _Seat:
    """A place in a queue on which nobody sits: it stands for a future and its loop."""

    def __init__(self, keep: Callable[[Any], None]) -> None:
        self._keep = keep
        self.left = False

    def done(self) -> bool:
        return self.left

    def get_loop(self) -> _Seat:
        return self

    def call_soon_threadsafe(self, _hand_over: Any, _seat: Any, lease: Any) -> None:
        self._keep(lease)


def _error(failure: Line) -> APIError:
    kind = getattr(exceptions, failure["error"], APIError)
    error: APIError = kind(
        "as in the log", status_code=failure["status"], retry_after=failure["retry_after"]
    )
    return error


def _usage(tokens: list[int] | None) -> Usage | None:
    if tokens is None:
        return None
    return Usage(prompt_tokens=tokens[0], completion_tokens=tokens[1])
