"""What can be asked for on the command line."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import goals, peers
from .gate import Bound
from .measures import MEASURES, USUAL
from .pace import DEFAULT, QUICK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pace import Pace


@dataclass(frozen=True, slots=True)
class Options:
    """One run, as asked for.

    Attributes:
        peers: labels, the baseline first.
        pythons: interpreter by label, for peers that are not in this environment.
        measures: names of measures.
        goals: whether the report ends with what was to be reached.
        pace: the size of the run.
        deployments: how many a router has.
        strategy: of the routers, where the measure does not set it; None: their own default.
        upstream: `auto`, `c` or `python`.
        bounds: what must hold for the run to succeed.
        seed: of the order in which cells are visited.
        out: file for the report, or for every sample if it ends in `.json`.
        plot: file for a picture of the ratios.
    """

    peers: tuple[str, ...]
    pythons: dict[str, str]
    measures: tuple[str, ...]
    goals: bool
    pace: Pace
    deployments: int
    strategy: str | None
    upstream: str
    bounds: tuple[Bound, ...]
    seed: int | None
    out: Path | None
    plot: Path | None


def parse(arguments: Sequence[str] | None) -> Options:
    """The options; ends the program with a message when they make no sense."""
    parser = build_parser()
    given = parser.parse_args(arguments)
    try:
        return Options(
            peers=labels(given.peers),
            pythons=dict(map(interpreter, given.python)),
            measures=measures(given.measures or ("goals" if given.goals else "usual")),
            goals=given.goals,
            pace=pace(given),
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
            plot=given.plot,
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
    text = f"all, usual ({', '.join(USUAL)}), or some of {', '.join(MEASURES)} (default: usual)"
    add("--measures", help=text)
    add("--goals", action="store_true", help="measure what has a goal; say which are met")
    add("--quick", action="store_true", help="a coarse answer in less than half a minute")
    add("--rounds", type=int, help=f"visits to every cell (default: {DEFAULT.rounds})")
    add("--seconds", type=float, help=f"length of a visit (default: {DEFAULT.seconds})")
    add("--burst", type=int, help=f"calls at once (default: {DEFAULT.burst:,})")
    add("--calls", type=int, help=f"calls that memory is watched for (default: {DEFAULT.calls:,})")
    add("--streams", type=int, help=f"streams that are open at once (default: {DEFAULT.streams:,})")
    add("--deployments", type=int, default=100, help="of a router (default: %(default)s)")
    add("--strategy", help="of the routers, except in choice (default: each its own)")
    add("--upstream", choices=("auto", "c", "python"), default="auto", help="what is called")
    add("--seed", type=int, help="of the order of visits")
    add("--out", type=Path, help="write the report to a file; .json: every sample")
    add("--plot", type=Path, metavar="FILE.svg", help="draw the ratios")
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


SETS = {"all": tuple(MEASURES), "usual": USUAL, "goals": goals.MEASURES}


def pace(given: argparse.Namespace) -> Pace:
    """The size of the run: what is said, over the default or quick one."""
    said = {
        name: value
        for name in ("rounds", "seconds", "burst", "calls", "streams")
        if (value := getattr(given, name)) is not None
    }
    return replace(QUICK if given.quick else DEFAULT, **said)


def measures(text: str) -> tuple[str, ...]:
    """Names of measures."""
    wanted = SETS.get(text) or text.split(",")
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
