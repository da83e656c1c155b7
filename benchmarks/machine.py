"""The machine: which core does what, and how busy it is with other things."""

from __future__ import annotations

import os
import platform
import resource
import time

SPARE_DESCRIPTORS = 200
"""Besides its connections, a process has files, pipes and libraries open."""


def cores() -> tuple[int | None, int | None]:
    """The core of the clients and the core of the upstream; None where they cannot be chosen."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[-1]) if len(available) > 1 else (None, None)


def pin(pid: int, core: int | None) -> None:
    """Keep a process on one core, so that it shares its caches and time with nobody of ours."""
    if core is not None:
        os.sched_setaffinity(pid, {core})


def allow_descriptors(connections: int) -> None:
    """Let this process, and those it starts, have so many connections open.

    Raises:
        OSError: the system does not allow it.
    """
    wanted = connections + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (OSError, ValueError):
        raise OSError(
            f"{connections} connections need {wanted} file descriptors, and no more than {hard} "
            f"are allowed here: raise `ulimit -Hn`, or ask for fewer"
        ) from None


def description() -> str:
    """One line about this machine, now."""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')}, {platform.system()} {platform.release()} "
        f"{platform.machine()}, {os.cpu_count()} cores{load}"
    )
