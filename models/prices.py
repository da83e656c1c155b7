"""
What the tokens of one answer cost.

Prices are prepared once per model (:func:`prices_of`); charging an answer is then a few
multiplications, so the Router does it for every call. Counts are OpenAI's: `prompt_tokens`
includes cached and cache-written ones, `completion_tokens` includes reasoning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from .catalogue import model_cost
from .names import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schemas import Usage

OWN_SERVERS = frozenset({"hosted_vllm", "llamafile", "lm_studio", "ollama"})
"""Servers of one's own, which ask nothing per token."""

REPORTING = frozenset({"openrouter", "perplexity"})
"""Providers that say in `usage.cost` what they have charged; that is better than any list."""

BASE = ("input_cost_per_token", "output_cost_per_token")

_TIER = re.compile(r"_above_(\d+)k_tokens")


class Prices(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """US dollars per token of one model, per request and per web search.

    Attributes:
        input: of plain prompt tokens; every kind of prompt token that has no price costs it too.
        output: of plain answer tokens, likewise.
        request: of every answer, whatever its length.
        search: of one web search.
        always_searches: whether every answer has searched, although its usage does not say so.
        reported: whether the provider says itself what an answer has cost.
        plain: whether a token costs the same whatever the length, and nothing else but searches.
        tiers: prices of whole requests whose prompt is longer than so many tokens, longest first.
    """

    input: float
    output: float
    cache_read: float
    cache_read_audio: float
    cache_write: float
    cache_write_1h: float
    input_audio: float
    input_image: float
    output_audio: float
    output_image: float
    reasoning: float
    request: float = 0.0
    search: float = 0.0
    always_searches: bool = False
    reported: bool = False
    plain: bool = False
    tiers: tuple[tuple[int, Prices], ...] = ()

    @property
    def blended(self) -> float:
        """Per token, three parts input to one part output."""
        return (3 * self.input + self.output) / 4

    def cost(self, usage: Usage) -> float:
        """US dollars for an answer, as the provider says or else by its tokens and searches."""
        if self.plain and _is_ordinary(usage):  # most answers: two multiplications will do
            cost = usage.prompt_tokens * self.input + usage.completion_tokens * self.output
            if self.search and (self.always_searches or _may_have_searched(usage._extra)):
                cost += self.search * searches(usage, self)
            return cost
        if self.reported and (said := reported_cost(usage)) is not None:
            return said
        prompt, completion = self.charge(usage)
        searched = self.search * searches(usage, self) if self.search else 0.0
        return prompt + completion + searched + self.request

    def charge(self, usage: Usage) -> tuple[float, float]:
        """US dollars for the prompt and for the completion."""
        for threshold, tier in self.tiers:
            if usage.prompt_tokens > threshold:
                return tier._prompt(usage), tier._completion(usage)
        return self._prompt(usage), self._completion(usage)

    def _prompt(self, usage: Usage) -> float:
        details: Mapping[str, Any] = usage.prompt_tokens_details or {}
        cached = details.get("cached_tokens") or usage.cache_read_input_tokens or 0
        written = details.get("cache_creation_tokens") or usage.cache_creation_input_tokens or 0
        audio = details.get("audio_tokens") or 0
        image = details.get("image_tokens") or 0
        cost = cached * self.cache_read
        if cached and (audio or image):  # what is both was charged as cached just now
            kinds = details.get("cached_tokens_details") or {}
            both = kinds.get("audio_tokens") or 0
            cost += both * (self.cache_read_audio - self.cache_read)
            audio, image = audio - both, image - (kinds.get("image_tokens") or 0)
        if written:
            lasting = details.get("cache_creation_token_details") or {}
            hour = lasting.get("ephemeral_1h_input_tokens") or 0
            cost += (written - hour) * self.cache_write + hour * self.cache_write_1h
        plain = max(usage.prompt_tokens - cached - written - audio - image, 0)
        return cost + audio * self.input_audio + image * self.input_image + plain * self.input

    def _completion(self, usage: Usage) -> float:
        tokens = usage.completion_tokens
        details = usage.completion_tokens_details
        if not details:
            return tokens * self.output
        reasoning = details.get("reasoning_tokens") or 0
        audio = details.get("audio_tokens") or 0
        image = details.get("image_tokens") or 0
        plain = max(tokens - reasoning - audio - image, 0)
        special = reasoning * self.reasoning + audio * self.output_audio + image * self.output_image
        return plain * self.output + special


def _is_ordinary(usage: Usage) -> bool:
    """Whether all tokens of an answer are of the ordinary kinds."""
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return not (
        (prompt and any(prompt.values()))
        or (completion and any(completion.values()))
        or usage.cache_read_input_tokens
        or usage.cache_creation_input_tokens
    )


def _may_have_searched(extra: Any) -> bool:
    return type(extra) is not bytes or b"_search" in extra


def searches(usage: Usage, prices: Prices) -> int:
    """How many web searches an answer made, as far as its usage says."""
    details = usage.prompt_tokens_details
    count = details.get("web_search_requests") if details else None
    if not count and _may_have_searched(usage._extra):
        extras = usage._extras()
        server = extras.get("server_tool_use")
        count = (
            server.get("web_search_requests")
            if isinstance(server, dict)
            else extras.get("num_search_queries")
        )
    return count or int(prices.always_searches)


def reported_cost(usage: Usage | None) -> float | None:
    """US dollars that the provider says it has charged, None if it does not say."""
    said = usage.get("cost") if usage is not None else None
    said = said.get("total_cost") if isinstance(said, dict) else said
    return said if isinstance(said, int | float) else None


def is_reporting(name: str) -> bool:
    """Whether a provider, or the provider of a model, says what it charges."""
    return name.partition("/")[0] in REPORTING


def prices_of(
    model: str,
    provider: str | None = None,
    given: Mapping[str, Any] | None = None,
    *,
    service_tier: str | None = None,
) -> Prices | None:
    """The prices of a model's tokens, None if nobody knows them.

    Args:
        model: by any of its names.
        provider: whose model it is, where the name does not say.
        given: somebody's own prices, under LiteLLM's names. Those of input and output together
            stand for themselves; less than that is laid over what the catalogue says.
        service_tier: as in the call, ``"flex"`` or ``"priority"``.
    """
    given = given or {}
    if all(given.get(name) is not None for name in BASE):
        return make_prices(given, service_tier)
    found = model_cost.find(model, provider)
    if found is not None:
        fields = {**found, **given}
        if fields.get("input_cost_per_token") is not None:
            return make_prices(fields, service_tier)
    return make_prices({}) if is_own_server(provider or model) else None


def is_own_server(name: str) -> bool:
    """Whether a provider, or the provider of a model, is a server of one's own."""
    prefix = name.partition("/")[0]
    return PROVIDERS.get(prefix, prefix) in OWN_SERVERS


def make_prices(info: Mapping[str, Any], service_tier: str | None = None) -> Prices:
    """Prices from fields under LiteLLM's names; what they do not name costs what it resembles."""
    service = f"_{service_tier}" if service_tier in ("flex", "priority") else ""
    thresholds = {int(found[1]) for name in info if (found := _TIER.search(name))}
    tiers = tuple(
        (1000 * thousands, _make(info, service, f"_above_{thousands}k_tokens"))
        for thousands in sorted(thresholds, reverse=True)
    )
    return _make(info, service, "", tiers)


def _make(
    info: Mapping[str, Any],
    service: str,
    above: str,
    tiers: tuple[tuple[int, Prices], ...] = (),
) -> Prices:
    def price(name: str, default: float) -> float:
        for field in (f"{name}{above}{service}", f"{name}{above}", f"{name}{service}", name):
            value = info.get(field)
            if value is not None:
                return float(value)
        return default

    plain, said = price("input_cost_per_token", 0.0), price("output_cost_per_token", 0.0)
    read = price("cache_read_input_token_cost", plain)
    write = price("cache_creation_input_token_cost", plain)
    hour = 2 * plain if "claude" in info.get("key", "") else write  # as Anthropic has it
    per_search = info.get("search_context_cost_per_query") or {}
    search = per_search.get("search_context_size_medium", 0.0)
    request = info.get("input_cost_per_request") or 0.0
    reported = info.get("litellm_provider") in REPORTING
    return Prices(
        input=plain,
        output=said,
        cache_read=read,
        cache_read_audio=price("cache_read_input_audio_token_cost", read),
        cache_write=write,
        cache_write_1h=price("cache_creation_input_token_cost_above_1hr", hour),
        input_audio=price("input_cost_per_audio_token", plain),
        input_image=price("input_cost_per_image_token", plain),
        output_audio=price("output_cost_per_audio_token", said),
        output_image=price("output_cost_per_image_token", said),
        reasoning=price("output_cost_per_reasoning_token", said),
        request=request,
        search=search,
        always_searches=bool(info.get("always_searches")),
        reported=reported,
        plain=not (tiers or request or reported),
        tiers=tiers,
    )
