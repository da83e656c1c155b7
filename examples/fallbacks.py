"""An outage, seen from the caller: siblings first, then the fallback group, then recovery."""

from __future__ import annotations

import asyncio
import random

from polyroute import APIError, Router
from polyroute.testing import Upstream

QUESTION = [{"role": "user", "content": "Is anybody there?"}]


async def ask(router: Router, what: str) -> None:
    """One call, and what became of it."""
    try:
        answer = await router.acompletion("smart", QUESTION, timeout=5)
        said = answer.choices[0].message.content
        route = answer.route
    except APIError as error:
        said, route = f"{type(error).__name__}: {error.message}", error.route
    print(f"{what:24} {said:18} {route}")


async def main() -> None:
    async with (
        Upstream("openai", answer="I am.") as one,
        Upstream("anthropic", answer="So am I.") as two,
        Upstream("gemini", answer="The spare is here.") as spare,
        Router(
            model_list=[
                one.deployment("smart", id="one"),
                two.deployment("smart", id="two"),
                spare.deployment("backup", id="spare"),
            ],
            fallbacks=[{"smart": ["backup"]}],
            cooldown_time=0.2,
            rng=random.Random(3),
        ) as router,
    ):
        await ask(router, "All are well:")
        one.kill()
        for _ in range(3):
            await ask(router, "One is dead:")
        two.kill()
        await ask(router, "The whole group is dead:")
        spare.fail(503, times=None)
        await ask(router, "Everybody is:")
        one.revive()
        two.revive()
        spare.heal()
        await asyncio.sleep(0.3)
        await ask(router, "All are back:")


if __name__ == "__main__":
    asyncio.run(main())
