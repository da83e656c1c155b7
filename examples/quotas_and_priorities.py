"""One slot, many callers: who waits, who goes first, and a quota that sends calls elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

from polyroute import Router
from polyroute.testing import Upstream

CHEAP = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
DEAR = {"input_cost_per_token": 9e-6, "output_cost_per_token": 9e-6}


def ask(who: str) -> list[Any]:
    """A conversation."""
    return [{"role": "user", "content": who}]


async def main() -> None:
    async with (
        Upstream("openai", latency=0.03) as small,
        Upstream("openai") as large,
        Router(
            model_list=[
                small.deployment("narrow", max_parallel_requests=1),
                small.deployment("metered", id="cheap", info=CHEAP, rpm=3),
                large.deployment("metered", id="dear", info=DEAR),
            ],
            routing_strategy="cost-based-routing",
        ) as router,
    ):
        callers = [("night job", 9), ("report", 5), ("chat", 0), ("alarm", -1)]
        first = asyncio.create_task(router.acompletion("narrow", ask("first come")))
        await small.until(lambda it: it.in_flight == 1)
        waiting = [router.acompletion("narrow", ask(who), priority=level) for who, level in callers]
        await asyncio.gather(first, *waiting)
        print(" → ".join(request.body["messages"][0]["content"] for request in small.requests))

        answers = [await router.acompletion("metered", ask("hello")) for _ in range(5)]
        print("three a minute go to the cheap one:", [each.route.served_by for each in answers])


if __name__ == "__main__":
    asyncio.run(main())
