"""An image from words: its bytes in a file, and the prompt as the model understood it."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path

from polyroute import Router
from polyroute.testing import Upstream

PROMPT = "A lighthouse that shows ships the way, as a woodcut"


async def main() -> None:
    async with (
        Upstream(model="dall-e-3", answer=f"{PROMPT}, at dusk, with waves") as upstream,
        Router(model_list=[upstream.deployment("painter")]) as router,
    ):
        answer = await router.aimage_generation(
            PROMPT, "painter", size="1024x1024", n=1, response_format="b64_json"
        )
    image = answer.data[0]
    file = Path(tempfile.mkdtemp()) / "lighthouse.png"
    file.write_bytes(base64.b64decode(image.b64_json or ""))
    print(f"drawn: {image.revised_prompt}")
    print(f"{file.name}: {file.stat().st_size} bytes, {file.read_bytes()[1:4].decode()}")
    print(f"cost: ${answer.route.cost}")


if __name__ == "__main__":
    asyncio.run(main())
