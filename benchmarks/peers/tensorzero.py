"""TensorZero's gateway inside this process, without observability: its parts are in Rust."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from tensorzero import AsyncTensorZeroGateway

from . import GROUP, KEY, MODEL, Messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

    from . import Setup

DISTRIBUTION = "tensorzero"
IMPORTS = ("import tensorzero",)
STRATEGIES = ()

KEY_NAME = "BENCHMARK_KEY"
HEAD = """
[gateway]
observability.enabled = false
[models.{model}]
routing = [{providers}]
"""
PROVIDER = """
[models.{model}.providers.{name}]
type = "openai"
model_name = "{upstream}"
api_base = "{url}/"
api_key_location = "env::{key}"
"""


class Client:
    """A gateway with one model; its providers are asked in their order."""

    def __init__(self, setup: Setup) -> None:
        os.environ[KEY_NAME] = KEY
        self.config = config(setup)
        self.gateway: Any = None

    async def call(self, messages: Messages) -> str | None:
        answer = await self.infer(messages)
        text: str | None = answer.content[0].text
        return text

    async def stream(self, messages: Messages) -> AsyncIterable[Any]:
        chunks: AsyncIterable[Any] = await self.infer(messages, stream=True)
        return chunks

    def text(self, chunk: Any, /) -> str | None:
        text: str | None = chunk.content[0].text if chunk.content else None
        return text

    async def infer(self, messages: Messages, **options: bool) -> Any:
        if self.gateway is None:
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(self.config)
                file.flush()
                self.gateway = await AsyncTensorZeroGateway.build_embedded(config_file=file.name)
        system, *rest = messages
        said = {"system": system["content"], "messages": rest}
        return await self.gateway.inference(model_name=GROUP, input=said, **options)


def config(setup: Setup) -> str:
    """The gateway's configuration file."""
    names = [f"p{index}" for index in range(setup.deployments)]
    head = HEAD.format(model=GROUP, providers=", ".join(f'"{name}"' for name in names))
    return head + "".join(
        PROVIDER.format(model=GROUP, name=name, upstream=MODEL, url=setup.url, key=KEY_NAME)
        for name in names
    )
