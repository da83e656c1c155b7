"""
What a simulation is about: who is deployed, what breaks when, and who calls.

A scenario is a JSON file. Everybody who is put through it with the same seed sees the same
arrivals, the same lengths and the same luck per (request, deployment), so that differences
between policies are differences of the policies.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from math import exp, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = Path(__file__).with_name("scenarios")

FaultKind = Literal["refuse", "error", "hang", "slow", "midstream", "quota"]
RetryAfter = Literal["int", "float", "none"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a deployment from one second to another.

    ``refuse``: no connection; ``error``: 5xx; ``hang``: accepted and never answered; ``slow``;
    ``midstream``: streams break; ``quota``: the real quota is another than the configured one.
    """

    kind: FaultKind
    begins: float
    ends: float
    probability: float = 1.0
    delay: float | None = None
    first_token_factor: float = 1.0
    rate_factor: float = 1.0
    quota_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment as it is. `limits` are its real quotas, `configured` what the router knows.

    Attributes:
        first_token, first_token_spread: median (seconds) and sigma of a log-normal.
        rate, rate_spread: the same of tokens per second.
        prefill: prompt tokens per second, on top of the time to first token.
        slots, queue: how many it works on at a time, and how many wait for that.
        slowed: tokens per second fall by ``1 / (1 + slowed · running / slots)``.
        quota_group: deployments with the same share one quota.
        burst: seconds of its quota that may come at once.
        prices: US dollars per million tokens of input and output.
    """

    id: str
    first_token: float
    rate: float
    first_token_spread: float = 0.5
    rate_spread: float = 0.25
    prefill: float = 8000.0
    slots: float = inf
    queue: float = inf
    slowed: float = 0.0
    limits: dict[str, float] = field(default_factory=dict)
    configured: dict[str, float] = field(default_factory=dict)
    quota_group: str = ""
    burst: float = 10.0
    prices: tuple[float, float] = (1.0, 4.0)
    weight: float = 1.0
    order: float | None = None
    retry_after: RetryAfter = "int"
    headers: bool = True
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long prompts and answers are: log-normals, some answers much longer."""

    input_median: float
    input_sigma: float
    output_median: float
    output_sigma: float
    input_most: float = 60_000.0
    output_most: float = 4096.0
    long_share: float = 0.0
    long_factor: float = 1.0

    def draw(self, rng: random.Random) -> tuple[int, int]:
        """Tokens of a prompt and of its answer."""
        prompt = self.input_median * exp(self.input_sigma * rng.gauss(0.0, 1.0))
        answer = self.output_median * exp(self.output_sigma * rng.gauss(0.0, 1.0))
        if self.long_share and rng.random() < self.long_share:
            answer *= self.long_factor
        return max(1, int(min(prompt, self.input_most))), max(1, int(min(answer, self.output_most)))


