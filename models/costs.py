"""
What an answer costs, of whatever kind: chat, embedding, ranking, image, speech.

The counts are read from the answer, the prices from the catalogue. Where either is missing
there is an error that says so, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import BadRequestError, NotFoundError
from ..schemas import Details, Usage
from .catalogue import model_cost
from .prices import (
    BASE,
    Prices,
    is_own_server,
    is_reporting,
    make_prices,
    prices_of,
    reported_cost,
)
from .tokens import token_counter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    completion_response: Any = None,
    model: str | None = None,
    *,
    prompt: str | None = None,
    messages: Sequence[Any] | None = None,
    completion: str | None = None,
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
        completion_response: what the call returned; of a stream, the list of its chunks.
        model: the model that was asked for. The answer's own model comes first where the
            catalogue knows it; without both, what the Router has computed for the answer.
        prompt: instead of an answer: a text that was sent. Tokens are then counted by
            :func:`token_counter`.
        messages: likewise messages.
        completion: likewise the answer's text.
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
        BadRequestError: there is neither an answer nor a text.
    """
    if completion_response is None:
        completion_response = _counted(model, prompt, messages, completion)
    elif isinstance(completion_response, list | tuple):
        completion_response = _streamed(completion_response)
    if custom_cost_per_token is not None:
        return _own_cost(completion_response, model, custom_cost_per_token)
    routed = _routed_cost(completion_response)
    if model is None and routed is not None:
        return routed
    names = _names(completion_response, model, custom_llm_provider)
    tier = service_tier or _read(completion_response, "service_tier")
    asked = {"size": size, "quality": quality, "n": n, "service_tier": tier}
    for info in filter(None, map(model_cost.find, names)):
        cost = _cost(call_type or info.mode, completion_response, info, asked)
        if cost is not None:
            return cost
    if any(map(is_own_server, names)):
        return 0.0
    if routed is None and any(map(is_reporting, names)):
        routed = reported_cost(_usage(completion_response))
    if routed is None:
        raise _no_price(model or _read(completion_response, "model") or "this answer")
    return routed


def _own_cost(response: Any, model: str | None, prices: Mapping[str, float]) -> float:
    """By a caller's own prices."""
    usage = _usage(response)
    if usage is None:
        raise _no_price(model or _read(response, "model") or "this answer")
    return make_prices(prices).cost(usage)


class _Told(NamedTuple):
    """What is read of an answer that is not whole."""

    model: str | None
    usage: Any
    service_tier: str | None = None
    route: Any = None


def _streamed(chunks: Sequence[Any]) -> _Told:
    """What the chunks of a stream tell of its cost; the last word counts."""
    told: dict[str, Any] = {"model": None, "usage": None}
    for chunk in chunks:
        found = {name: _read(chunk, name) for name in ("model", "usage", "service_tier")}
        told |= {name: value for name, value in found.items() if value}
        if _routed_cost(chunk) is not None:
            told["route"] = _read(chunk, "route")
    return _Told(**told)


def _counted(
    model: str | None,
    prompt: str | None,
    messages: Sequence[Any] | None,
    completion: str | None,
) -> _Told:
    """An answer of which only texts are known."""
    if prompt is None and messages is None and completion is None:
        raise BadRequestError(
            "completion_cost wants an answer, or prompt=, messages= or completion="
        )
    sent = token_counter(model or "", messages=messages) if messages else 0
    sent += token_counter(model or "", text=prompt or "")
    made = token_counter(model or "", text=completion or "")
    return _Told(model, Usage(prompt_tokens=sent, completion_tokens=int(made)))


def answer_cost(
    response: Any,
    model: str,
    provider: str,
    *,
    operation: str,
    given: Mapping[str, Any],
    asked: Mapping[str, Any],
) -> float | None:
    """US dollars for an answer that a Router has got, None where that cannot be told.

    Args:
        response: the answer.
        model: the provider's own name of the model.
        provider: whose it is.
        operation: what the call was for, e.g. ``"image"``.
        given: the deployment's own prices, which come before the catalogue's.
        asked: the parameters of the call, such as `size` and `quality`.
    """
    info = {**(model_cost.find(model, provider) or {}), **given}
    cost = _cost(operation, response, info, {**asked, "n": None})
    return 0.0 if cost is None and is_own_server(provider) else cost


def _cost(
    kind: str | None, response: Any, info: Mapping[str, Any], asked: Mapping[str, Any]
) -> float | None:
    """By what this kind of answer is priced by; `asked` are parameters of the call."""
    usage = _usage(response)
    if kind in ("image", "image_generation", "image_edit"):
        size = asked.get("size")
        if size is None and asked.get("width") and asked.get("height"):
            size = f"{asked['width']}x{asked['height']}"
        return _image_cost(response, info, usage, size, asked.get("quality"), asked.get("n"))
    if kind == "rerank":
        return _rerank_cost(response, info)
    return _token_cost(info, usage, make_prices(info, asked.get("service_tier")))


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
    if usage is None:  # what is free costs nothing, however much of it there was
        return 0.0 if all(info.get(name) == 0 for name in BASE) else None
    details: Mapping[str, Any] = usage.prompt_tokens_details or {}
    counted = (
        (details.get("character_count"), info.get("input_cost_per_character")),
        (details.get("image_count"), info.get("input_cost_per_image")),
        (details.get("video_length_seconds"), info.get("input_cost_per_video_per_second")),
        (usage.get("seconds"), info.get("input_cost_per_second")),
    )
    charged = [count * price for count, price in counted if count and price is not None]
    if charged:
        pictures = details.get("image_count") and not details.get("character_count")
        return float(sum(charged)) + (prices.cost(usage) if pictures else 0.0)
    unpriced = any(count for count, _ in counted) and not usage.prompt_tokens
    if unpriced or info.get("input_cost_per_token") is None:
        return None
    return prices.cost(usage)


def _rerank_cost(response: Any, info: Mapping[str, Any]) -> float | None:
    """As the provider says, else by searches where those are priced, else by tokens."""
    said = _read(response, "usage", "cost")
    if isinstance(said, int | float):
        return said
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
    """As the provider says, else by tokens, by size and quality, by image or by pixel."""
    said = usage.get("cost") if usage is not None else None
    if isinstance(said, int | float):
        return said
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
    for name in ("output_cost_per_image", "input_cost_per_image"):  # some lists mix them up
        if info.get(name) is not None:
            return float(count * info[name])
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
