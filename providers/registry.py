"""From a model's name to the adapter that speaks to it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, UnsupportedParamsError
from ..models.names import PROVIDERS as ALIASES
from .catalog import COMPATIBLE, Compatible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Adapter, Operation, Target

MODULES: dict[Operation, dict[str, tuple[str, str]]] = {
    "chat": {
        "anthropic": (".anthropic", "AnthropicAdapter"),
        "azure": (".azure", "AzureAdapter"),
        "bedrock": (".bedrock", "BedrockAdapter"),
        "cohere": (".cohere", "CohereAdapter"),
        "gemini": (".gemini", "GeminiAdapter"),
        "huggingface": (".huggingface", "HuggingFaceAdapter"),
        "mistral": (".mistral", "MistralAdapter"),
        "ollama": (".ollama", "make_adapter"),
        "perplexity": (".perplexity", "PerplexityAdapter"),
        "replicate": (".replicate", "ReplicateAdapter"),
        "vertex_ai": (".vertex", "make_adapter"),
        "xai": (".xai", "XAIAdapter"),
    },
    "embedding": {},
    "image": {},
    "moderation": {},
    "rerank": {},
    "speech": {},
    "text_completion": {},
    "transcription": {},
}
"""Who does what in a format of its own: module and what makes the adapter from a target,
imported when first needed."""

OPENAI_FORMAT: dict[Operation, tuple[str, str]] = {"chat": (".openai", "OpenAIAdapter")}
"""The same for those who speak OpenAI's format: made from a target and its row."""

NAMES = frozenset(name for providers in MODULES.values() for name in providers)
"""Providers that have a module, whatever for."""

BARE_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"(ft:)?(gpt-|o[134](-|$)|chatgpt-|text-embedding-|dall-e|tts-|whisper|davinci|babbage"
            r"|omni-moderation|text-moderation|computer-use|codex-)"
        ),
        "openai",
    ),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"command(?:-|$)"), "cohere"),
    (re.compile(r"gemini-"), "gemini"),
    (re.compile(r"(?:[a-z-]+\.)?(?:anthropic\.claude|amazon\.(?:nova|titan))-"), "bedrock"),
)
"""Names that say whose they are without a prefix."""


def resolve(
    model: str,
    *,
    has_base: bool = False,
    providers: Mapping[str, Compatible] | None = None,
) -> tuple[str, str]:
    """The provider and its own name of a model such as ``"groq/llama-3.3-70b-versatile"``.

    Args:
        model: what the caller wrote.
        has_base: the caller gave an address; an unknown bare name is then an OpenAI-compatible
            server's.
        providers: the caller's own rows, which come first.

    Raises:
        BadRequestError: no provider is named and the name says nothing; lists what would do.
    """
    if not isinstance(model, str) or not model:
        raise BadRequestError(f"model must be a name like 'openai/gpt-4o', not {model!r}")
    prefix, slash, name = model.partition("/")
    if slash and name:
        provider = ALIASES.get(prefix, prefix)
        if provider in (providers or ()) or provider in NAMES or provider in COMPATIBLE:
            return provider, name
    for pattern, provider in BARE_NAMES:
        if pattern.match(model):
            return provider, model
    if has_base:
        return "openai_like" if slash else "openai", model
    raise BadRequestError(_unknown(model, prefix if slash else "", providers or {}), model=model)


def _unknown(model: str, prefix: str, providers: Mapping[str, Compatible]) -> str:
    """Why a name does not resolve: with what was probably meant, else with all that would do."""
    known = sorted({*NAMES, *COMPATIBLE, *providers})
    close = get_close_matches(prefix, [*known, *ALIASES], n=1) if prefix else []
    if close:
        hint = f"did you mean '{close[0]}/{model.partition('/')[2]}'?"
    else:
        hint = f"write PROVIDER/MODEL with one of {', '.join(known)}."
    return (
        f"no provider for the model {model!r}: {hint} For an OpenAI-compatible server pass api_base"
    )


def adapter(
    target: Target,
    providers: Mapping[str, Compatible] | None = None,
    operation: Operation = "chat",
) -> Adapter:
    """The adapter for an operation of a target.

    Raises:
        AuthenticationError: it needs a key and there is none.
        BadRequestError: it needs an address and there is none.
        UnsupportedParamsError: the provider does not do that.
    """
    row = (providers or {}).get(target.provider)
    if row is None and target.provider in MODULES[operation]:
        made: Adapter = _load(MODULES[operation][target.provider])(target)
        return made
    row = row or COMPATIBLE.get(target.provider)
    if row is None or operation not in OPENAI_FORMAT:
        raise UnsupportedParamsError(
            f"{target.provider} has no {operation.replace('_', ' ')}, or none that is known here; "
            f"there is {', '.join(sorted(MODULES[operation]))}",
            model=target.model,
            llm_provider=target.provider,
        )
    made = _load(OPENAI_FORMAT[operation])(target, row)
    return made


def _load(place: tuple[str, str]) -> Any:
    module, name = place
    return getattr(import_module(module, __package__), name)
