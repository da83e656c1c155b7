"""The report: a markdown table per scenario."""

from __future__ import annotations

from math import isinf, isnan
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .metrics import Metrics
    from .scenario import Scenario


class Column(NamedTuple):
    """One figure: its metric, its heading, its format, what it is multiplied with."""

    metric: str
    heading: str
    form: str
    factor: float = 1.0


COLUMNS = (
    Column("ok", "answered %", ".2f", 100),
    Column("p50", "p50 s", ".2f"),
    Column("p99", "p99 s", ".1f"),
    Column("ttft50", "first token p50 s", ".2f"),
    Column("ttft99", "p99 s", ".2f"),
    Column("amp", "attempts/call", ".2f"),
    Column("n429", "429/call", ".3f"),
    Column("cost", "$/1,000", ".2f"),
    Column("osc", "swing", ".3f"),
    Column("load", "highest load", ".0f"),
    Column("ok_fault", "in the fault: answered %", ".2f", 100),
    Column("ttft99_fault", "first token p99 s", ".2f"),
    Column("bad_starts", "attempts there", ".0f"),
    Column("recovery", "back after s", ".0f"),
)


def table(scenario: Scenario, results: Mapping[str, Metrics]) -> str:
    """The figures of a scenario, a row per policy."""
    columns = [it for it in COLUMNS if any(it.metric in metrics for metrics in results.values())]
    head = ["policy", *(column.heading for column in columns)]
    rules = ["---", *["---:"] * len(columns)]
    rows = [
        [name, *(figure(column, metrics) for column in columns)]
        for name, metrics in results.items()
    ]
    lines = ["| " + " | ".join(row) + " |" for row in (head, rules, *rows)]
    return "\n".join([f"### {scenario.name}", "", f"{scenario.what}.", "", *lines, ""])


def figure(column: Column, metrics: Metrics) -> str:
    """One figure."""
    value = metrics.get(column.metric)
    if value is None or isnan(value):
        return "-"
    return "never" if isinf(value) else format(value * column.factor, column.form)
