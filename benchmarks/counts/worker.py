"""
One case in a process of its own: `python -m benchmarks.counts.worker "call"` prints two JSON lines.

The first has the figures, the second polyroute's functions with the bytecodes of the last run.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module


def main() -> None:
    # The repository's root has names (`router`, `schemas`) that a library may mean otherwise.
    sys.path.pop(0)
    cases = import_module(f"{__package__}.cases")
    print(json.dumps(cases.CASES[sys.argv[1]]()))
    print(json.dumps(cases.BYTECODES.tally.functions()))


if __name__ == "__main__":
    main()
