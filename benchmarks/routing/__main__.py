"""
The Router against other policies, in simulated scenarios.

    python -m benchmarks.routing [--scenario NAME]… [--policy NAME]… [--seeds 1,2,3] [--json FILE]
    python -m benchmarks.routing --targets      whether what is promised holds

Names may be shortened to how they begin: ``s4``, ``litellm``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import targets
from .contest import compare, policies
from .scenario import scenarios
from .table import table

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulations; 1 if a target was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.routing",
        description="The Router against other policies, in simulated scenarios.",
    )
    add = parser.add_argument
    add("--scenario", action="append", default=[], help="how its name begins; repeatable")
    add("--policy", action="append", default=[], help="the same, of the policies")
    add("--seeds", type=numbers, default=[1, 2, 3], help="default: 1,2,3")
    add("--targets", action="store_true", help="check targets.json instead of printing tables")
    add("--json", type=Path, help="write every mean to a file")
    given = parser.parse_args(arguments)
    try:
        chosen, names = scenarios(given.scenario), policies(given.policy)
    except ValueError as error:
        parser.error(str(error))
    if given.targets:
        return 0 if targets.check(chosen, given.seeds) else 1
    results = {}
    for scenario in chosen:
        results[scenario.name] = compare(scenario, names, given.seeds)
        print(table(scenario, results[scenario.name]), flush=True)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return 0


def numbers(text: str) -> list[int]:
    """From `1,2,3`."""
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    sys.exit(main())
