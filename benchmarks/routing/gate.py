"""
Whether the shipped default passes a simulator's gate.

    python -m benchmarks.routing.gate --sim DIR [--heldout] [--seeds 1,2,3]

`DIR/sim.py` brings the scenarios, the targets and its own gate; the Router's decision core is
plugged in as one more policy, and the verdict is the exit status.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Any

from .plug import policy

NAME = "polyroute/default"


def load(folder: Path) -> Any:
    """The simulator in a folder."""
    path = folder / "sim.py"
    spec = importlib.util.spec_from_file_location("routing_simulator", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"there is no simulator at {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Run the gate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--sim", type=Path, required=True, help="folder with sim.py")
    parser.add_argument("--heldout", action="store_true", help="the scenarios kept aside too")
    parser.add_argument("--seeds", default="1,2,3")
    arguments = parser.parse_args()
    simulator = load(arguments.sim.resolve())
    simulator.POLICIES[NAME] = policy(simulator, hedge=True, on_stream_break="resume")
    sys.argv = ["sim.py", "gate", "--policy", NAME, "--seeds", arguments.seeds]
    if arguments.heldout:
        sys.argv.append("--heldout")
    simulator.main()


if __name__ == "__main__":
    main()
