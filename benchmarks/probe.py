"""
What a statement costs a fresh interpreter: `python -P benchmarks/probe.py "import aiohttp"`.

Prints one JSON line: seconds of wall clock and CPU, modules loaded by the statement, resident
megabytes, threads and open sockets afterwards.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time


def resident_megabytes() -> float:
    """Resident now on Linux; elsewhere the most there has been."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def threads() -> int:
    """All threads on Linux; elsewhere those that Python knows."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return threading.active_count()


def sockets() -> int:
    """Open sockets; 0 where the system does not tell."""
    folder = "/proc/self/fd"
    try:
        return sum(
            os.path.islink(path) and os.readlink(path).startswith("socket:")
            for path in (os.path.join(folder, name) for name in os.listdir(folder))
        )
    except OSError:
        return 0


def main() -> None:
    statement = compile(sys.argv[1], "statement", "exec")
    modules = len(sys.modules)
    wall, cpu = time.perf_counter(), time.process_time()
    exec(statement, {})
    cost = {
        "cpu_ms": (time.process_time() - cpu) * 1e3,
        "wall_ms": (time.perf_counter() - wall) * 1e3,
        "modules": len(sys.modules) - modules,
        "resident_mb": resident_megabytes(),
        "threads": threads(),
        "sockets": sockets(),
    }
    print("\n" + json.dumps(cost))


if __name__ == "__main__":
    main()
