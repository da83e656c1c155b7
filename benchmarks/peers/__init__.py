"""
Who is measured: one small module per peer, loaded only inside the peer's own process.

    bare_aiohttp   the floor: a session, orjson, nothing else
    polyroute      this project's Router
    litellm        litellm's Router
    openai         the openai SDK's AsyncOpenAI
    tensorzero     TensorZero's gateway in this process, in Rust
    any-llm        Mozilla's any-llm

A peer's name is its module's with dashes. A module has

    DISTRIBUTION   whose version the report shows
    IMPORTS        statements that the import measure times
    STRATEGIES     routing strategies that the choice measure visits; empty for what is no router
    Client         a :class:`Client`, or a :class:`RouterClient` where there are strategies

and that is all it takes to add one.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterable

Messages = list[dict[str, Any]]

MODEL = "gpt-4o-mini"
KEY = "sk-mock"
BASELINE = "bare-aiohttp"
GROUP = "group"

REQUIREMENTS = {
    "any-llm": ("any-llm-sdk[openai]",),
    "litellm": ("litellm",),
    "openai": ("openai",),
    "tensorzero": ("tensorzero",),
}
"""What is installed for a peer that is not in this environment."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a client is made for.

    Attributes:
        url: the model API's base.
        deployments: how many deployments of it a router gets.
        strategy: how a router chooses among them, None for its default.
        connections: how many may be open at once, where a client limits them; None for its
            default.
    """

    url: str
    deployments: int
    strategy: str | None
    connections: int | None = None


class Client(Protocol):
    """A peer at work. Made inside the running event loop; ends with its process."""

    def __init__(self, setup: Setup) -> None: ...

    async def call(self, messages: Messages) -> str | None:
        """One call; the text of the answer."""
        ...

    async def stream(self, messages: Messages) -> AsyncIterable[Any]:
        """Open a stream; what it yields is the peer's own kind of chunk."""
        ...

    def text(self, chunk: Any, /) -> str | None:
        """The content of a chunk, if it has any."""
        ...


class RouterClient(Client, Protocol):
    """A peer that chooses among deployments."""

    async def choose(self, times: int) -> None:
        """Choose a deployment that often, calling none."""
        ...


def model_list(setup: Setup) -> list[dict[str, Any]]:
    """One group of deployments, as litellm's Router and ours take it.

    All have the same key, so that litellm opens one HTTP client for all and not one for each.
    """
    return [
        {
            "model_name": GROUP,
            "litellm_params": {"model": f"openai/{MODEL}", "api_base": setup.url, "api_key": KEY},
            "model_info": {
                "id": f"d{index}",
                "input_cost_per_token": (1 + index % 7) * 1e-6,
                "output_cost_per_token": (1 + index % 7) * 2e-6,
            },
        }
        for index in range(setup.deployments)
    ]


def names() -> list[str]:
    """Every peer there is a module for; the baseline first."""
    found = {module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)}
    return [BASELINE, *sorted(found - {BASELINE})]
