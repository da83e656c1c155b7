"""
What is counted: the interpreter's steps, its function calls, the memory that stays.

A step is polyroute's own if its code lies in polyroute's folder. The benchmarks' own code counts
for nothing: it is in everybody's way alike.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
from collections import Counter as Counts
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

BENCHMARKS = str(Path(__file__).parents[1])
MONITOR = 3
"""A tool number of `sys.monitoring` that no debugger or profiler uses."""


@dataclass(frozen=True, slots=True)
class Steps:
    """How many there were: of polyroute's own code, and of all but the benchmarks'."""

    own: int
    all: int

    def __sub__(self, other: Steps) -> Steps:
        return Steps(self.own - other.own, self.all - other.all)


class Counter(Protocol):
    """Counts the steps of some work."""

    def __call__(self, work: Callable[[], object], /) -> Steps: ...


class Place:
    """A piece of code, whose it is, and how many steps it took."""

    __slots__ = ("code", "owner", "steps")

    def __init__(self, code: CodeType, owner: str) -> None:
        self.code = code
        self.owner = owner
        self.steps = 0

    def trace(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        """A trace function for frames of this code."""
        if event == "opcode":
            self.steps += 1
        return self.trace


class Tally:
    """Steps by the code that took them."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._folder = package_folder()

    def place(self, code: CodeType) -> Place:
        """Where a piece of code's steps are counted."""
        found = self._places.get(id(code))
        if found is None:
            found = self._places[id(code)] = Place(code, self._owner(code.co_filename))
        return found

    def _owner(self, file: str) -> str:
        if file.startswith(BENCHMARKS):
            return "ours"
        # The root of a clone is the package, and an environment may lie within it.
        inside = file.startswith(self._folder) and "site-packages" not in file[len(self._folder) :]
        return "own" if inside else "other"

    def total(self) -> Steps:
        """All steps."""
        own, other = (
            sum(place.steps for place in self._places.values() if place.owner == owner)
            for owner in ("own", "other")
        )
        return Steps(own, own + other)

    def functions(self) -> list[tuple[str, int]]:
        """polyroute's functions and their steps, those with the most first."""
        steps: Counts[str] = Counts()
        for place in self._places.values():
            if place.owner == "own":
                file = place.code.co_filename.removeprefix(self._folder + "/")
                steps[f"{file} {place.code.co_qualname}"] += place.steps
        return steps.most_common()


def package_folder() -> str:
    """Where polyroute's code lies, found without importing it."""
    spec = importlib.util.find_spec("polyroute")
    if spec is None or spec.origin is None:
        raise SystemExit("polyroute cannot be imported here: install it, or set PYTHONPATH")
    return str(Path(spec.origin).parent)


class Bytecodes:
    """Counts executed bytecodes.

    Attributes:
        tally: of the last work.
    """

    tally: Tally

    def __call__(self, work: Callable[[], object]) -> Steps:
        self.tally = Tally()
        count = monitored if hasattr(sys, "monitoring") else traced
        count(work, self.tally)
        return self.tally.total()


class Calls:
    """Counts calls: into Python code, coroutines gone on with included, and from it into C."""

    def __call__(self, work: Callable[[], object]) -> Steps:
        tally = Tally()

        def step(frame: FrameType, event: str, _argument: Any) -> None:
            if event in {"call", "c_call"}:
                tally.place(frame.f_code).steps += 1

        undisturbed(work, partial(sys.setprofile, step), partial(sys.setprofile, None))
        return tally.total()


def traced(work: Callable[[], object], tally: Tally) -> None:
    """Bytecodes, by the trace function that debuggers use."""

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return tally.place(frame.f_code).trace

    undisturbed(work, partial(sys.settrace, enter), partial(sys.settrace, None))


def monitored(work: Callable[[], object], tally: Tally) -> None:
    """Bytecodes, by `sys.monitoring`, which Python has since 3.12."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]

    def step(code: CodeType, _offset: int) -> None:
        tally.place(code).steps += 1

    def start() -> None:
        monitoring.use_tool_id(MONITOR, "polyroute counts")
        monitoring.register_callback(MONITOR, monitoring.events.INSTRUCTION, step)
        monitoring.set_events(MONITOR, monitoring.events.INSTRUCTION)

    def stop() -> None:
        monitoring.set_events(MONITOR, 0)
        monitoring.free_tool_id(MONITOR)

    undisturbed(work, start, stop)


def undisturbed(
    work: Callable[[], object], start: Callable[[], None], stop: Callable[[], None]
) -> None:
    """Do the work between `start` and `stop`; no collection of garbage comes in between."""
    gc.collect()
    gc.disable()
    start()
    try:
        work()
    finally:
        stop()
        gc.enable()


def blocks_left(work: Callable[[], object]) -> int:
    """Blocks of memory that are allocated after the work and were not before."""
    gc.collect()
    before = sys.getallocatedblocks()
    work()
    gc.collect()
    return sys.getallocatedblocks() - before
