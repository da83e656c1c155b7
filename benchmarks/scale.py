"""
Thousands of streams and calls at once, a million calls, a slow reader.

    python -m benchmarks.scale --calls 1000000

The same as `python -m benchmarks --measures crowd,backlog,burst,memory`, with all its options;
`--streams`, `--burst` and `--calls` set the sizes.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .__main__ import main

if TYPE_CHECKING:
    from collections.abc import Sequence

MEASURES = ("crowd", "backlog", "burst", "memory")


def run(arguments: Sequence[str]) -> int:
    """Run the measures of scale; 0 if everything could be measured and every bound holds."""
    return main(["--measures", ",".join(MEASURES), *arguments])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
