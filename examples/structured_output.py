"""Answers as objects: one pydantic class, three wire formats that each say it differently."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel

from polyroute import Router
from polyroute.testing import Upstream


class Event(BaseModel):
    """What is to be read out of a sentence."""

    name: str
    day: str
    guests: list[str]


SENTENCE = "Ada and Grace go to the science fair on Friday."
FOUND = '{"name": "Science fair", "day": "Friday", "guests": ["Ada", "Grace"]}'


async def main() -> None:
    async with (
        Upstream("openai", answer=FOUND, model="gpt-4o") as gpt,
        Upstream("anthropic", answer=FOUND, model="claude-sonnet-4-5") as claude,
        Upstream("gemini", answer=FOUND, model="gemini-2.5-flash") as gemini,
        Router(
            model_list=[
                upstream.deployment(name)
                for name, upstream in (("gpt", gpt), ("claude", claude), ("gemini", gemini))
            ]
        ) as router,
    ):
        for alias, upstream in (("gpt", gpt), ("claude", claude), ("gemini", gemini)):
            answer = await router.acompletion(
                alias, [{"role": "user", "content": SENTENCE}], response_format=Event
            )
            event = Event.model_validate_json(answer.choices[0].message.content or "")
            said = sorted(upstream.requests[0].body.keys() - {"messages", "contents", "model"})
            print(f"{alias:7} {event.name} on {event.day} with {event.guests}; sent: {said}")


if __name__ == "__main__":
    asyncio.run(main())
