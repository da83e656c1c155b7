"""
What was counted before: `baseline.json`, by Python version, since bytecodes differ between them.

A figure regresses if it is more than the tolerance above the baseline. Steps of all code are
compared only with the same versions of the dependencies, whose steps they are too.
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from .cases import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .cases import Figures

FILE = Path(__file__).with_name("baseline.json")
DEPENDENCIES = ("aiohttp", "anyio", "cachetools", "msgspec", "multidict", "pydantic", "yarl")
BLOCKS = 100
"""Blocks more than before that 1,000 calls may leave: a tenth of one per call is no leak."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one Python version had counted.

    Attributes:
        versions: of the dependencies.
        counts: figures by case.
    """

    versions: Mapping[str, str]
    counts: Mapping[str, Figures]

    def regressed(self, case: str, name: str, value: float, tolerance: float) -> bool:
        """Whether a figure is worse than it was, by more than the tolerance (0.03 is 3 %)."""
        before = self.counts.get(case, {}).get(name)
        if before is None or (name.startswith(ALL) and self.versions != versions()):
            return False
        return value > before + (BLOCKS if name == "blocks" else before * tolerance)


def versions() -> dict[str, str]:
    """Of the dependencies, as installed."""
    return {name: metadata.version(name) for name in DEPENDENCIES}


def python() -> str:
    """The version of Python that counts are for."""
    return ".".join(platform.python_version_tuple()[:2])


def read(file: Path = FILE) -> Baseline | None:
    """The baseline of this Python; None if there is none."""
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return Baseline(**known[python()]) if python() in known else None


def write(counts: Mapping[str, Figures], file: Path = FILE) -> None:
    """Make these counts this Python's baseline; cases that were not counted keep theirs."""
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    before = known.get(python(), {}).get("counts", {})
    known[python()] = {"versions": versions(), "counts": {**before, **counts}}
    file.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
