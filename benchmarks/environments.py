"""An environment for every peer that is not in ours: made by uv when a peer is first asked for."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from .peers import REQUIREMENTS

FOLDER = Path(__file__).parent / "results" / "environments"
PATIENCE = 600


class NotInstalledError(Exception):
    """A peer cannot be had here; the text says why."""


def python(peer: str) -> str:
    """The interpreter of an environment in which a peer is installed.

    Raises:
        NotInstalledError: it could not be installed.
    """
    if peer not in REQUIREMENTS or importlib.util.find_spec(peer.replace("-", "_")):
        return sys.executable
    home = FOLDER / peer
    interpreter = home / "bin" / "python"
    ready = home / "ready"
    if not ready.exists():
        install(REQUIREMENTS[peer], home, interpreter)
        ready.touch()
    return str(interpreter)


def install(requirements: tuple[str, ...], home: Path, interpreter: Path) -> None:
    """Make an environment of this Python's version, compiled: imports are measured in it."""
    uv = shutil.which("uv")
    if uv is None:
        raise NotInstalledError("uv, which would install it, is not on the path")
    print(f"installing {' '.join(requirements)} into {home}", file=sys.stderr, flush=True)
    into = ("--compile-bytecode", "--python", str(interpreter))
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "--quiet", *into, *requirements],
    ):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode != 0:
            told = " ".join(done.stderr.split())
            raise NotInstalledError(f"{' '.join(requirements)} cannot be installed: {told[:300]}")
