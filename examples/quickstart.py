"""Two deployments of different wire formats behind one alias."""

from __future__ import annotations

import asyncio

from polyroute import Router
from polyroute.testing import Upstream

QUESTION = [{"role": "user", "content": "What is a router?"}]


async def main() -> None:
    async with (
        Upstream("openai", answer="A fork in the road that decides.") as one,
        Upstream("anthropic", answer="Somebody who knows the way.") as other,
        Router(
            model_list=[
                one.deployment("smart", id="one"),
                other.deployment("smart", id="other"),
            ],
            routing_strategy="round-robin",
        ) as router,
    ):
        for _ in range(4):
            answer = await router.acompletion("smart", QUESTION)
            print(answer.choices[0].message.content, answer.route)
        for row in router.stats():
            print(row["id"], row["state"], row["successes"], "answered")


if __name__ == "__main__":
    asyncio.run(main())
