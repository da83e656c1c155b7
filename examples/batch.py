"""Many conversations at once: in order, some at a time, and one failure sinks nobody."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from polyroute import Router
from polyroute.testing import Upstream

CITIES = ["Oslo", "Lima", "Kyoto", "", "Accra", "Quito", "Turin", "Perth"]


def forecast(body: dict[str, Any]) -> str:
    """A weather report that depends on the question."""
    city = body["messages"][0]["content"]
    return f"{city}: {'rain' if len(city) % 2 else 'sun'}"


async def main() -> None:
    async with (
        Upstream(answer=forecast, latency=0.05) as upstream,
        Router(model_list=[upstream.deployment("weather")]) as router,
    ):
        conversations = [[{"role": "user", "content": city}] if city else [] for city in CITIES]
        began = time.perf_counter()
        outcomes = await router.abatch_completion("weather", conversations, max_workers=4)
        took = time.perf_counter() - began
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                print(f"  ✗ {outcome}")
            else:
                print(f"  ✓ {outcome.choices[0].message.content}")
        print(f"{upstream.most_in_flight} at a time: {took:.2f} s")


if __name__ == "__main__":
    asyncio.run(main())
