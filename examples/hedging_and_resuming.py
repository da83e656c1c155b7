"""A slow answer and a broken stream: somebody else is asked beside it, or goes on from there."""

from __future__ import annotations

import asyncio

from polyroute import Router
from polyroute.testing import Upstream

STORY = "A ship lost its way, saw the lighthouse, and came home."
QUESTION = [{"role": "user", "content": "Tell me a story."}]
CHEAP = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
DEAR = {"input_cost_per_token": 9e-6, "output_cost_per_token": 9e-6}


async def main() -> None:
    async with (
        Upstream("openai", answer=STORY, latency=0.01) as one,
        Upstream("anthropic", answer=STORY) as two,
        Router(
            model_list=[
                one.deployment("smart", id="one", info=CHEAP),
                two.deployment("smart", id="two", info=DEAR),
            ],
            routing_strategy="cost-based-routing",
            hedge=True,
            on_stream_break="resume",
        ) as router,
    ):
        for alias in ["smart"] * 25 + ["two"] * 5:  # it learns how long an answer usually takes
            await router.acompletion(alias, QUESTION)

        print("The first does not answer today:")
        one.hang()
        answer = await router.acompletion("smart", QUESTION)
        print(f"  {answer.choices[0].message.content}\n  {answer.route}")

        print("A stream breaks off after four words:")
        one.cut(after_chunks=4)
        async with await router.acompletion("smart", QUESTION, stream=True) as stream:
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        print(f"  {text}\n  {stream.route}")


if __name__ == "__main__":
    asyncio.run(main())
