"""
What an answer costs, of whatever kind: chat, embedding, ranking, image, speech.

The counts are read from the answer, the prices from the catalogue. Where either is missing
there is an error that says so, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import NotFoundError
from ..schemas import Details, Usage
from .catalogue import model_cost
from .prices import Prices, is_own_server, make_prices, prices_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENTS_PER_SEARCH = 100
"""Documents that one unit of a priced ranking may have."""


def cost_per_token(
    model: str,
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
    *,
    custom_llm_provider: str | None = None,
    cache_read_input_tokens: int = 0,
    cache_creation_input_tokens: int = 0,
    prompt_characters: int | None = None,
    usage_object: Usage | None = None,
    service_tier: str | None = None,
) -> tuple[float, float]:
    """US dollars for so many tokens: those of the prompt and those of the completion.

    Args:
        model: with or without its provider.
        prompt_tokens: all of them, cached ones included.
        completion_tokens: all of them, reasoning included.
        custom_llm_provider: whose model it is, where the name does not say.
        cache_read_input_tokens: how many of the prompt's tokens came from the cache.
        cache_creation_input_tokens: how many of them were written to it.
        prompt_characters: for models that are priced by characters, such as speech.
        usage_object: an answer's `usage`, instead of the counts.
        service_tier: ``"flex"`` or ``"priority"`` where the call had one.

    Raises:
        NotFoundError: the model or its price is not known.
    """
    info = model_cost.find(model, custom_llm_provider)
    if prompt_characters is not None and info is not None and info.input_cost_per_character:
        return prompt_characters * info.input_cost_per_character, 0.0
    usage = usage_object or Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        prompt_tokens_details=Details(
            cached_tokens=cache_read_input_tokens, cache_creation_tokens=cache_creation_input_tokens
        ),
    )
    prices = prices_of(model, custom_llm_provider, service_tier=service_tier)
    if prices is None:
        raise _no_price(model)
    return prices.charge(usage)


def completion_cost(
    completion_response: Any,
    model: str | None = None,
    *,
    custom_llm_provider: str | None = None,
    call_type: str | None = None,
    size: str | None = None,
    quality: str | None = None,
    n: int | None = None,
    service_tier: str | None = None,
    custom_cost_per_token: Mapping[str, float] | None = None,
) -> float:
    """US dollars for an answer of any call.

    Args:
        completion_response: what the call returned.
        model: the model that was asked for. The answer's own model comes first where the
            catalogue knows it; without both, what the Router has computed for the answer.
        custom_llm_provider: whose model it is, where the name does not say.
        call_type: ``"image_generation"``, ``"rerank"`` and so on; by default what the model is.
        size: of the images that were asked for, e.g. ``"1024x1024"``.
        quality: of these images.
        n: how many of them.
        service_tier: ``"flex"`` or ``"priority"`` where neither call nor answer say.
        custom_cost_per_token: your own prices, instead of the catalogue's:
            ``{"input_cost_per_token": …, "output_cost_per_token": …}``.

    Raises:
        NotFoundError: the price is not known, or the answer does not say what was used.
    """
    usage = _usage(completion_response)
    if custom_cost_per_token is not None and usage is not None:
        return make_prices(custom_cost_per_token).cost(usage)
    routed = _routed_cost(completion_response)
    if model is None and routed is not None:
        return routed
    names = _names(completion_response, model, custom_llm_provider)
    for name in names:
        info = model_cost.find(name)
        if info is None:
            continue
        kind = call_type or info.mode
        if kind in ("image_generation", "image_edit"):
            cost = _image_cost(completion_response, info, usage, size, quality, n)
        elif kind == "rerank":
            cost = _rerank_cost(completion_response, info)
        else:
            tier = service_tier or _read(completion_response, "service_tier")
            cost = _token_cost(info, usage, make_prices(info, tier))
        if cost is not None:
            return cost
    if any(is_own_server(name) for name in names):
        return 0.0
    if routed is not None:
        return routed
    raise _no_price(model or _read(completion_response, "model") or "this answer")


def _names(response: Any, model: str | None, provider: str | None) -> list[str]:
    """What the answering model may be called, best first: what served it, then what was asked."""
    served = _read(response, "model")
    asked = model if provider is None or model is None else f"{provider}/{model}"
    prefix, slash, _ = (asked or "").partition("/")
    if served and slash:
        served = f"{prefix}/{served.removeprefix(f'{prefix}/')}"
    return [name for name in (served, asked) if name]


def _routed_cost(response: Any) -> float | None:
    """What the Router has computed for the attempt that brought this answer."""
    attempts = _read(response, "route", "attempts") or [None]
    cost: float | None = _read(attempts[-1], "cost")
    return cost


def _token_cost(info: Mapping[str, Any], usage: Usage | None, prices: Prices) -> float | None:
    """By tokens, or by what else the prompt's details have counted and the model is priced by."""
    if usage is None:
        return None
    details: Mapping[str, Any] = usage.prompt_tokens_details or {}
    counted = (
        (details.get("character_count"), info.get("input_cost_per_character")),
        (details.get("image_count"), info.get("input_cost_per_image")),
        (details.get("video_length_seconds"), info.get("input_cost_per_video_per_second")),
        (usage.get("seconds"), info.get("input_cost_per_second")),
    )
    charged = [count * price for count, price in counted if count and price is not None]
    if charged:
        return float(sum(charged))
    if info.get("input_cost_per_token") is None:
        return None
    return prices.cost(usage)


