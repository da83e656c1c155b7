"""
What is counted: the interpreter's steps, its function calls, the memory that stays.

A step belongs to polyroute if its code lies in polyroute's folder. The benchmarks' own code does
not count at all.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType, TracebackType

BENCHMARKS = str(Path(__file__).parents[1])
KEEP = 2**16
"""Objects are collected by hand before a count; this many more are never reached within one."""


def package_folder() -> str:
    """Where polyroute's code lies, without importing it."""
    from importlib.util import find_spec  # noqa: PLC0415  an import's own steps must not be warm

    spec = find_spec("polyroute")
    if spec is None or spec.origin is None:
        raise SystemExit("polyroute cannot be imported here: install it, or set PYTHONPATH")
    return str(Path(spec.origin).parent)


class Counter:
    """Counts steps while its block runs, polyroute's own apart.

    Attributes:
        own: those of polyroute's code.
        all: those of any code but the benchmarks'.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._whose: dict[CodeType, str] = {}
        self._steps = {"own": 0, "other": 0, "ours": 0}
        self.own = 0
        self.all = 0

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        gc.collect()
        gc.disable()
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        gc.enable()
        self.own = self._steps["own"]
        self.all = self.own + self._steps["other"]
