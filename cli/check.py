"""
Say what is wrong with a configuration file, and where.

The rules are the Router's own (`polyroute.router.config`, its signature, its providers); this
command only goes on after the first problem and knows the lines.
"""

from __future__ import annotations

import inspect
import random
import sys
import time
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..exceptions import APIError, ConfigurationError
from ..router import Router
from ..router.config import deployment_config, fallback_chains
from ..router.deployment import make_deployment
from ..router.health import Circuit, HealthPolicy
from ..router.wildcards import STAR, pattern_of
from .configuration import read
from .terminal import BAD, FAINT, GOOD, screen

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from ..router.deployment import Deployment
    from .configuration import Configuration, Place
    from .terminal import Row, Screen

NOT_IN_FILES = frozenset({"self", "model_list", "providers", "clock", "rng"})
"""Parameters of a Router that are objects."""

SETTINGS = {
    name: parameter
    for name, parameter in inspect.signature(Router).parameters.items()
    if name not in NOT_IN_FILES
}

OTHER_NAMES = "model_group_alias"

KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
}
"""What a setting annotated like this may be in a file."""

REPHRASED = {
    "Extra inputs are not permitted": "no such field; an entry has model_name, litellm_params "
    "(or params) and model_info",
    "Field required": "this is missing",
}
COLUMNS = ("alias", "deployment", "provider", "model", "address")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong; `place` reads like ``model_list[2].params.model``."""

    place: str
    message: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("config", metavar="CONFIG", type=Path, help="a .toml or .yaml file")


def run(arguments: argparse.Namespace) -> int:
    """Report every problem of a file; 0 if there is none."""
    path: Path = arguments.config
    output = screen()
    try:
        found = read(path)
    except ConfigurationError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    checked = Checked(found)
    if checked.problems:
        report(output, path, found, checked.problems)
        return 1
    summary(output, path, found, checked.deployments)
    return 0


class Checked:
    """The deployments of a configuration, and the problems of all of it."""

    def __init__(self, configuration: Configuration) -> None:
        self.problems: list[Problem] = []
        self.deployments: list[Deployment] = []
        self._ids: dict[str, str] = {}
        entries = configuration.model_list
        if not isinstance(entries, list) or not entries:
            self.problems.append(Problem("model_list", "must be a list with at least one entry"))
            entries = []
        for position, entry in enumerate(entries):
            self._deployment(entry, f"model_list[{position}]")
        aliases = aliases_of(entries, configuration.settings)
        for place, value in configuration.settings.items():
            self.problems += setting_problems(place, value, aliases)
        if not self.problems:
            self._whole(configuration)

    def _deployment(self, entry: Any, place: str) -> None:
        """One entry of `model_list`: its shape, its provider, its key and address, its id."""
        try:
            config = deployment_config(entry, place)
        except ConfigurationError as error:
            self.problems += problems_of(error)
            return
        params = "params" if "params" in entry else "litellm_params"
        if STAR in config.model_name:
            return  # there are deployments when somebody asks for a model
        try:
            circuit = Circuit(HealthPolicy(), time.monotonic, random.Random())
            deployment = make_deployment(config, circuit, {})
        except APIError as error:
            self.problems.append(Problem(f"{place}.{params}.model", error.message))
            return
        try:
            _ = deployment.adapter()
        except APIError as error:
            where = error.param or "api_key"
            self.problems.append(Problem(f"{place}.{params}.{where}", error.message))
        id = config.model_info.id
        if id is not None and id in self._ids:
            message = f"{id!r} is already the id of {self._ids[id]}; ids must be unique"
            self.problems.append(Problem(f"{place}.model_info.id", message))
        self._ids.setdefault(id or deployment.id, place)
        self.deployments.append(deployment)

    def _whole(self, configuration: Configuration) -> None:
        """The Router itself has the last word."""
        settings = {str(place[-1]): value for place, value in configuration.settings.items()}
        try:
            Router(configuration.model_list, **settings)
        except ConfigurationError as error:
            self.problems += problems_of(error)


def aliases_of(entries: Iterable[Any], settings: Mapping[Place, Any]) -> list[str]:
    """The aliases that a file means to define, also where an entry has other faults."""
    names = [entry.get("model_name") for entry in entries if isinstance(entry, dict)]
    for place, value in settings.items():
        if place[-1] == OTHER_NAMES and isinstance(value, dict):
            names += value
    return list(dict.fromkeys(name for name in names if isinstance(name, str)))


def setting_problems(place: Place, value: Any, aliases: list[str]) -> Iterator[Problem]:
    """What is wrong with one setting of the Router."""
    where = ".".join(str(step) for step in place)
    name = str(place[-1])
    if name not in SETTINGS:
        close = get_close_matches(name, SETTINGS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(SETTINGS)}"
        yield Problem(where, f"a Router has no such setting; {hint}")
        return
    if name.endswith("fallbacks") and isinstance(value, dict | list):
        yield from fallback_problems(where, value, aliases)
        return
    if name == OTHER_NAMES:
        return  # the whole Router knows where they lead
    kinds, wanted = KINDS.get(str(SETTINGS[name].annotation), ((object,), ""))
    if not isinstance(value, kinds) or (isinstance(value, bool) and wanted.endswith("number")):
        yield Problem(where, f"must be {wanted}, not {value!r:.40}")
        return
    setting: dict[str, Any] = {name: value}
    try:
        Router(**setting)
    except ConfigurationError as error:
        yield Problem(where, str(error))


def fallback_problems(
    place: str, value: dict[str, Any] | list[Any], aliases: list[str]
) -> Iterator[Problem]:
    """Each alias that does not exist, each entry of another shape."""
    for position, entry in enumerate([value] if isinstance(value, dict) else value):
        for chain in single_chains(entry):
            try:
                fallback_chains([*[{}] * position, chain], Known(aliases), place)
            except ConfigurationError as error:
                where = f"{place}[{position}]"
                yield Problem(where, str(error).removeprefix(where).lstrip(": ."))


class Known(tuple[str, ...]):
    """Aliases, among which are all those that a ``*`` stands for."""

    __slots__ = ()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(pattern_of(alias).fullmatch(name) for alias in self)


def single_chains(entry: Any) -> list[Any]:
    """An entry of `fallbacks` cut into entries that can have one fault only."""
    if not isinstance(entry, dict):
        return [entry]
    return [
        {alias: targets if target is None else [target]}
        for alias, targets in entry.items()
        for target in (targets if isinstance(targets, list) else [None])
    ]


def problems_of(error: ConfigurationError) -> Iterator[Problem]:
    """The lines of a ConfigurationError, each ``place: message``."""
    for line in str(error).splitlines():
        place, colon, message = line.partition(": ")
        message = message.removeprefix("Value error, ")
        yield Problem(place, REPHRASED.get(message, message)) if colon else Problem("", line)


def report(
    output: Screen, path: Path, configuration: Configuration, problems: list[Problem]
) -> None:
    """Show the problems in the order of the file."""
    placed = [(configuration.line(problem.place), problem) for problem in problems]
    placed.sort(key=lambda found: found[0] or 0)
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    output.say((f"{path}: {count}", f"bold {BAD}"))
    for line, problem in placed:
        output.say(
            (f"  line {line}" if line else "  somewhere", FAINT), "  ", (problem.place, "bold")
        )
        output.say(f"      {problem.message}")


def summary(
    output: Screen, path: Path, configuration: Configuration, deployments: list[Deployment]
) -> None:
    """Show what a Router would make of the file."""
    aliases = {deployment.model_name for deployment in deployments}
    output.say((f"{path}: nothing is wrong. ", GOOD), f"{len(deployments)} deployments, "
               f"{len(aliases)} aliases")  # fmt: skip
    rows: list[Row] = [
        [
            [deployment.model_name],
            [deployment.id],
            [deployment.target.provider],
            [deployment.target.model],
            [deployment.target.api_base or "the provider's"],
        ]
        for deployment in deployments
    ]
    output.table(COLUMNS, rows)
    for place, value in configuration.settings.items():
        output.say((f"  {place[-1]} ", FAINT), f"{value}")
    if configuration.ignored:
        output.say((f"  not the Router's, ignored: {', '.join(configuration.ignored)}", FAINT))
