"""Prompt caching without a mark in the messages: each provider is told in its own way, or not."""

from __future__ import annotations

import asyncio
from typing import Any

from polyroute import Router
from polyroute.testing import Upstream

CONTRACT = "The parties agree that every clause is binding. " * 400
QUESTIONS = ("Who are the parties?", "When does it end?")


async def main() -> None:
    async with (
        Upstream("anthropic", model="claude-sonnet-4-5") as claude,
        Upstream("openai", model="gpt-4o") as gpt,
        Router(
            model_list=[
                claude.deployment("claude", info={"caching": "explicit"}),
                gpt.deployment("gpt", info={"caching": "implicit"}),
            ]
        ) as router,
    ):
        for alias in ("claude", "gpt"):
            messages: list[Any] = [{"role": "system", "content": CONTRACT}]
            for question in QUESTIONS:
                messages.append({"role": "user", "content": question})
                answer = await router.acompletion(alias, messages)
                messages.append(answer.choices[0].message)
    for name, upstream in (("claude", claude), ("gpt", gpt)):
        marks = [str(request.body).count("cache_control") for request in upstream.requests]
        print(f"{name}: breakpoints in each request: {marks}")


if __name__ == "__main__":
    asyncio.run(main())
