"""
Rankings in Cohere's shape: which documents answer a query best.

    RerankResponse ── results: [RerankResult ── document: RerankDocument]   best first
                   └─ meta: RerankMeta ── billed_units, tokens: RerankUnits
"""

from __future__ import annotations

from typing import Any

import msgspec

from .chat import Answer, Usage
from .records import Record, private


class RerankDocument(Record, kw_only=True):
    """A document as the model has read it."""

    text: str = ""
    _extra: Any = private("extra")


class RerankResult(Record, kw_only=True):
    """One document's place. `index` counts from 0 in the list that was ranked."""

    index: int
    relevance_score: float
    document: RerankDocument | None = None
    _extra: Any = private("extra")


class RerankUnits(Record, kw_only=True):
    """What a ranking has used: searches or tokens, whichever the provider counts."""

    search_units: int | float | None = None
    total_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    _extra: Any = private("extra")


class RerankMeta(Record, kw_only=True):
    """What the provider has charged for (`billed_units`) and what it has counted (`tokens`)."""

    billed_units: RerankUnits | None = None
    tokens: RerankUnits | None = None
    _extra: Any = private("extra")


class RerankResponse(Answer, kw_only=True):
    """A ranking, best document first."""

    id: str = ""
    results: list[RerankResult] = msgspec.field(default_factory=list)
    meta: RerankMeta | None = None

    @property
    def usage(self) -> Usage | None:
        """The tokens, None where the provider counts searches only."""
        if self.meta is None:
            return None
        for units in (self.meta.tokens, self.meta.billed_units):
            if units is not None and (tokens := units.input_tokens or units.total_tokens):
                made = units.output_tokens or 0
                return Usage(
                    prompt_tokens=tokens,
                    completion_tokens=made,
                    total_tokens=tokens + made,
                    _extra=self._extras().get("usage"),
                )
        return None
