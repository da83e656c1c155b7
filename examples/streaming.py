"""A stream as it should be, one that is taken over unseen, one that breaks off."""

from __future__ import annotations

import asyncio

from polyroute import Router, StreamInterruptedError
from polyroute.testing import Upstream

STORY = "Once upon a time there was a small router that always found a way."
QUESTION = [{"role": "user", "content": "Tell me a story."}]


async def read(router: Router) -> None:
    """Print a stream as it arrives, and how it came about."""
    async with await router.acompletion("smart", QUESTION, stream=True) as stream:
        async for chunk in stream:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
    print(f"\n  {stream.route}")


async def main() -> None:
    async with (
        Upstream("openai", answer=STORY, chunk_delay=0.02) as first,
        Upstream("gemini", answer=STORY, chunk_delay=0.02) as second,
        Router(
            model_list=[first.deployment("smart", id="a"), second.deployment("spare", id="b")],
            fallbacks=[{"smart": ["spare"]}],
            num_retries=0,
        ) as router,
    ):
        await read(router)

        print("\nThe first fails before it has said a word; the caller does not notice:")
        first.cut(after_chunks=0)
        await read(router)

        print("\nThe first fails in the middle; the caller is told, with what had arrived:")
        first.cut(after_chunks=6)
        try:
            await read(router)
        except StreamInterruptedError as error:
            message = error.partial_message
            print(f"\n  {error}\n  had arrived: {message.content if message else None!r}")


if __name__ == "__main__":
    asyncio.run(main())
