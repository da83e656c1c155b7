"""
What a statement costs a fresh interpreter: `python -P benchmarks/probe.py "import aiohttp"`.

Prints one JSON line: seconds of wall clock and CPU, modules loaded by the statement, resident
megabytes, threads and open sockets afterwards.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from pathlib import Path

PROCESS = Path("/proc/self")


def resident_megabytes() -> float:
    """Resident now on Linux; elsewhere the most there has been."""
    try:
        pages = (PROCESS / "statm").read_text(encoding="ascii").split()
        return int(pages[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def threads() -> int:
    """All threads on Linux; elsewhere those that Python knows."""
    try:
        return sum(1 for _ in (PROCESS / "task").iterdir())
    except OSError:
        return threading.active_count()


def sockets() -> int:
    """Open sockets; 0 where the system does not tell."""
    try:
        # The listing opens a descriptor of its own, which is a link to nowhere by then.
        links = [link.readlink() for link in (PROCESS / "fd").iterdir() if link.is_symlink()]
        return sum(str(link).startswith("socket:") for link in links)
    except OSError:
        return 0


def main() -> None:
    statement = compile(sys.argv[1], "statement", "exec")
    modules = len(sys.modules)
    wall, cpu = time.perf_counter(), time.process_time()
    exec(statement, {})
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    cost = {
        "wall_ms": wall * 1e3,
        "cpu_ms": cpu * 1e3,
        "modules": len(sys.modules) - modules,
        "resident_mb": resident_megabytes(),
        "threads": threads(),
        "sockets": sockets(),
    }
    print("\n" + json.dumps(cost))


if __name__ == "__main__":
    main()
