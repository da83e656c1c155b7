"""What can be asked for on the command line."""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import peers
from .gate import Bound
from .measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Pace:
    """How long everything takes.

    Attributes:
        rounds: how often every cell is measured.
        seconds: how long one cell takes in one round, and to warm up before.
        sizes: numbers of deployments that the choice is measured at.
    """

    rounds: int
    seconds: float
    sizes: tuple[int, ...]


DEFAULT = Pace(rounds=7, seconds=0.5, sizes=(10, 100, 1_000, 10_000))
QUICK = Pace(rounds=3, seconds=0.15, sizes=(10, 100, 1_000))


@dataclass(frozen=True, slots=True)
class Options:
    """One run, as asked for.

    Attributes:
        peers: labels, the baseline first.
        pythons: interpreter by label, for peers that are not in this environment.
        measures: names of measures.
        deployments: how many a router has.
        strategy: of the routers, where the measure does not set it; None: their own default.
        upstream: `auto`, `c` or `python`.
        bounds: what must hold for the run to succeed.
        seed: of the order in which cells are visited.
        out: file for the report, or for every sample if it ends in `.json`.
    """

    peers: tuple[str, ...]
    pythons: dict[str, str]
    measures: tuple[str, ...]
    pace: Pace
    deployments: int
    strategy: str | None
    upstream: str
    bounds: tuple[Bound, ...]
    seed: int | None
    out: Path | None

    def python(self, label: str) -> str:
        """The interpreter that a peer runs in."""
        return self.pythons.get(label, sys.executable)


def parse(arguments: Sequence[str] | None) -> Options:
    """The options; ends the program with a message when they make no sense."""
    parser = build_parser()
    given = parser.parse_args(arguments)
    pace = QUICK if given.quick else DEFAULT
    try:
        return Options(
            peers=labels(given.peers),
            pythons=dict(map(interpreter, given.python)),
            measures=measures(given.measures),
            pace=Pace(given.rounds or pace.rounds, given.seconds or pace.seconds, pace.sizes),
            deployments=given.deployments,
            strategy=given.strategy,
            upstream=given.upstream,
            bounds=tuple(
                Bound.parse(option, text)
                for option, texts in (("--max", given.max), ("--min", given.min))
                for text in texts
            ),
            seed=given.seed,
            out=given.out,
        )
    except ValueError as error:
        parser.error(str(error))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure polyroute's Router against a bare aiohttp session and its peers.",
    )
    add = parser.add_argument
    known = ", ".join(peers.names())
    add("--peers", default="polyroute", help=f"all, or some of {known} (default: %(default)s)")
    add("--measures", default="all", help=f"all, or some of {', '.join(MEASURES)}")
    add("--quick", action="store_true", help="a coarse answer in less than half a minute")
    add("--rounds", type=int, help=f"visits to every cell (default: {DEFAULT.rounds})")
    add("--seconds", type=float, help=f"length of a visit (default: {DEFAULT.seconds})")
    add("--deployments", type=int, default=10, help="of a router (default: %(default)s)")
    add("--strategy", help="of the routers, except in choice (default: each its own)")
    add("--upstream", choices=("auto", "c", "python"), default="auto", help="what is called")
    add("--seed", type=int, help="of the order of visits")
    add("--out", type=Path, help="write the report to a file; .json: every sample")
    for option, bound in (("--max", "above, e.g. call=1.15"), ("--min", "below")):
        text = f"fail if polyroute's median ratio is {bound}; repeatable"
        add(option, action="append", default=[], metavar="NAME=LIMIT", help=text)
    text = (
        "interpreter of a peer's own environment; polyroute@old is a second polyroute; repeatable"
    )
    add("--python", action="append", default=[], metavar="PEER=PATH", help=text)
    return parser


def labels(text: str) -> tuple[str, ...]:
    """Labels of peers, the baseline first whether it is named or not."""
    known = peers.names()
    wanted = known if text == "all" else text.split(",")
    for label in wanted:
        if label.partition("@")[0] not in known:
            raise ValueError(f"there is no peer {label!r}; there are {', '.join(known)}")
    return tuple(dict.fromkeys((peers.BASELINE, *wanted)))


def measures(text: str) -> tuple[str, ...]:
    """Names of measures."""
    wanted = list(MEASURES) if text == "all" else text.split(",")
    for name in wanted:
        if name not in MEASURES:
            raise ValueError(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
    return tuple(dict.fromkeys(wanted))


def interpreter(text: str) -> tuple[str, str]:
    """From `peer=path`."""
    label, _, path = text.partition("=")
    if not shutil.which(path):
        raise ValueError(f"--python {text}: {path or 'nothing'!r} is not a program")
    return label, str(Path(path).absolute()) if "/" in path else path
