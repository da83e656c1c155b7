"""
A configuration file: what it says, and on which line it says it.

TOML or YAML, by the file's ending. Beside `model_list` it holds the Router's settings, either at
the top or, as LiteLLM has them, under `router_settings`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Place = tuple[str | int, ...]
"""Where something stands: ``("model_list", 2, "litellm_params", "model")``."""

LITELLM_SECTIONS = frozenset({"environment_variables", "general_settings", "litellm_settings"})
"""Sections for LiteLLM's proxy, which a Router has no use for."""

HEADER = re.compile(r"\s*(\[{1,2})([^\[\]]+)\]{1,2}\s*(?:#.*)?$")
ASSIGNMENT = re.compile(r"\s*([\w\"'. -]+?)\s*=")
KEY = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")
STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a file says.

    Attributes:
        model_list: the deployments, unchecked.
        settings: the Router's other settings by their place, unchecked.
        ignored: sections that are not the Router's.
        lines: line numbers, as far as they are known.
    """

    model_list: Any
    settings: dict[Place, Any]
    ignored: list[str] = field(default_factory=list)
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: str) -> int | None:
        """The line of a place like ``model_list[2].params.model``, or of what it stands in."""
        steps: Place = tuple(int(index) if index else name for index, name in STEP.findall(place))
        while steps:
            if steps in self.lines:
                return self.lines[steps]
            steps = steps[:-1]
        return None


def read(path: Path) -> Configuration:
    """The configuration in a file.

    Raises:
        ConfigurationError: it cannot be read or has a syntax error; says where.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from error
    match path.suffix.lower():
        case ".toml":
            data, lines = parse_toml(text)
        case ".yaml" | ".yml":
            data, lines = parse_yaml(text)
        case _:
            raise ConfigurationError(f"{path} is neither .toml nor .yaml")
    if not isinstance(data, dict):
        raise ConfigurationError("the file must hold a mapping with model_list")
    settings: dict[Place, Any] = {
        (name,): value
        for name, value in data.items()
        if name not in LITELLM_SECTIONS | {"model_list", "router_settings"}
    }
    below = data.get("router_settings") or {}
    if not isinstance(below, dict):
        raise ConfigurationError("router_settings must be a mapping")
    settings |= {("router_settings", name): value for name, value in below.items()}
    ignored = sorted(LITELLM_SECTIONS & data.keys())
    return Configuration(data.get("model_list"), settings, ignored, lines)


def parse_toml(text: str) -> tuple[Any, dict[Place, int]]:
    """The data of a TOML file, and the lines of its keys.

    Raises:
        ConfigurationError: it is no TOML.
    """
    try:
        return tomllib.loads(text), toml_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"this is no TOML: {error}") from error


def toml_lines(text: str) -> dict[Place, int]:
    """Lines of headers and keys; tomllib does not tell them."""
    lines: dict[Place, int] = {}
    counts: Counter[Place] = Counter()
    table: Place = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := HEADER.match(line):
            table = ()
            for key in keys_of(header[2]):
                table += (key,)
                if counts[table]:
                    table += (counts[table] - 1,)
            if header[1] == "[[":
                table = table[:-1] if isinstance(table[-1], int) else table
                counts[table] += 1
                table += (counts[table] - 1,)
            lines.setdefault(table, number)
        elif assignment := ASSIGNMENT.match(line):
            lines.setdefault((*table, *keys_of(assignment[1])), number)
    return lines


def keys_of(dotted: str) -> list[str]:
    """The parts of a dotted key of TOML."""
    return ["".join(parts) for parts in KEY.findall(dotted)]


def parse_yaml(text: str) -> tuple[Any, dict[Place, int]]:
    """The data of a YAML file, and the lines of its keys.

    Raises:
        ConfigurationError: it is no YAML, or pyyaml is not installed.
    """
    if find_spec("yaml") is None:
        raise ConfigurationError("YAML needs pyyaml: pip install 'polyroute[yaml]', or use TOML")
    yaml = import_module("yaml")
    try:
        return yaml.safe_load(text), dict(yaml_lines(yaml.compose(text, yaml.SafeLoader), ()))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"this is no YAML: {' '.join(str(error).split())}") from error


def yaml_lines(node: Any, place: Place) -> Iterator[tuple[Place, int]]:
    """Lines of a YAML node and of everything below it."""
    match getattr(node, "id", None):
        case "mapping":
            for key, value in node.value:
                below = (*place, key.value)
                yield below, key.start_mark.line + 1
                yield from yaml_lines(value, below)
        case "sequence":
            for position, value in enumerate(node.value):
                below = (*place, position)
                yield below, value.start_mark.line + 1
                yield from yaml_lines(value, below)
