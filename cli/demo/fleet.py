"""
The deployments that a demonstration is given with.

A fleet has some deployments that answer for `smart` and one, `spare`, that answers for `backup`.
They can be killed and come back.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from ...router import Router
from ...testing import Upstream
from ...testing.llama import LlamaServer

if TYPE_CHECKING:
    from types import TracebackType

STORY = (
    "Once upon a time there was a small router. Every request that came to it went to the right "
    "provider, and when that one was gone, to the next one, until the sun went down."
)

ALLOWED_FAILS = 1
"""Failures in a row before a deployment rests: fewer than usual, there is little time."""


@dataclass(frozen=True, slots=True)
class Member:
    """One deployment of a fleet; prices are US dollars per million tokens, and examples."""

    id: str
    alias: str
    speaks: str
    price_in: float
    price_out: float
    latency: float = 0.0

    @property
    def info(self) -> dict[str, float]:
        """Its prices as `model_info` wants them."""
        return {
            "input_cost_per_token": self.price_in / 1e6,
            "output_cost_per_token": self.price_out / 1e6,
        }


class Fleet(Protocol):
    """What the scenes need of the servers behind them."""

    introduction: str
    members: tuple[Member, ...]
    prompt: str
    answer: str
    story_prompt: str

    @property
    def model_list(self) -> list[dict[str, Any]]:
        """The deployments as a Router takes them."""
        ...

    def kill(self, id: str) -> None:
        """Let a server die."""
        ...

    async def revive(self, id: str) -> None:
        """Bring it back at the same address."""
        ...

    async def __aenter__(self) -> Self:
        """Start the servers."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop them."""
        ...


def smart(fleet: Fleet) -> list[Member]:
    """The members that share the alias `smart`."""
    return [member for member in fleet.members if member.alias == "smart"]


def fleet_router(fleet: Fleet, strategy: str = "round-robin") -> Router:
    """A Router over a fleet: quick to let a dead deployment rest, and quick to ask it again."""
    return Router(
        model_list=fleet.model_list,
        routing_strategy=strategy,
        fallbacks=[{"smart": ["backup"]}],
        allowed_fails=ALLOWED_FAILS,
        cooldown_time=1,
        timeout=20,
        rng=random.Random(1),
    )


class LoopbackFleet:
    """Upstreams of :mod:`polyroute.testing`: real sockets and formats, scripted answers."""

    introduction = (
        "Four upstreams on the loopback speak three wire formats. They are real servers with "
        "scripted answers (polyroute.testing); prices are examples."
    )
    members = (
        Member("east", "smart", "openai", 0.15, 0.60, 0.03),
        Member("west", "smart", "anthropic", 3.00, 15.00, 0.06),
        Member("north", "smart", "gemini", 0.30, 2.50, 0.12),
        Member("spare", "backup", "anthropic", 1.00, 5.00, 0.05),
    )
    prompt = "What is the capital of France?"
    answer = "The capital of France is Paris."
    story_prompt = "tell me a long story"

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.upstreams: dict[str, Upstream] = {
            member.id: Upstream(
                member.speaks,
                answer=self._say,
                model=f"{member.id}-1",
                latency=member.latency,
                chunk_delay=0.035,
            )
            for member in self.members
        }

    def _say(self, body: dict[str, Any]) -> str:
        return STORY if self.story_prompt in str(body) else self.answer

    @property
    def model_list(self) -> list[dict[str, Any]]:
        """See :attr:`Fleet.model_list`."""
        return [
            self.upstreams[member.id].deployment(member.alias, id=member.id, info=member.info)
            for member in self.members
        ]

    def kill(self, id: str) -> None:
        """See :meth:`Fleet.kill`."""
        self.upstreams[id].kill()

    async def revive(self, id: str) -> None:
        """See :meth:`Fleet.revive`."""
        self.upstreams[id].revive()

    async def __aenter__(self) -> Self:
        for upstream in self.upstreams.values():
            await self._stack.enter_async_context(upstream)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


class LlamaFleet:
    """Processes of llama.cpp with a tiny model; each serves two wire formats."""

    introduction = (
        "Three inference servers (llama.cpp, a model of 0.44 M parameters) run as processes of "
        "their own and are asked in two wire formats; prices are examples."
    )
    members = (
        Member("east", "smart", "openai", 0.15, 0.60),
        Member("west", "smart", "anthropic", 3.00, 15.00),
        Member("spare", "backup", "openai", 1.00, 5.00),
    )
    prompt = "What is the capital of France?"
    answer = "The capital of France is Paris."
    story_prompt = "tell me a long story"

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self.servers = {member.id: LlamaServer() for member in self.members}

    @property
    def model_list(self) -> list[dict[str, Any]]:
        """See :attr:`Fleet.model_list`."""
        return [
            self.servers[member.id].deployment(
                member.alias, member.speaks, id=member.id, info=member.info
            )
            for member in self.members
        ]

    def kill(self, id: str) -> None:
        """See :meth:`Fleet.kill`."""
        self.servers[id].kill()

    async def revive(self, id: str) -> None:
        """See :meth:`Fleet.revive`."""
        await self.servers[id].revive()

    async def __aenter__(self) -> Self:
        for server in self.servers.values():
            await self._stack.enter_async_context(server)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
