"""`python -m benchmarks.counts`: count, print a table, compare with the baseline."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import baseline
from .cases import CASES
from .counters import package_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .baseline import Baseline
    from .cases import Figures

Functions = list[tuple[str, int]]
"""Names and bytecodes."""

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": ""}
HEADINGS = ("bytecodes", "all bytecodes", "calls", "all calls", "blocks", "modules")


def main(arguments: Sequence[str] | None = None) -> int:
    """Count every case; 1 if something is worse than the baseline."""
    options = build_parser().parse_args(arguments)
    wanted = options.only or list(CASES)
    package_folder()  # says what to do where there is none
    subprocess.run(  # compiled files are there from now on: compiling is not importing
        [sys.executable, "-c", "import polyroute; polyroute.Router()"],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        check=True,
    )
    counts = {}
    for case in wanted:
        counts[case], functions = count(case)
        if options.functions:
            print(profile(case, functions, options.functions))
    before = baseline.read(options.baseline)
    print(table(counts, before))
    if options.update:
        baseline.write(counts, options.baseline)
        print(f"written to {options.baseline}")
        return 0
    if before is None:
        print(f"no baseline for Python {baseline.python()}: make one with --update")
        return 0
    if dict(before.versions) != baseline.versions():
        print("the dependencies are others than the baseline's: their steps are not compared")
    worse = list(regressions(counts, before, options.tolerance / 100))
    for line in worse:
        print(line)
    print("REGRESSED" if worse else f"ok: nothing grew by more than {options.tolerance:g} %")
    return 1 if worse else 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counts", description=__doc__)
    add = parser.add_argument
    add("--update", action="store_true", help="make these counts the baseline")
    add("--tolerance", type=float, default=3.0, help="percent that a count may grow by")
    add("--only", action="append", choices=list(CASES), metavar="CASE", help=", ".join(CASES))
    add("--functions", type=int, metavar="N", help="show the N with most bytecodes, of each case")
    add("--baseline", type=Path, default=baseline.FILE, help="another file of counts")
    return parser


def count(case: str) -> tuple[Figures, Functions]:
    """The figures of one case and its functions, counted in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", f"{__package__}.worker", case],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        check=True,
    )
    figures, functions = map(json.loads, run.stdout.splitlines())
    return figures, functions


def profile(case: str, functions: Functions, most: int) -> str:
    """Where the bytecodes of a case are: so many functions, with their share."""
    whole = sum(steps for _, steps in functions)
    lines = [f"{steps / whole:6.1%} {steps:8,} {name}" for name, steps in functions[:most]]
    return "\n".join([f"{case}: {whole:,} bytecodes of {len(functions)} functions", *lines, ""])


def table(counts: Mapping[str, Figures], before: Baseline | None) -> str:
    """The figures, and how they stand to the baseline."""
    rows = [["", *HEADINGS], ["---", *["---:"] * len(HEADINGS)]]
    for case, figures in counts.items():
        known = before.counts.get(case, {}) if before else {}
        rows.append([case, *(shown(figures, known, name) for name in HEADINGS)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def shown(figures: Figures, known: Figures, name: str) -> str:
    """A figure, with the change in percent where it has changed."""
    if name not in figures:
        return ""
    value, past = figures[name], known.get(name)
    text = f"{value:,.0f}"
    if not past or name == "blocks" or abs(value / past - 1) < 0.0005:
        return text
    return f"{text} ({value / past - 1:+.1%})"


def regressions(counts: Mapping[str, Figures], before: Baseline, tolerance: float) -> list[str]:
    """A line for everything that is worse than the tolerance allows."""
    return [
        f"{case}: {name} {before.counts[case][name]:,.1f} -> {value:,.1f}"
        for case, figures in counts.items()
        for name, value in figures.items()
        if before.regressed(case, name, value, tolerance)
    ]


if __name__ == "__main__":
    sys.exit(main())
