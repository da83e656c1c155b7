"""What the decision core promises, in short simulations on a virtual clock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # the benchmarks are not part of the package

from benchmarks.routing.contest import NAMESAKES, POLICIES, simulate
from benchmarks.routing.metrics import measure, percentile
from benchmarks.routing.scenario import Scenario, parse, scenarios

OURS = [name for name in POLICIES if name.startswith("polyroute/")]
EVERY = pytest.mark.parametrize("policy", OURS)


def scenario(deployments: list[dict[str, Any]], seconds: float = 60, **options: Any) -> Scenario:
    """Six calls per second for a minute, unless said otherwise."""
    typical = {"ttft_median": 0.4, "ttft_sigma": 0.3, "tps_median": 80}
    return parse(
        {
            "name": "short",
            "duration": seconds,
            "warmup": 0,
            "phases": [{"until": seconds, "rps": options.pop("rps", 6)}],
            "tokens": {"in_median": 400, "in_sigma": 0.5, "out_median": 100, "out_sigma": 0.5},
            "deployments": [typical | given for given in deployments],
            **options,
        }
    )


def broken(kind: str, begins: float, ends: float, **more: float) -> dict[str, Any]:
    return {"faults": [{"kind": kind, "from": begins, "to": ends, **more}]}


@EVERY
@pytest.mark.parametrize("kind", ["refuse", "error"])
def test_a_dead_deployment_is_left_alone(policy: str, kind: str) -> None:
    """At most ten attempts reach a dead deployment before it rests, one probe at a time then."""
    dead = {"id": "dead", **broken(kind, 20, 60, p=1.0)}
    run = simulate(scenario([dead, {"id": "a"}, {"id": "b"}]), policy, seed=1)
    assert sum(start.place == 0 and 20 <= start.at < 24 for start in run.starts) <= 10
    assert sum(start.place == 0 and start.at >= 30 for start in run.starts) <= 10


@EVERY
def test_no_call_is_lost_while_a_sibling_is_healthy(policy: str) -> None:
    """Two of three refuse, or hang: everybody is answered by the third."""
    deployments = [
        {"id": "refusing", **broken("refuse", 10, 40)},
        {"id": "hanging", **broken("hang", 10, 40)},
        {"id": "healthy"},
    ]
    run = simulate(scenario(deployments), policy, seed=2)
    assert [request for request in run.requests if not request.ok] == []


@EVERY
def test_the_same_seed_decides_the_same(policy: str) -> None:
    """Given clock, generator and observations, every decision is repeated."""
    some = scenario([{"id": "a", "rpm": 120}, {"id": "b", **broken("error", 5, 15, p=0.5)}], 30)
    one, same = simulate(some, policy, seed=3), simulate(some, policy, seed=3)
    assert one.starts == same.starts
    assert simulate(some, policy, seed=4).starts != one.starts


def test_a_quota_that_is_known_is_kept() -> None:
    """Twice as many calls come as quotas allow for a while: they queue, nobody hears 429."""
    limits = {"rpm": 240, "cfg_rpm": 240}
    some = scenario([{"id": "a", **limits}, {"id": "b", **limits}], 20, rps=12)
    run = simulate(some, "polyroute/adaptive", seed=5)
    assert run.limited == 0
    assert all(request.ok for request in run.requests)


def test_outages_are_not_amplified() -> None:
    """While everybody is down there are at most 1.2 attempts per call."""
    down = broken("error", 20, 50, p=1.0)
    some = scenario([{"id": name, **down} for name in "abc"], rps=20)
    run = simulate(some, "polyroute/adaptive", seed=6)
    calls = sum(20 <= request.arrived < 50 for request in run.requests)
    assert sum(20 <= start.at < 50 for start in run.starts) <= 1.2 * calls


def test_the_fastest_gets_what_it_can_bear() -> None:
    """By latency, one that no load slows gets nearly everything, one with a queue only its due."""
    fast, slow = {"id": "fast", "ttft_median": 0.2, "tps_median": 160}, {"id": "slow"}
    free = simulate(scenario([fast, slow]), "polyroute/lowest-latency", seed=7)
    assert sum(start.place == 0 for start in free.starts) > 0.9 * len(free.starts)
    queue = simulate(scenario([fast | {"slots": 2}, slow]), "polyroute/lowest-latency", seed=7)
    assert sum(start.place == 0 for start in queue.starts) < 0.8 * len(queue.starts)
    assert measure(queue)["ttft99"] < 3.0


@pytest.mark.parametrize("name", NAMESAKES)
def test_namesakes(name: str) -> None:
    """No strategy answers fewer than LiteLLM's of the same name while a deployment fails."""
    some = scenario([{"id": "a", **broken("error", 15, 45, p=0.8)}, {"id": "b"}, {"id": "c"}])
    ours = measure(simulate(some, name, seed=8))
    for other in NAMESAKES[name]:
        assert ours["ok"] >= measure(simulate(some, other, seed=8))["ok"]


def test_scenarios_can_be_read() -> None:
    """All scenario files say what they mean; copies get ids of their own."""
    found = {it.name: it for it in scenarios()}
    assert list(found)[:2] == ["s1_hetero_steady", "s2_burst_quota"]
    many = found["s15_five_hundred"].deployments
    assert len({it.id for it in many}) == len(many) == 500
    assert sum(len(it.faults) for it in found["s6_flapping_errors"].deployments) == 15


def test_percentiles() -> None:
    """Interpolated between neighbours."""
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([0.0, 10.0], 99) == pytest.approx(9.9)
