"""The commands and their arguments."""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from ..exceptions import PolyrouteError
from . import chat, check, demo

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {"demo": demo, "chat": chat, "check": check}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    chosen = parser().parse_args(arguments)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="replace")  # a terminal without "✓" is no reason to fail
    try:
        return int(COMMANDS[chosen.command].run(chosen))
    except PolyrouteError as error:
        print(f"polyroute {chosen.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    made = argparse.ArgumentParser(
        prog="polyroute", description="An asyncio-first router for language-model calls."
    )
    made.add_argument("--version", action="version", version=f"polyroute {installed()}")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        summary = (command.__doc__ or "").strip().partition("\n")[0]
        command.add_arguments(commands.add_parser(name, help=summary, description=summary))
    return made


def installed() -> str:
    """The version that is installed; there is none where the source is imported as it lies."""
    try:
        return version("polyroute")
    except PackageNotFoundError:
        return "(not installed)"
