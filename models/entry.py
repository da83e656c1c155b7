"""
One model in the data file, in short and in full.

The file is short so that it stays small and its changes can be read: prices per million tokens
under short names, capabilities as one list, and nothing that can be derived. In full an entry
has the field names of LiteLLM's price list, which users of that list know:

    {"context": 128000, "output": 16384, "can": ["vision", …], "prices": {"input": 2.5, …}}

    {"max_input_tokens": 128000, "max_output_tokens": 16384, "max_tokens": 16384, "mode": "chat",
     "supports_vision": True, "input_cost_per_token": 2.5e-06, "litellm_provider": "openai", …}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PER_MILLION = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
    "input_audio": "input_cost_per_audio_token",
    "output_audio": "output_cost_per_audio_token",
    "cache_read_audio": "cache_read_input_audio_token_cost",
    "input_image": "input_cost_per_image_token",
    "output_image": "output_cost_per_image_token",
    "cache_read_image": "cache_read_input_image_token_cost",
    "input_video": "input_cost_per_video_token",
    "output_video": "output_cost_per_video_token",
    "citation": "citation_cost_per_token",
    "input_characters": "input_cost_per_character",
    "output_characters": "output_cost_per_character",
    "input_pixels": "input_cost_per_pixel",
    "output_pixels": "output_cost_per_pixel",
}
"""Prices in US dollars per million tokens, characters or pixels."""

PER_UNIT = {
    "query": "input_cost_per_query",
    "request": "input_cost_per_request",
    "given_image": "input_cost_per_image",
    "image": "output_cost_per_image",
    "input_second": "input_cost_per_second",
    "output_second": "output_cost_per_second",
    "input_audio_second": "input_cost_per_audio_per_second",
    "input_video_second": "input_cost_per_video_per_second",
    "output_video_second": "output_cost_per_video_per_second",
}
"""Prices in US dollars for one of something."""

PLAIN = {
    "mode": "mode",
    "context": "max_input_tokens",
    "output": "max_output_tokens",
    "dimensions": "output_vector_size",
    "regions": "supported_regions",
    "deprecated": "deprecation_date",
    "images": "cost_per_image",
    "search": "search_context_cost_per_query",
    "always_searches": "always_searches",
    "source": "source",
    "note": "note",
}
"""What else an entry may hold."""

CAPABILITIES = {
    "audio_in": "audio_input",
    "audio_out": "audio_output",
    "cache": "prompt_caching",
    "computer": "computer_use",
    "max_effort": "max_reasoning_effort",
    "minimal_effort": "minimal_reasoning_effort",
    "no_effort": "none_reasoning_effort",
    "parallel": "parallel_function_calling",
    "pdf": "pdf_input",
    "prefill": "assistant_prefill",
    "reasoning": "reasoning",
    "schema": "response_schema",
    "search": "web_search",
    "system": "system_messages",
    "tool_choice": "tool_choice",
    "tools": "function_calling",
    "url": "url_context",
    "video": "video_input",
    "vision": "vision",
    "xhigh_effort": "xhigh_reasoning_effort",
}
"""What a model can do: the names in the file and those after LiteLLM's ``supports_``."""

SIZES = ("low", "medium", "high")
"""Of the context that a web search reads; the file holds their three prices, or one for all."""

_PRICES = PER_MILLION | PER_UNIT
_SHORT_NAMES = {full: short for short, full in _PRICES.items()}


def _pattern(names: Iterable[str], *suffixes: str) -> re.Pattern[str]:
    longest_first = "|".join(sorted(names, key=len, reverse=True))
    return re.compile(rf"({longest_first})((?:{'|'.join(suffixes)}|_priority|_flex)*)")


_SHORT = _pattern(_PRICES, r"_1h", r"_above_\d+k")
_FULL = _pattern(_SHORT_NAMES, r"_above_1hr", r"_above_\d+k_tokens")


def is_price(name: str) -> bool:
    """Whether a field of LiteLLM's list is a price that the catalogue keeps."""
    return _FULL.fullmatch(name) is not None


def shorten(full: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as the data file has it; what the file has no place for is left out."""
    given = {short: full.get(name) for short, name in PLAIN.items()}
    short = {name: value for name, value in given.items() if value not in (None, "", [], {})}
    if short.get("mode") == "chat":
        del short["mode"]
    if "search" in short:
        fees = [short["search"].get(f"search_context_size_{size}", 0.0) for size in SIZES]
        short["search"] = fees[0] if len(set(fees)) == 1 else fees
    able = [name for name, can in CAPABILITIES.items() if full.get(f"supports_{can}") is True]
    if able:
        short["can"] = able
    prices = dict(filter(None, map(_short_price, full.items())))
    if prices:
        short["prices"] = {name: prices[name] for name in sorted(prices)}
    return short


def expand(key: str, short: Mapping[str, Any]) -> dict[str, Any]:
    """The entry called `key` under LiteLLM's names."""
    full: dict[str, Any] = {"key": key, "litellm_provider": key.partition("/")[0], "mode": "chat"}
    full |= {PLAIN[name]: value for name, value in short.items() if name in PLAIN}
    if "search" in short:
        fees = short["search"] if isinstance(short["search"], list) else [short["search"]] * 3
        full["search_context_cost_per_query"] = {
            f"search_context_size_{size}": fee for size, fee in zip(SIZES, fees, strict=True)
        }
    if "output" in short or "context" in short:
        full["max_tokens"] = short.get("output", short.get("context"))
    full |= {f"supports_{CAPABILITIES[name]}": True for name in short.get("can", ())}
    full |= dict(_full_price(name, value) for name, value in short.get("prices", {}).items())
    return full


def _short_price(field: tuple[str, Any]) -> tuple[str, float] | None:
    """``input_cost_per_token_above_200k_tokens`` → ``input_above_200k``, per million."""
    name, value = field
    match = _FULL.fullmatch(name)
    if match is None or not isinstance(value, int | float):
        return None
    short = _SHORT_NAMES[match[1]]
    suffix = match[2].replace("_above_1hr", "_1h").replace("k_tokens", "k")
    return short + suffix, tidy(value * 1e6 if short in PER_MILLION else value)


def _full_price(name: str, value: float) -> tuple[str, float]:
    match = _SHORT.fullmatch(name)
    if match is None:
        raise ValueError(
            f"the catalogue has a price called {name!r}, which this version cannot read"
        )
    suffix = re.sub(r"(above_\d+k)", r"\1_tokens", match[2].replace("_1h", "_above_1hr"))
    return _PRICES[match[1]] + suffix, tidy(value * 1e-6 if match[1] in PER_MILLION else value)


def tidy(value: float) -> float:
    """Without the last digits, which are an accident of binary fractions; 3.0 as 3."""
    rounded = float(f"{value:.9g}")
    return int(rounded) if rounded.is_integer() else rounded
