"""
The model API that everything is measured against, in a process of its own.

    upstream.c          compiled at first use into `results/`
    upstream_python.py  where there is no C compiler, or with `--upstream python`
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from . import machine

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER = Path(__file__).parent


class Upstream:
    """A running upstream.

    Attributes:
        kind: `c` or `python`.
    """

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.port = port

    def url(self, scenario: str) -> str:
        """The `api_base` of a scenario, e.g. `n200`: streams of 200 chunks."""
        return f"http://127.0.0.1:{self.port}/{scenario}/v1"


@contextmanager
def running(kind: str, core: int | None) -> Generator[Upstream, None, None]:
    """An upstream of that kind (`c`, `python`, or `auto`: C where it compiles)."""
    binary = None if kind == "python" else compiled()
    if kind == "c" and not binary:
        raise SystemExit("--upstream c needs a C compiler and Linux; leave it out, or use python")
    command = [str(binary)] if binary else [sys.executable, "-m", f"{__package__}.upstream_python"]
    if binary and core is not None:
        command.append("awake")  # a core that it shares with the clients it must not keep busy
    with subprocess.Popen(
        command, cwd=FOLDER.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        machine.pin(process.pid, core)
        try:
            assert process.stdout is not None
            yield Upstream("c" if binary else "python", int(process.stdout.readline()))
        finally:
            process.kill()


def compiled() -> Path | None:
    """The C upstream's binary, newer than its source; None if it cannot be compiled here."""
    source, binary = FOLDER / "upstream.c", FOLDER / "results" / "upstream"
    if binary.exists() and binary.stat().st_mtime > source.stat().st_mtime:
        return binary
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    return binary if compiler and build(compiler, source, binary) else None


def build(compiler: str, source: Path, binary: Path) -> bool:
    """Compile; whether it worked."""
    try:
        binary.parent.mkdir(exist_ok=True)
        # Another run may be using the old binary or building it too: replace it in one step.
        with tempfile.TemporaryDirectory(dir=binary.parent) as scratch:
            fresh = Path(scratch) / binary.name
            command = [compiler, "-O2", "-o", str(fresh), str(source)]
            if subprocess.run(command, capture_output=True, check=False).returncode != 0:
                return False
            fresh.replace(binary)
    except OSError:
        return False
    return True
