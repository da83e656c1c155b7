"""
What is counted: the interpreter's steps, its function calls, the memory that stays.

A step is polyroute's own if its code lies in polyroute's folder. The benchmarks' own code counts
for nothing: it is in everybody's way alike.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
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


class Tally:
    """Steps by whose code they are."""

    def __init__(self) -> None:
        self.steps = {"own": 0, "other": 0, "ours": 0}
        self._owners: dict[CodeType, str] = {}
        self._folder = package_folder()

    def owner(self, code: CodeType) -> str:
        """Whose a piece of code is."""
        found = self._owners.get(code)
        if found is None:
            found = self._owners[code] = self._find_owner(code.co_filename)
        return found

    def _find_owner(self, file: str) -> str:
        if file.startswith(BENCHMARKS):
            return "ours"
        # The root of a clone is the package, and an environment may lie within it.
        inside = file.startswith(self._folder) and "site-packages" not in file[len(self._folder) :]
        return "own" if inside else "other"

    def step(self, owner: str) -> None:
        self.steps[owner] += 1

    def total(self) -> Steps:
        return Steps(self.steps["own"], self.steps["own"] + self.steps["other"])


def package_folder() -> str:
    """Where polyroute's code lies, found without importing it."""
    spec = importlib.util.find_spec("polyroute")
    if spec is None or spec.origin is None:
        raise SystemExit("polyroute cannot be imported here: install it, or set PYTHONPATH")
    return str(Path(spec.origin).parent)


def bytecodes(work: Callable[[], object]) -> Steps:
    """Executed bytecodes."""
    return monitored(work) if hasattr(sys, "monitoring") else traced(work)


def traced(work: Callable[[], object]) -> Steps:
    """Bytecodes, by the trace function that debuggers use."""
    tally = Tally()

    def step(owner: str, _frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "opcode":
            tally.step(owner)
        return steps[owner]

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return steps[tally.owner(frame.f_code)]

    steps = {owner: partial(step, owner) for owner in tally.steps}
    return counted(work, tally, partial(sys.settrace, enter), partial(sys.settrace, None))


def monitored(work: Callable[[], object]) -> Steps:
    """Bytecodes, by `sys.monitoring`, which Python has since 3.12."""
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    tally = Tally()

    def step(code: CodeType, _offset: int) -> None:
        tally.step(tally.owner(code))

    def start() -> None:
        monitoring.use_tool_id(MONITOR, "polyroute counts")
        monitoring.register_callback(MONITOR, monitoring.events.INSTRUCTION, step)
        monitoring.set_events(MONITOR, monitoring.events.INSTRUCTION)

    def stop() -> None:
        monitoring.set_events(MONITOR, 0)
        monitoring.free_tool_id(MONITOR)

    return counted(work, tally, start, stop)


def calls(work: Callable[[], object]) -> Steps:
    """Function calls: into Python code, coroutines gone on with included, and from it into C."""
    tally = Tally()

    def step(frame: FrameType, event: str, _argument: Any) -> None:
        if event in {"call", "c_call"}:
            tally.step(tally.owner(frame.f_code))

    return counted(work, tally, partial(sys.setprofile, step), partial(sys.setprofile, None))


def counted(
    work: Callable[[], object],
    tally: Tally,
    start: Callable[[], None],
    stop: Callable[[], None],
) -> Steps:
    """Do the work between `start` and `stop`; no collection of garbage comes in between."""
    gc.collect()
    gc.disable()
    start()
    try:
        work()
    finally:
        stop()
        gc.enable()
    return tally.total()


def blocks_left(work: Callable[[], object]) -> int:
    """Blocks of memory that are allocated after the work and were not before."""
    gc.collect()
    before = sys.getallocatedblocks()
    work()
    gc.collect()
    return sys.getallocatedblocks() - before