@dataclass(frozen=True, slots=True)
class FaultWindow:
    """When and where something is wrong, for the figures about that time."""

    ids: frozenset[str]
    begins: float
    ends: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call comes in."""

    number: int
    at: float
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """All of it. Times are seconds; `phases` are (end, calls per second)."""

    name: str
    what: str
    duration: float
    phases: tuple[tuple[float, float], ...]
    lengths: Lengths
    deployments: tuple[Deployed, ...]
    fault_window: FaultWindow | None = None
    warmup: float = 20.0
    instances: int = 1
    deadline: float = 120.0
    soft_timeout: float = 15.0
    max_attempts: int = 3

    def arrivals(self, seed: int) -> Iterator[Arrival]:
        """Calls as they come, independently of each other and of how they are answered."""
        rng = random.Random(f"arrivals {seed}")
        now, number = 0.0, 0
        for end, rate in self.phases:
            while rate > 0:
                now += rng.expovariate(rate)
                if now >= end:
                    break
                yield Arrival(number, now, *self.lengths.draw(rng))
                number += 1
            now = end


def luck(seed: int, number: int, place: int) -> random.Random:
    """What chance has in store for a request at a deployment, whoever sends it there."""
    return random.Random((seed * 1_000_003 + number) * 4099 + place)


def scenarios(names: Sequence[str] = ()) -> list[Scenario]:
    """The scenarios of this folder, all or those whose names begin like this.

    Raises:
        ValueError: a name is none.
    """
    known = [load(path) for path in sorted(FOLDER.glob("*.json"), key=_in_order)]
    for name in names:
        if not any(scenario.name.startswith(name) for scenario in known):
            there = ", ".join(scenario.name for scenario in known)
            raise ValueError(f"there is no scenario {name!r}; there are {there}")
    return [it for it in known if not names or it.name.startswith(tuple(names))]


def load(path: Path) -> Scenario:
    """The scenario in a file."""
    return parse(json.loads(path.read_text("utf-8")))


def parse(given: dict[str, Any]) -> Scenario:
    """A scenario from its JSON."""
    options = {
        "warmup": given.get("warmup"),
        "instances": given.get("instances"),
        "deadline": given.get("deadline"),
        "soft_timeout": given.get("ttft_timeout"),
        "max_attempts": given.get("max_attempts"),
    }
    return Scenario(
        name=given["name"],
        what=given.get("what", ""),
        duration=given["duration"],
        phases=tuple((phase["until"], phase["rps"]) for phase in given["phases"]),
        lengths=_lengths(given["tokens"]),
        deployments=tuple(it for some in given["deployments"] for it in _copies(some)),
        fault_window=_window(given.get("fault_window")),
        **_present(options),
    )


def _copies(given: dict[str, Any]) -> Iterator[Deployed]:
    """A deployment, or several alike (`copies`): their ids are numbered."""
    if "copies" not in given:
        yield _deployed(given)
    for number in range(given.get("copies", 0)):
        yield _deployed({**given, "id": f"{given['id']}-{number}"})


def _deployed(given: dict[str, Any]) -> Deployed:
    limits = _present({name: given.get(name) for name in ("rpm", "tpm")})
    configured = _present({name: given.get(f"cfg_{name}") for name in ("rpm", "tpm")})
    options = {
        "first_token_spread": given.get("ttft_sigma"),
        "rate_spread": given.get("tps_sigma"),
        "prefill": given.get("prefill_tps"),
        "slots": given.get("slots"),
        "queue": given.get("queue_max"),
        "slowed": given.get("load_beta"),
        "burst": given.get("burst_s"),
        "weight": given.get("weight"),
        "order": given.get("order"),
        "retry_after": given.get("retry_after"),
        "headers": given.get("headers"),
    }
    return Deployed(
        id=given["id"],
        first_token=given["ttft_median"],
        rate=given["tps_median"],
        limits=limits,
        configured={**limits, **configured},
        quota_group=given.get("quota_group", given["id"]),
        prices=(given.get("price_in", 1.0), given.get("price_out", 4.0)),
        faults=tuple(fault for each in given.get("faults", ()) for fault in _faults(each)),
        **_present(options),
    )


def _faults(given: dict[str, Any]) -> Iterator[Fault]:
    """A fault, or the many that one that flaps (seconds on, seconds off) stands for."""
    begins, last = given["from"], given["to"]
    on, off = given.get("flap", (last - begins, inf))
    options = {
        "probability": given.get("p"),
        "delay": given.get("delay"),
        "first_token_factor": given.get("ttft_mult"),
        "rate_factor": given.get("tps_mult"),
        "quota_factor": given.get("mult"),
    }
    while begins < last:
        yield Fault(given["kind"], begins, min(begins + on, last), **_present(options))
        begins += on + off


def _lengths(given: dict[str, Any]) -> Lengths:
    options = {
        "input_most": given.get("in_max"),
        "output_most": given.get("out_max"),
        "long_share": given.get("long_p"),
        "long_factor": given.get("long_mult"),
    }
    return Lengths(
        input_median=given["in_median"],
        input_sigma=given["in_sigma"],
        output_median=given["out_median"],
        output_sigma=given["out_sigma"],
        **_present(options),
    )


def _window(given: dict[str, Any] | None) -> FaultWindow | None:
    if given is None:
        return None
    ids = given["dep"] if isinstance(given["dep"], list) else [given["dep"]]
    return FaultWindow(frozenset(ids), given["from"], given["to"])


def _present(options: dict[str, Any]) -> dict[str, Any]:
    """What the file says; for the rest the defaults stand, which are written once."""
    return {name: value for name, value in options.items() if value is not None}


def _in_order(path: Path) -> tuple[int, str]:
    """s2 before s10."""
    number = path.stem.partition("_")[0].removeprefix("s")
    return (int(number) if number.isdigit() else 0, path.stem)
