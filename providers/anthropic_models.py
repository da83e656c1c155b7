"""
What Claude models can do, by family: https://docs.claude.com/en/docs/about-claude/models/overview.

The table is read from the top; a model that is not known yet is taken for the newest kind.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple


class Traits(NamedTuple):
    """What one family of models can do.

    Attributes:
        max_tokens: the longest answer; sent when the caller gives no limit, which the API wants.
        thinking: how thinking is asked for: by a budget of tokens, by effort, or not at all.
        structured: whether answers and tool inputs can be bound to a JSON schema.
        sampling: whether `temperature`, `top_p` and `top_k` are taken.
        efforts: the levels of effort there are, for those that think by effort.
    """

    max_tokens: int
    thinking: Literal["no", "budget", "effort"] = "no"
    structured: bool = False
    sampling: bool = True
    efforts: frozenset[str] = frozenset()


_EFFORTS = frozenset({"low", "medium", "high", "max"})
_NEWEST = Traits(128_000, "effort", structured=True, sampling=False, efforts=_EFFORTS | {"xhigh"})

FAMILIES: tuple[tuple[re.Pattern[str], Traits], ...] = tuple(
    (re.compile(pattern), traits)
    for pattern, traits in (
        (r"claude-(?:instant|v?[12]\b|3-(?:opus|sonnet|haiku))", Traits(4_096)),
        (r"claude-3[-.]5-", Traits(8_192)),
        (r"claude-3[-.]7-", Traits(64_000, "budget")),
        (r"(?:opus|sonnet)-4[-.]6", Traits(128_000, "effort", structured=True, efforts=_EFFORTS)),
        (r"(?:opus|sonnet|haiku)-4[-.]5", Traits(64_000, "budget", structured=True)),
        (r"opus-4[-.]1\b", Traits(32_000, "budget", structured=True)),
        (r"opus-4[-.][7-9]", _NEWEST),
        (r"(?:opus-4|4-opus)", Traits(32_000, "budget")),
        (r"(?:sonnet-4|4-sonnet)", Traits(64_000, "budget")),
        (r"claude", _NEWEST),
        (r"", Traits(4_096, "budget")),
    )
)
"""Patterns of names and their traits; the last row is for other makers' models."""


@lru_cache(maxsize=256)
def traits_of(model: str) -> Traits:
    """The traits of a model by its name at any provider (`us.anthropic.claude-…-v1:0` too)."""
    return next(traits for pattern, traits in FAMILIES if pattern.search(model))
