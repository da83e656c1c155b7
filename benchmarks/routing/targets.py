"""What the Router promises in each scenario (targets.json), and whether it holds."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .contest import NAMESAKES, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .metrics import Metrics
    from .scenario import Scenario

FILE = Path(__file__).with_name("targets.json")

SUBJECT = "polyroute/adaptive+hedge+resume"
"""Who is meant where a target names no policy."""

LESS_ANSWERED = 0.002
SLOWER = 1.05
"""How much worse than its namesake a strategy may look by chance: share answered, and times."""


def check(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> bool:
    """Print a line for each target, and say whether all are kept."""
    rules: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text("utf-8"))
    kept = missed = 0
    for scenario in scenarios:
        mine = [*rules.get(scenario.name, ()), *namesake_rules()]
        names = {rule.get("policy", SUBJECT) for rule in mine}
        names |= {rule["vs"] for rule in mine if "vs" in rule}
        results = compare(scenario, sorted(names), seeds)
        for rule in mine:
            good, line = verdict(rule, results)
            kept += good
            missed += not good
            print(f"{'ok  ' if good else 'MISS'} {scenario.name:32} {line}", flush=True)
    print(f"{kept} kept, {missed} missed")
    return not missed


def namesake_rules() -> Iterator[dict[str, Any]]:
    """No strategy answers fewer, or later, than the one of the same name.

    (Later by the 95th percentile: where one call in a hundred fails, the 99th is chance.)
    """
    for ours, theirs in NAMESAKES.items():
        for other in theirs:
            base = {"policy": ours, "vs": other}
            yield {**base, "metric": "ok", "op": ">=", "ratio": 1 - LESS_ANSWERED}
            yield {**base, "metric": "p95", "op": "<=", "ratio": SLOWER}


def verdict(rule: dict[str, Any], results: dict[str, Metrics]) -> tuple[bool, str]:
    """Whether a rule is kept: a metric against a bound, or a ratio of another policy's."""
    name, metric, op = rule.get("policy", SUBJECT), rule["metric"], rule["op"]
    value = results[name][metric]
    bound = rule["bound"] if "bound" in rule else rule["ratio"] * results[rule["vs"]][metric]
    good = value <= bound + 1e-9 if op == "<=" else value >= bound - 1e-9
    why = f" ({rule['ratio']} x {rule['vs']})" if "vs" in rule else ""
    digits = f"{bound:.3f}" if isfinite(bound) else "never"
    return good, f"{name}: {metric} {value:.3f} {op} {digits}{why}"
