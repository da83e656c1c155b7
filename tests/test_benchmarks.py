"""The benchmarks run from end to end; what they measure is none of the tests' business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("orjson", reason="the benchmarks' baseline parses with orjson")

ROOT = Path(__file__).parents[1]
BRIEFLY = ("--rounds", "1", "--seconds", "0.02", "--upstream", "python")


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own interpreter, our own arguments
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_every_measure_prints_a_table(tmp_path: Path) -> None:
    """One short run measures the Router in all ways, and keeps every sample in a file."""
    out = tmp_path / "samples.json"
    run = benchmarks("--quick", *BRIEFLY, "--out", str(out))
    assert run.returncode == 0, run.stdout + run.stderr
    for measure in ("call", "throughput", "stream", "choice", "import"):
        assert f"### {measure}: " in run.stdout
    measured = {cell["measure"] for cell in json.loads(out.read_text("utf-8"))["cells"]}
    assert measured == {"call", "throughput", "stream", "choice", "import"}


def test_a_broken_bound_fails_the_run() -> None:
    """CI can demand a ratio: the exit status says whether it was kept."""
    bounds = ("--max", "call=1000", "--min", "call-cpu=1000")
    run = benchmarks("--measures", "call", *BRIEFLY, *bounds)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "ok: --max call=1000" in run.stdout
    assert "BROKEN: --min call-cpu=1000" in run.stdout


def test_a_bound_on_nothing_is_refused() -> None:
    """A misspelt bound ends the run before it takes minutes, and says which there are."""
    run = benchmarks("--measures", "call", *BRIEFLY, "--max", "cal=1.2")
    assert run.returncode != 0
    assert "call, call-cpu" in run.stderr
