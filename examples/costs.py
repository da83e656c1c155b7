"""What it costs: per attempt, per call, per alias, and a budget that the application keeps."""

from __future__ import annotations

import asyncio

from polyroute import Router
from polyroute.testing import Reply, Upstream

QUESTION = [{"role": "user", "content": "Write a sonnet."}]
BUDGET = 0.05
PRICES = {"input_cost_per_token": 3e-6, "output_cost_per_token": 15e-6}


async def main() -> None:
    sonnet = Reply("Shall I compare thee…", prompt_tokens=12, completion_tokens=900)
    async with (
        Upstream("anthropic", answer=sonnet) as poet,
        Upstream("openai", answer=sonnet) as student,
        Router(
            model_list=[
                poet.deployment("poet", info=PRICES),
                student.deployment(
                    "student", info={name: price / 20 for name, price in PRICES.items()}
                ),
            ]
        ) as router,
    ):
        for number in range(1, 6):
            alias = "poet" if router.costs()["total"] + 0.0136 <= BUDGET else "student"
            answer = await router.acompletion(alias, QUESTION)
            spent = router.costs()["total"]
            print(f"sonnet {number} by the {alias:8} ${answer.route.cost:.5f}, in all ${spent:.5f}")
        for alias, dollars in router.costs()["aliases"].items():
            print(f"{alias:8} ${dollars:.5f}")


if __name__ == "__main__":
    asyncio.run(main())
