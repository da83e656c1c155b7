"""
The names that one model goes by.

A key of the catalogue is ``provider/model`` with the provider's own name of the model. People
and providers also write it with a region, a date, a version, a profile or in another order;
:func:`spellings` says under which keys a name may be found, best first. That is text alone:
looking up a name costs a few look-ups in a dictionary, however many models there are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDERS: dict[str, str] = {
    "alibaba": "dashscope",
    "amazon-nova": "amazon_nova",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "custom": "openai_like",
    "custom_openai": "openai_like",
    "fireworks": "fireworks_ai",
    "google": "gemini",
    "lambda": "lambda_ai",
    "moonshotai": "moonshot",
    "ollama_chat": "ollama",
    "text-completion-openai": "openai",
    "together": "together_ai",
    "vertex_ai_beta": "vertex_ai",
    "vllm": "hosted_vllm",
}
"""Other prefixes of the same providers."""

BARE = (
    "openai",
    "anthropic",
    "gemini",
    "vertex_ai",
    "cohere",
    "bedrock",
    "mistral",
    "deepseek",
    "voyage",
    "xai",
    "groq",
    "azure",
)
"""Whose models may be named without a prefix, in the order in which they are tried."""

Rules = tuple[tuple[re.Pattern[str], str], ...]


def _rules(*rules: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in rules)


PROVIDER_RULES: dict[str, Rules] = {
    "azure": _rules((r"^(?:us|eu|global|global-standard)/", "")),
    "bedrock": _rules(
        (r"^(?:converse|converse_like|invoke|async_invoke)/", ""),
        (r"^arn:.*/", ""),
        (r"^[a-z]{2}(?:-[a-z]+)+-\d/", ""),
        (r"^(?:us|eu|apac|au|ca|jp|us-gov|global)\.", ""),
    ),
    "fireworks_ai": _rules((r"^accounts/fireworks/models/", ""), (r"#.*$", "")),
    "openai": _rules((r"^(ft:[^:]+):.*$", r"\1"), (r"^responses/", "")),
    "openrouter": _rules((r":(?:online|nitro|floor|exacto)$", "")),
    "replicate": _rules((r":[0-9a-f]{20,}$", "")),
    "vertex_ai": _rules(
        (r"^(?:projects/.*/)?publishers/", ""), (r"^google/(?:models/)?|models/", "")
    ),
}
"""How a provider's names are brought nearer to the plain name, one step after the other."""

RULES = _rules(
    (r"claude-(\d(?:-\d)?)-(opus|sonnet|haiku)\b", r"claude-\2-\1"),
    (r"@(?:default|latest|\d{3}|\d{8})$", ""),
    (r"(?::\d+|-v\d+:\d+)$", ""),
    (r"[-@]20\d\d-?[01]\d-?[0-3]\d$", ""),
    (r"-(?:0\d|1[0-2])-20\d\d$", ""),
    (r"-(?:latest|\d{4}|\d{3})$", ""),
)
"""The same for all providers: order of words, then versions and dates."""


def spellings(name: str, provider: str | None = None) -> Iterator[str]:
    """The keys under which `name` may be found, best first.

    Args:
        name: as somebody has written it.
        provider: whose name it is, if that is known.
    """
    if provider is not None:
        provider = PROVIDERS.get(provider, provider)
        yield from _of_provider(provider, name.removeprefix(f"{provider}/"))
        return
    prefix, slash, rest = name.partition("/")
    if slash:
        yield from _of_provider(PROVIDERS.get(prefix, prefix), rest)
    for provider in BARE:
        yield from _of_provider(provider, name)


def _of_provider(provider: str, name: str) -> Iterator[str]:
    yield f"{provider}/{name}"
    for pattern, replacement in (*PROVIDER_RULES.get(provider, ()), *RULES):
        nearer = pattern.sub(replacement, name)
        if nearer != name:
            name = nearer
            yield f"{provider}/{name}"
