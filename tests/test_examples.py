"""The examples are programs, and they run: each by itself, without keys, warnings being errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(example: Path, tmp_path: Path) -> None:
    """It ends by itself, says something, and complains about nothing."""
    environment = {
        name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN"))
    }
    done = subprocess.run(  # noqa: S603  our own interpreter, our own program
        [sys.executable, "-W", "error", str(example)],
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    assert done.stderr == ""


def test_every_example_is_listed() -> None:
    """The list of examples has all of them."""
    page = (EXAMPLES[0].parent / "README.md").read_text("utf-8")
    assert [path.name for path in EXAMPLES if f"({path.name})" not in page] == []
