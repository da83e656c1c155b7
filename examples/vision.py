"""One question about one picture: each provider is shown it as it wants to see pictures."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

from polyroute import Router
from polyroute.testing import Upstream

PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n not much of a picture").decode()
QUESTION: list[Any] = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What do you see?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        ],
    }
]


async def main() -> None:
    async with (
        Upstream("openai", answer="A single point.") as gpt,
        Upstream("anthropic", answer="A dot, I think.") as claude,
        Upstream("gemini", answer="Very little.") as gemini,
        Router(
            model_list=[
                gpt.deployment("gpt"),
                claude.deployment("claude"),
                gemini.deployment("gemini"),
            ]
        ) as router,
    ):
        for alias, upstream in (("gpt", gpt), ("claude", claude), ("gemini", gemini)):
            answer = await router.acompletion(alias, QUESTION, max_tokens=50)
            body = upstream.requests[0].body
            parts = (body.get("messages") or body["contents"])[0]
            shown = (parts.get("content") or parts["parts"])[1]
            print(f"{alias:7} {answer.choices[0].message.content}")
            print(f"        was shown {json.dumps(shown).replace(PIXEL, '…')}")


if __name__ == "__main__":
    asyncio.run(main())
