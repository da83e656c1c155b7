"""
The process that one peer runs in.

    python -m benchmarks.worker NAME OPTIONS

Greets with one JSON line, then takes one command per line and answers each with one line: a
sample, or `{"failed": why}`. It runs in the peer's own environment, so nothing but the standard
library and the peer is imported.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import traceback
from typing import TYPE_CHECKING, Any

from . import heavy, load, machine
from .peers import Setup

if TYPE_CHECKING:
    from types import ModuleType

    from .peers import Client


class Worker:
    """Keeps a client per scenario, so that its connections stay open between the rounds."""

    def __init__(self, peer: ModuleType, *, deployments: int, strategy: str | None) -> None:
        self.peer = peer
        self.deployments = deployments
        self.strategy = strategy
        self.clients: dict[Setup, Client] = {}

    async def calls(self, *, url: str, seconds: float, in_flight: int) -> load.Sample:
        return await load.calls(self.client(url), seconds=seconds, in_flight=in_flight)

    async def streams(
        self, *, url: str, seconds: float, in_flight: int, chunks: int
    ) -> load.Sample:
        client = self.client(url)
        return await load.streams(client, seconds=seconds, in_flight=in_flight, chunks=chunks)

    async def choices(
        self, *, url: str, seconds: float, strategy: str, sizes: list[int]
    ) -> load.Sample:
        """Microseconds per choice, by number of deployments."""
        return {
            str(size): await load.choices(self.made(Setup(url, size, strategy)), seconds=seconds)
            for size in sizes
        }

    async def burst(self, *, url: str, count: int) -> load.Sample:
        machine.allow_descriptors(count)
        return await heavy.burst(self.client(url), count=count)

    async def growth(self, *, url: str, count: int) -> load.Sample:
        return await heavy.growth(self.client(url), count=count)

    async def crowd(self, *, url: str, count: int, chunks: int) -> load.Sample:
        machine.allow_descriptors(count)
        client = self.client(url, connections=count)
        return await heavy.crowd(client, count=count, chunks=chunks)

    async def backlog(self, *, url: str, chunks: int) -> load.Sample:
        return await heavy.backlog(self.client(url), chunks=chunks)

    def client(self, url: str, *, connections: int | None = None) -> Client:
        """The client of a scenario."""
        setup = Setup(url, self.deployments, self.strategy, connections)
        client: Client = self.made(setup)
        return client

    def made(self, setup: Setup) -> Any:
        """The client for a setup, made when it is first needed."""
        if setup not in self.clients:
            self.clients[setup] = self.peer.Client(setup)
        return self.clients[setup]


def greeting(peer: ModuleType) -> dict[str, Any]:
    """What the driver wants to know about a peer before it measures it."""
    try:
        version = importlib.metadata.version(peer.DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        version = "(not installed, on the path)"
    return {
        "version": f"{peer.DISTRIBUTION} {version}, Python {platform.python_version()}",
        "imports": peer.IMPORTS,
        "strategies": peer.STRATEGIES,
    }


def reason(error: BaseException) -> str:
    """The first cause, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"[:300].replace("\n", " ")


def main() -> None:
    """Serve commands until the standard input ends."""
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    name, options = sys.argv[1], json.loads(sys.argv[2])
    # The repository's root has names (`router`, `schemas`) that a peer may mean something else by.
    sys.path.pop(0)
    try:
        peer = importlib.import_module(f".peers.{name.replace('-', '_')}", __package__)
    except ImportError as error:
        answers.write(json.dumps({"missing": reason(error)}) + "\n")
        return
    worker = Worker(peer, **options)
    answers.write(json.dumps(greeting(peer)) + "\n")
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            command = json.loads(line)
            try:
                answer = runner.run(getattr(worker, command.pop("operation"))(**command))
            except Exception as error:  # noqa: BLE001  whatever a peer raises is a result here
                traceback.print_exc()
                answer = {"failed": reason(error)}
            answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
