"""A provider of one's own: an OpenAI-compatible server as a row of a table, with its habits."""

from __future__ import annotations

import asyncio

from polyroute import Compatible, Router, UnsupportedParamsError
from polyroute.testing import Upstream

QUESTION = [{"role": "user", "content": "Who are you?"}]


async def main() -> None:
    async with Upstream("openai", answer="The model in the basement.") as upstream:
        basement = Compatible(
            base_url=upstream.base_url,
            placeholder_key="none",
            rename={"max_completion_tokens": "max_tokens"},
            refuses=frozenset({"logit_bias", "seed"}),
            headers={"X-Room": "B12"},
        )
        entry = {"model_name": "local", "litellm_params": {"model": "basement/llama-3"}}
        async with Router(model_list=[entry], providers={"basement": basement}) as router:
            answer = await router.acompletion("local", QUESTION, max_completion_tokens=20)
            print(answer.choices[0].message.content)
            try:
                await router.acompletion("local", QUESTION, seed=7)
            except UnsupportedParamsError as error:
                print(f"refused: {error}")
            await router.acompletion("local", QUESTION, seed=7, drop_params=True)
        asked = upstream.requests[0]
        print(f"room {asked.headers['x-room']}, model {asked.body['model']}, sent as", end=" ")
        print({name: value for name, value in asked.body.items() if name.startswith("max_")})


if __name__ == "__main__":
    asyncio.run(main())