def _rerank_cost(response: Any, info: Mapping[str, Any]) -> float | None:
    """By searches where those are priced, else by tokens."""
    billed = _read(response, "meta", "billed_units") or {}
    per_query, per_token = info.get("input_cost_per_query"), info.get("input_cost_per_token")
    if per_query is not None:
        units = _read(billed, "search_units")
        if units is None:
            documents = len(_read(response, "results") or ())
            units = max(1, -(-documents // DOCUMENTS_PER_SEARCH))
        return float(units * per_query)
    tokens = (
        _read(billed, "total_tokens")
        or _read(billed, "input_tokens")
        or _read(response, "meta", "tokens", "input_tokens")
        or _read(response, "usage", "total_tokens")
    )
    if tokens is None or per_token is None:
        return None if per_token is None or per_token > 0 else 0.0
    return float(tokens * per_token)


def _image_cost(
    response: Any,
    info: Mapping[str, Any],
    usage: Usage | None,
    size: str | None,
    quality: str | None,
    n: int | None,
) -> float | None:
    """By tokens where the answer counts them, else by size and quality, by image or by pixel."""
    counted = usage is not None and (usage.prompt_tokens or usage.completion_tokens)
    if usage is not None and counted and info.get("input_cost_per_token") is not None:
        return make_prices(info).cost(usage)
    count = n or len(_read(response, "data") or ()) or 1
    size = (size or _read(response, "size") or "1024x1024").replace("-x-", "x")
    quality = quality or _read(response, "quality") or "standard"  # as the service takes it
    by_size = info.get("cost_per_image") or {}
    for name in (f"{quality}/{size}", size):
        if name in by_size:
            return float(count * by_size[name])
    if info.get("output_cost_per_image") is not None:
        return float(count * info["output_cost_per_image"])
    width, _, height = size.partition("x")
    per_pixel = info.get("input_cost_per_pixel") or info.get("output_cost_per_pixel")
    if per_pixel is None or not (width.isdecimal() and height.isdecimal()):
        return None
    return float(count * int(width) * int(height) * per_pixel)


def _usage(response: Any) -> Usage | None:
    """The answer's counts, whichever of OpenAI's two vocabularies they are in."""
    usage = _read(response, "usage")
    if usage is None or isinstance(usage, Usage):
        return usage
    said = _read(usage, "prompt_tokens_details") or _read(usage, "input_tokens_details")
    made = _read(usage, "completion_tokens_details") or _read(usage, "output_tokens_details")
    pictures = _read(usage, "output_tokens")  # only image services leave out what these are
    return Usage(
        prompt_tokens=_read(usage, "prompt_tokens") or _read(usage, "input_tokens") or 0,
        completion_tokens=_read(usage, "completion_tokens") or pictures or 0,
        prompt_tokens_details=Details(said) if said else None,
        cache_read_input_tokens=_read(usage, "cache_read_input_tokens"),
        cache_creation_input_tokens=_read(usage, "cache_creation_input_tokens"),
        completion_tokens_details=Details(made or {"image_tokens": pictures or 0}),
        _extra=usage if isinstance(usage, dict) else None,
    )


def _read(value: Any, *path: str) -> Any:
    """A field inside an object or a mapping, None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else getattr(value, name, None)
    return value


def _no_price(model: str) -> NotFoundError:
    return NotFoundError(
        "no price is known, or the answer does not say what it used; "
        "register_model({name: {'input_cost_per_token': …}}) sets prices",
        model=model,
    )
