"""A loop of tool calls. Messages go back as they came, also to another provider."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from polyroute import Router
from polyroute.testing import Reply, ToolUse, Upstream

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def weather(city: str) -> str:
    """The tool itself."""
    return f"{'rain' if city == 'Ulm' else 'sun'}, 12 degrees"


async def converse(router: Router, question: str) -> str:
    """Ask, run the tools that are called, and go on until there is an answer."""
    messages: list[Any] = [{"role": "user", "content": question}]
    for alias in ("first", "second"):
        answer = await router.acompletion(alias, messages, tools=TOOLS)
        message = answer.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            break
        for call in message.tool_calls:
            arguments = json.loads(call.function.arguments)
            result = weather(**arguments)
            print(f"{alias} calls {call.function.name}({arguments}) → {result}")
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    return str(messages[-1].content)


async def main() -> None:
    wants = Reply(tools=[ToolUse("weather", {"city": "Ulm"}), ToolUse("weather", {"city": "Nice"})])
    async with (
        Upstream("anthropic", answer=wants) as first,
        Upstream("gemini", answer="Take an umbrella to Ulm, not to Nice.") as second,
        Router(model_list=[first.deployment("first"), second.deployment("second")]) as router,
    ):
        print(await converse(router, "Do I need an umbrella in Ulm or Nice?"))


if __name__ == "__main__":
    asyncio.run(main())
