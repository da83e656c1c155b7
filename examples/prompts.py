"""A prompt outside the code: messages in a file, its versions, and variables that must be given."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from polyroute import BadRequestError, FolderPrompts, Router
from polyroute.testing import Upstream

CURRENT = """\
---
temperature: 0.2
---
--- system
You answer for {{company}}, in one sentence.
--- user
{{question}}
"""


async def main() -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / "support.prompt").write_text(CURRENT)
    (folder / "support.v1.prompt").write_text("Answer for {{company}}: {{question}}")
    async with (
        Upstream(answer="You can send it back within 30 days.") as upstream,
        Router(model_list=[upstream.deployment("smart")], prompts=FolderPrompts(folder)) as router,
    ):
        variables = {"company": "Acme", "question": "May I send it back?"}
        for version in (None, 1):
            await router.acompletion(
                "smart",
                [],
                prompt_id="support",
                prompt_version=version,
                prompt_variables=variables,
            )
            print([message["content"] for message in upstream.requests[-1].body["messages"]])
        try:
            await router.acompletion("smart", [], prompt_id="support", prompt_variables={})
        except BadRequestError as error:
            print(f"refused: {error}")


if __name__ == "__main__":
    asyncio.run(main())
