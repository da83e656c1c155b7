"""A peer in a process of its own, as the driver sees it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import machine

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
PATIENCE = 180
"""Seconds after which a worker that does not answer is given up."""

ENVIRONMENT = {
    # litellm's import downloads its price list, and that would be what is measured.
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    # Installed packages are compiled: an import that compiles anew each time is not theirs.
    "PYTHONDONTWRITEBYTECODE": "",
}
"""Of every process that is measured, the imports included."""

STEADY_HEAP = {
    # asyncio reads into fresh blocks of 256 KiB. Whether glibc gives such a block back to the
    # system after every read, at a fifth of a call's time, depends on what else is on the heap:
    # a matter of luck, so it is taken out for everybody.
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
}
"""Where time is measured. Where memory is, the allocator does what it does for everybody."""


class MeasureFailedError(Exception):
    """A peer could not do what was asked; the text says why."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a peer's process is started.

    Attributes:
        label: the peer's name, with `@anything` to tell environments apart.
        python: the interpreter of the peer's environment.
        core: which core it is kept on, None for any.
        deployments: how many deployments a router gets.
        strategy: a router's strategy, None for its default.
    """

    label: str
    python: str
    core: int | None
    deployments: int
    strategy: str | None

    @property
    def name(self) -> str:
        """The peer's name without what follows the `@`."""
        return self.label.partition("@")[0]


class RemotePeer:
    """A running worker.

    Attributes:
        missing: why the peer cannot run here, None if it can.
        version: its version and its Python's.
        imports: statements that the import measure times.
        strategies: strategies that the choice measure visits.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str] = STEADY_HEAP) -> None:
        self.settings = settings
        options = {"deployments": settings.deployments, "strategy": settings.strategy}
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed by stop()
        self._process = subprocess.Popen(
            [settings.python, "-m", f"{__package__}.worker", settings.name, json.dumps(options)],
            cwd=FOLDER.parent,
            env={**os.environ, **ENVIRONMENT, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        machine.pin(self._process.pid, settings.core)
        try:
            greeting = self._read()
        except MeasureFailedError as error:
            greeting = {"missing": str(error)}
        self.missing: str | None = greeting.get("missing")
        self.version: str = greeting.get("version", "")
        self.imports: list[str] = greeting.get("imports", [])
        self.strategies: list[str] = greeting.get("strategies", [])

    @property
    def label(self) -> str:
        """What the report calls this peer."""
        return self.settings.label

    def ask(
        self, operation: str, *, patience: float = PATIENCE, **arguments: Any
    ) -> dict[str, float]:
        """The sample that a worker's operation returns within `patience` seconds.

        Raises:
            MeasureFailedError: the peer raised, hung or died.
        """
        command = json.dumps({"operation": operation, **arguments})
        assert self._process.stdin is not None
        try:
            print(command, file=self._process.stdin, flush=True)
        except OSError as error:
            raise MeasureFailedError(f"the worker is gone: {self._last_words()}") from error
        return self._read(patience)

    def probe(self, statement: str) -> dict[str, float]:
        """What a statement costs a fresh interpreter of this peer's environment.

        Raises:
            MeasureFailedError: the statement raised.
        """
        with subprocess.Popen(
            [self.settings.python, "-P", str(FOLDER / "probe.py"), statement],
            env={**os.environ, **ENVIRONMENT, **STEADY_HEAP},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            machine.pin(process.pid, self.settings.core)
            output, complaints = process.communicate(timeout=PATIENCE)
        if process.returncode != 0:
            raise MeasureFailedError(last_line(complaints))
        sample: dict[str, float] = json.loads(last_line(output))
        return sample

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def _read(self, patience: float = PATIENCE) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], patience)
        if not ready:
            self._process.kill()
            raise MeasureFailedError(f"no answer in {patience:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise MeasureFailedError(f"the worker died: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "failed" in answer:
            raise MeasureFailedError(answer["failed"])
        return answer

    def _last_words(self) -> str:
        self._log.seek(0)
        return last_line(self._log.read())


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]
