"""This project's Router."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polyroute

from . import KEY, MODEL, Messages

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

DISTRIBUTION = "polyroute"
IMPORTS = ("import polyroute", "import polyroute; polyroute.Router")
STRATEGIES = ("simple-shuffle", "round-robin", "least-busy", "lowest-latency", "cost-weighted")


class Client:
    """A Router with one group."""

    def __init__(self, *, url: str, deployments: int, strategy: str | None) -> None:
        self.router = polyroute.Router(
            model_list=[
                {
                    "model_name": "group",
                    "litellm_params": {
                        "model": f"openai/{MODEL}",
                        "api_base": url,
                        "api_key": KEY,
                    },
                    "model_info": {"id": f"d{index}"},
                }
                for index in range(deployments)
            ],
            **({"routing_strategy": strategy} if strategy else {}),
        )

    async def call(self, messages: Messages) -> str | None:
        answer = await self.router.acompletion(model="group", messages=messages)
        return answer.choices[0].message.content

    async def stream(self, messages: Messages) -> AsyncIterable[Any]:
        return await self.router.acompletion(model="group", messages=messages, stream=True)

    def text(self, chunk: Any, /) -> str | None:
        text: str | None = chunk.choices[0].delta.content
        return text

    async def close(self) -> None:
        await self.router.aclose()
