"""A strategy of one's own: the same user goes to the same deployment while it is well.

What a strategy may know of a request is whether it is streamed; who is asking comes from a context
variable of the service.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from polyroute import Router
from polyroute.testing import Upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polyroute.strategies import Candidate, Demand

C = TypeVar("C", bound="Candidate")
user: ContextVar[str] = ContextVar("user", default="")


class Sticky:
    """Rendezvous hashing: when a deployment rests, only its own users move."""

    def pick(self, candidates: Sequence[C], request: Demand, /) -> C:
        """The candidate with the highest hash for this user."""
        return max(candidates, key=lambda candidate: draw(user.get(), candidate.id))


def draw(who: str, deployment: str) -> bytes:
    """A number that is the same in every process."""
    return hashlib.sha256(f"{who}\0{deployment}".encode()).digest()


async def main() -> None:
    async with (
        Upstream("openai") as one,
        Upstream("anthropic") as two,
        Upstream("gemini") as three,
        Router(
            model_list=[
                upstream.deployment("smart", id=name)
                for name, upstream in (("one", one), ("two", two), ("three", three))
            ],
            routing_strategy=Sticky(),
        ) as router,
    ):
        for who in ("Ada", "Grace", "Edsger", "Barbara"):
            user.set(who)
            served = set()
            for _ in range(5):
                answer = await router.acompletion("smart", [{"role": "user", "content": "Hi"}])
                served.add(answer.route.served_by)
            print(who, "→", *served)


if __name__ == "__main__":
    asyncio.run(main())
