"""
The deployments that a demonstration is given with.

A fleet has some deployments that answer for `smart` and one, `spare`, that answers for `backup`.
They can be killed and come back.
"""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from ...router import Router
from ...testing import Upstream
from ...testing.llama import LlamaServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

PROMPT = "What is the capital of France?"
ANSWER = "The capital of France is Paris."
"""What the tiny model of llama.cpp says to it; the upstreams are given the same words."""

STORY_PROMPT = "tell me a long story"
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
    speaks: Literal["openai", "anthropic", "gemini"]
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


class Fleet:
    """The servers of a demonstration, started and stopped by ``async with``.

    Attributes:
        introduction: what they are, for the reader.
        members: the deployments.
        upstreams: the servers that can be told to fail; empty where they are real.
    """

    def __init__(
        self,
        introduction: str,
        members: Sequence[Member],
        servers: Mapping[str, Upstream | LlamaServer],
    ) -> None:
        self.introduction = introduction
        self.members = members
        self._servers = servers
        self._stack = AsyncExitStack()
        self.upstreams: dict[str, Upstream] = {
            id: server for id, server in servers.items() if isinstance(server, Upstream)
        }

    @property
    def smart(self) -> list[Member]:
        """The members that share the alias `smart`."""
        return [member for member in self.members if member.alias == "smart"]

    def router(self, strategy: str = "round-robin") -> Router:
        """A Router over all: quick to let a dead deployment rest, and to ask it again."""
        return Router(
            model_list=[self._entry(member) for member in self.members],
            routing_strategy=strategy,
            fallbacks=[{"smart": ["backup"]}],
            allowed_fails=ALLOWED_FAILS,
            cooldown_time=1,
            timeout=20,
            rng=random.Random(1),
        )

    def kill(self, id: str) -> None:
        """Let a server die."""
        self._servers[id].kill()

    async def revive(self, id: str) -> None:
        """Bring it back at the same address."""
        server = self._servers[id]
        if isinstance(server, Upstream):
            server.revive()
        else:
            await server.revive()

    async def __aenter__(self) -> Self:
        for server in self._servers.values():
            await self._stack.enter_async_context(server)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def _entry(self, member: Member) -> dict[str, Any]:
        server = self._servers[member.id]
        if isinstance(server, LlamaServer):
            format: Any = member.speaks
            return server.deployment(member.alias, format, id=member.id, info=member.info)
        return server.deployment(member.alias, id=member.id, info=member.info)


def loopback_fleet() -> Fleet:
    """Upstreams of :mod:`polyroute.testing`: real sockets and formats, scripted answers."""
    members = (
        Member("east", "smart", "openai", 0.15, 0.60, 0.03),
        Member("west", "smart", "anthropic", 3.00, 15.00, 0.06),
        Member("north", "smart", "gemini", 0.30, 2.50, 0.12),
        Member("spare", "backup", "anthropic", 1.00, 5.00, 0.05),
    )
    upstreams = {
        member.id: Upstream(
            member.speaks,
            answer=lambda body: STORY if STORY_PROMPT in str(body) else ANSWER,
            model=f"{member.id}-1",
            latency=member.latency,
            chunk_delay=0.035,
        )
        for member in members
    }
    return Fleet(
        "Four upstreams on the loopback speak three wire formats. They are real servers with "
        "scripted answers (polyroute.testing); prices are examples.",
        members,
        upstreams,
    )


def llama_fleet() -> Fleet:
    """Processes of llama.cpp with a tiny model; each serves two wire formats.

    Raises:
        ConfigurationError: the extra `real` is not installed.
    """
    members = (
        Member("east", "smart", "openai", 0.15, 0.60),
        Member("west", "smart", "anthropic", 3.00, 15.00),
        Member("spare", "backup", "openai", 1.00, 5.00),
    )
    return Fleet(
        "Three inference servers (llama.cpp, a model of 0.44 M parameters) run as processes of "
        "their own and are asked in two wire formats; prices are examples.",
        members,
        {member.id: LlamaServer() for member in members},
    )
