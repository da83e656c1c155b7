"""
What providers say is left of their limits, in the headers of an answer.

OpenAI and its kin: ``x-ratelimit-remaining-requests``, ``x-ratelimit-remaining-tokens``
(https://platform.openai.com/docs/guides/rate-limits); Anthropic:
``anthropic-ratelimit-requests-remaining`` and so on
(https://docs.anthropic.com/en/api/rate-limits).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Remaining(NamedTuple):
    """What is left, None where the provider does not say."""

    requests: float | None = None
    tokens: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None


NAMES: dict[str, tuple[str, ...]] = {
    "requests": ("x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining"),
    "tokens": ("x-ratelimit-remaining-tokens", "anthropic-ratelimit-tokens-remaining"),
    "input_tokens": ("anthropic-ratelimit-input-tokens-remaining",),
    "output_tokens": ("anthropic-ratelimit-output-tokens-remaining",),
}


def read_remaining(headers: Mapping[str, str]) -> Remaining:
    """The counts in the headers (whose names are looked up as the mapping does)."""
    return Remaining(*(_number(headers, names) for names in NAMES.values()))


def _number(headers: Mapping[str, str], names: tuple[str, ...]) -> float | None:
    for name in names:
        value = headers.get(name)
        if value is not None:
            try:
                return float(value)
            except ValueError:
                return None
    return None
