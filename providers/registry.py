"""From a model's name to the adapter that speaks to it."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

from ..exceptions import BadRequestError, UnsupportedParamsError
from ..models.names import PROVIDERS as ALIASES
from .catalog import COMPATIBLE, Compatible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .base import Adapter, Operation, Target

MODULES: dict[Operation, dict[str, tuple[str, str]]] = {
    "chat": {
        "anthropic": (".anthropic", "AnthropicAdapter"),
        "azure": (".azure", "AzureAdapter"),
        "bedrock": (".bedrock", "make_adapter"),
        "cohere": (".cohere", "CohereAdapter"),
        "deepseek": (".deepseek", "DeepSeekAdapter"),
        "gemini": (".gemini", "GeminiAdapter"),
        "huggingface": (".huggingface", "HuggingFaceAdapter"),
        "mistral": (".mistral", "MistralAdapter"),
        "ollama": (".ollama", "make_adapter"),
        "perplexity": (".perplexity", "PerplexityAdapter"),
        "replicate": (".replicate", "ReplicateAdapter"),
        "vertex_ai": (".vertex", "make_adapter"),
        "xai": (".xai", "XAIAdapter"),
    },
    "embedding": {
        "azure": (".openai_embeddings", "AzureEmbeddings"),
        "bedrock": (".bedrock_embeddings", "BedrockEmbeddings"),
        "cohere": (".cohere_embeddings", "CohereEmbeddings"),
        "gemini": (".gemini_embeddings", "GeminiEmbeddings"),
        "huggingface": (".huggingface_embeddings", "make_adapter"),
        "mistral": (".openai_embeddings", "make_adapter"),
        "ollama": (".ollama_embeddings", "make_adapter"),
        "perplexity": (".openai_embeddings", "make_adapter"),
        "vertex_ai": (".vertex_embeddings", "make_adapter"),
        "voyage": (".openai_embeddings", "make_adapter"),
    },
    "image": {
        "azure": (".openai_images", "AzureImages"),
        "bedrock": (".bedrock_images", "make_adapter"),
        "fireworks_ai": (".fireworks_images", "FireworksImages"),
        "gemini": (".google_images", "make_for_studio"),
        "vertex_ai": (".google_images", "make_for_vertex"),
        "xai": (".xai_images", "XAIImages"),
    },
    "moderation": {"azure": (".openai_moderation", "AzureModeration")},
    "rerank": {
        "bedrock": (".bedrock_rerank", "BedrockRerank"),
        "cohere": (".cohere_rerank", "CohereRerank"),
        "huggingface": (".rerank", "make_adapter"),
        "infinity": (".rerank", "make_adapter"),
        "jina_ai": (".rerank", "make_adapter"),
        "voyage": (".rerank", "make_adapter"),
    },
    "speech": {"azure": (".openai_audio", "AzureSpeech")},
    "text_completion": {"azure": (".openai_text", "AzureText")},
    "transcription": {"azure": (".openai_audio", "AzureTranscription")},
}
"""Who does what in a format of its own: module and what makes the adapter from a target,
imported when first needed."""

OPENAI_FORMAT: dict[Operation, tuple[str, str]] = {
    "chat": (".openai", "OpenAIAdapter"),
    "embedding": (".openai_embeddings", "OpenAIEmbeddings"),
    "image": (".openai_images", "OpenAIImages"),
    "moderation": (".openai_moderation", "OpenAIModeration"),
    "rerank": (".rerank", "RerankAdapter"),
    "speech": (".openai_audio", "OpenAISpeech"),
    "text_completion": (".openai_text", "OpenAIText"),
    "transcription": (".openai_audio", "OpenAITranscription"),
}
"""The same for those who speak OpenAI's format: made from a target and its row."""

OFFERED: dict[Operation, frozenset[str]] = {
    "embedding": frozenset(
        {
            "dashscope",
            "databricks",
            "deepinfra",
            "fireworks_ai",
            "hosted_vllm",
            "llamafile",
            "lm_studio",
            "novita",
            "nscale",
            "nvidia_nim",
            "openai",
            "openai_like",
            "openrouter",
            "sambanova",
            "together_ai",
            "zai",
        }
    ),
    "image": frozenset(
        {"deepinfra", "hosted_vllm", "nscale", "openai", "openai_like", "together_ai", "zai"}
    ),
    "moderation": frozenset({"groq", "openai", "openai_like"}),
    "rerank": frozenset(
        {"fireworks_ai", "hosted_vllm", "openai_like", "openrouter", "together_ai"}
    ),
    "speech": frozenset({"deepinfra", "groq", "openai", "openai_like", "together_ai"}),
    "text_completion": frozenset(
        {
            "cerebras",
            "deepinfra",
            "fireworks_ai",
            "groq",
            "hosted_vllm",
            "hyperbolic",
            "llamafile",
            "lm_studio",
            "novita",
            "nvidia_nim",
            "openai",
            "openai_like",
            "openrouter",
            "sambanova",
            "together_ai",
        }
    ),
    "transcription": frozenset(
        {"deepinfra", "groq", "hosted_vllm", "openai", "openai_like", "sambanova", "together_ai"}
    ),
}
"""Rows of the catalogue that offer an operation; what is not listed here, all of them do.
A caller's own rows are taken at their word."""

NAMES = frozenset(name for providers in MODULES.values() for name in providers)
"""Providers that have a module, whatever for."""

BARE_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"text-(?:multilingual-)?embedding-00|textembedding-gecko|multimodalembedding"),
        "vertex_ai",
    ),
    (
        re.compile(
            r"(ft:)?(gpt-|o[134](-|$)|chatgpt-|text-embedding-|dall-e|tts-|whisper|davinci|babbage"
            r"|omni-moderation|text-moderation|computer-use|codex-)"
        ),
        "openai",
    ),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"command(?:-|$)|embed-(?:english|multilingual|v\d)"), "cohere"),
    (re.compile(r"gemini-"), "gemini"),
    (
        re.compile(r"(?:[a-z-]+\.)?(?:anthropic\.claude|amazon\.(?:nova|titan)|cohere\.embed)-"),
        "bedrock",
    ),
    (re.compile(r"voyage-"), "voyage"),
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
        return "openai_like", model  # never `openai`: its key goes to OpenAI alone
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
        return _load(MODULES[operation][target.provider])(target)
    if row is None and target.provider in OFFERED.get(operation, COMPATIBLE):
        row = COMPATIBLE.get(target.provider)
    if row is None or operation not in OPENAI_FORMAT:
        offering = {*MODULES[operation], *OFFERED.get(operation, COMPATIBLE)}
        raise UnsupportedParamsError(
            f"{target.provider} has no {operation.replace('_', ' ')}, or none that is known here; "
            f"there is {', '.join(sorted(offering))}",
            model=target.model,
            llm_provider=target.provider,
        )
    return _load(OPENAI_FORMAT[operation])(target, row)


def _load(place: tuple[str, str]) -> Callable[..., Adapter]:
    module, name = place
    make: Callable[..., Adapter] = getattr(import_module(module, __package__), name)
    return make
