"""
Verdicts on content: what is objectionable, and how surely.

    Moderation ── results: [ModerationResult ── categories, category_scores: Categories]
"""

from __future__ import annotations

from typing import Any

import msgspec

from .chat import Answer, Usage
from .records import Record, private


class Categories(dict[str, Any]):
    """Verdicts by category: ``["self-harm/intent"]``, or the attribute `self_harm_intent`."""

    def __getattr__(self, name: str) -> Any:
        for category, value in self.items():
            if category.replace("/", "_").replace("-", "_") == name:
                return value
        raise AttributeError(f"no {name!r} among these categories: {sorted(self)}")

    def model_dump(self) -> dict[str, Any]:
        """A plain dictionary."""
        return dict(self)


class ModerationResult(Record, kw_only=True):
    """The verdict on one input: whether it is flagged, for what, and scores from 0 to 1."""

    flagged: bool = False
    categories: Categories = msgspec.field(default_factory=Categories)
    category_scores: Categories = msgspec.field(default_factory=Categories)
    category_applied_input_types: Categories | None = None
    _extra: Any = private("extra")


class Moderation(Answer, kw_only=True):
    """The verdicts, in the order of the inputs; an input of several parts has one."""

    id: str = ""
    model: str = ""
    results: list[ModerationResult]
    usage: Usage | None = None
