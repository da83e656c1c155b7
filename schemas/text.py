"""
Text completions, OpenAI's older shape: a prompt is continued, nobody is spoken to.

    TextCompletion ── choices: [TextChoice]       whole answers and the pieces of a stream alike
                   └─ usage: Usage
"""

from __future__ import annotations

from typing import Any

from .chat import Answer, Delta, Usage
from .records import Record, private


class TextChoice(Record, kw_only=True):
    """One of the `n` continuations, or a piece of one."""

    text: str = ""
    index: int = 0
    logprobs: dict[str, Any] | None = None
    finish_reason: str | None = None
    _extra: Any = private("extra")

    @property
    def delta(self) -> Delta:
        """The text as a piece of chat has it: whoever watches over streams reads all alike."""
        return Delta(content=self.text)


class TextCompletion(Answer, kw_only=True):
    """A continued text, whole or a piece of it."""

    id: str = ""
    object: str = "text_completion"
    created: int = 0
    model: str = ""
    choices: list[TextChoice]
    usage: Usage | None = None
    system_fingerprint: str | None = None
