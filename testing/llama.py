"""
A real inference server on the loopback: llama.cpp with a model of 0.44 M parameters.

    async with LlamaServer() as server:
        Router(model_list=[server.deployment("smart"), server.deployment("smart", "anthropic")])

It answers a handful of prompts sensibly and always the same way ("What is the capital of France?",
"tell me a long story"). Needs the extra `real` (xllamacpp, a prebuilt wheel without further
dependencies). The model was made and trained for this project.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from ..exceptions import ConfigurationError, PolyrouteError
from .server import HOST, bind, model_entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

HERE = Path(__file__).parent
TINY_MODEL = HERE / "data" / "tiny-llama.gguf"
PROGRAM = HERE / "llama_process.py"
START_LIMIT = 30.0
"""Seconds that a server may take to load its model."""

BASE_PATHS = {"openai": "/v1", "anthropic": ""}


class LlamaServer:
    """A process that serves OpenAI's and Anthropic's formats on one port.

    Args:
        model: a GGUF file; the tiny model of this package if not given.

    Raises:
        ConfigurationError: the extra is not installed; says how to install it.
    """

    def __init__(self, model: Path = TINY_MODEL) -> None:
        if find_spec("xllamacpp") is None:
            raise ConfigurationError(
                "real inference servers need xllamacpp: pip install 'polyroute[real]'"
            )
        self._model = model
        self._process: asyncio.subprocess.Process | None = None
        self._log: IO[bytes] | None = None
        self.port: int = 0

    def deployment(
        self,
        model_name: str,
        format: Literal["openai", "anthropic"] = "openai",
        *,
        id: str | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """An entry for a Router's `model_list` that leads here."""
        model = f"{format}/{self._model.stem}"
        base_url = f"http://{HOST}:{self.port}{BASE_PATHS[format]}"
        return model_entry(model_name, model, base_url, id=id, info=info)

    async def start(self) -> None:
        """Start the process, on the port it had before if there was one.

        Raises:
            PolyrouteError: it does not come up; shows the end of what it said.
        """
        if not self.port:
            with bind(0) as free:
                self.port = free.getsockname()[1]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(PROGRAM), str(self.port), str(self._model)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
        )
        output = self._process.stdout
        try:
            async with asyncio.timeout(START_LIMIT):
                ready = await output.readline() if output is not None else b""
        except TimeoutError:
            ready = b""
        if not ready.startswith(b"listening"):
            self.kill()
            await self._process.wait()
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip().splitlines()
            await self.stop()
            raise PolyrouteError(f"llama.cpp did not start: {' / '.join(said[-3:]) or 'no reason'}")

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """End the process and wait until it is gone."""
        self.kill()
        if self._process is not None:
            await self._process.communicate()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    async def revive(self) -> None:
        """Start again on the same port."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()
