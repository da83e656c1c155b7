"""The benchmarks run from end to end; what they measure is none of the tests' business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("orjson", reason="the benchmarks' baseline parses with orjson")

ROOT = Path(__file__).parents[1]
BRIEFLY = ("--rounds", "1", "--seconds", "0.02", "--upstream", "python")
SMALL = ("--burst", "20", "--calls", "200", "--streams", "20")
MEASURES = {
    "benchmarks": {"call", "throughput", "stream", "paced", "first", "choice", "import"},
    "benchmarks.scale": {"crowd", "backlog", "burst", "memory"},
}


def benchmarks(*arguments: str, module: str = "benchmarks") -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own interpreter, our own arguments
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def counts(baseline: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What one call and one chunk cost in steps, compared with a file."""
    cases = ("--only", "call", "--only", "chunk, 50 per write")
    return benchmarks(*cases, "--baseline", str(baseline), *arguments, module="benchmarks.counts")


@pytest.mark.parametrize("module", MEASURES)
def test_every_measure_prints_a_table(module: str, tmp_path: Path) -> None:
    """One short run measures the Router in all ways, and keeps every sample in a file."""
    out = tmp_path / "samples.json"
    run = benchmarks("--quick", *BRIEFLY, *SMALL, "--out", str(out), module=module)
    assert run.returncode == 0, run.stdout + run.stderr
    for measure in MEASURES[module]:
        assert f"### {measure}: " in run.stdout
    measured = {cell["measure"] for cell in json.loads(out.read_text("utf-8"))["cells"]}
    assert measured == MEASURES[module]


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


def test_goals_and_a_picture(tmp_path: Path) -> None:
    """A run can say which goals are met, and draw its ratios."""
    picture = tmp_path / "ratios.svg"
    run = benchmarks("--measures", "call,first", "--goals", *BRIEFLY, "--plot", str(picture))
    assert run.returncode == 0, run.stdout + run.stderr
    goals = [line for line in run.stdout.splitlines() if line.endswith((" met |", "met** |"))]
    assert len(goals) == 3, run.stdout
    drawn = ET.fromstring(picture.read_text("utf-8"))  # noqa: S314  we have written it
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "polyroute" in texts


def test_a_peer_that_cannot_run_is_left_out() -> None:
    """The report names it with the reason, and has the others' figures."""
    run = benchmarks(
        "--measures", "call", *BRIEFLY,
        "--peers", "polyroute,tensorzero", "--python", f"tensorzero={sys.executable}",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "- tensorzero: left out, cannot run here (ModuleNotFoundError" in run.stdout
    assert "| polyroute |" in run.stdout


def test_counts_are_the_same_each_time(tmp_path: Path) -> None:
    """Bytecodes and calls do not depend on what else the machine does."""
    file = tmp_path / "counts.json"
    first = counts(file, "--update")
    assert first.returncode == 0, first.stdout + first.stderr
    again = counts(file, "--tolerance", "0.1")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "ok: nothing grew" in again.stdout


def test_counts_that_grow_fail_the_run(tmp_path: Path) -> None:
    """A call that takes a tenth more bytecodes than before is a regression."""
    file = tmp_path / "counts.json"
    counts(file, "--update")
    known = json.loads(file.read_text("utf-8"))
    (python,) = known.values()
    python["counts"]["call"]["bytecodes"] /= 1.1
    file.write_text(json.dumps(known), "utf-8")
    run = counts(file)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "call: bytecodes " in run.stdout
    assert "chunk, 50 per write: " not in run.stdout
