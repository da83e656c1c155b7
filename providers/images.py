"""
What can be asked of an image, by OpenAI's names, and what of it a model understands.

https://platform.openai.com/docs/api-reference/images/create. Models differ in data only: their
:class:`Traits` say which parameters they take, under which names, with which values. What a
model has no word for is refused, or left out with `drop_params`.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from ..exceptions import ContentPolicyViolationError
from ..schemas import Image, ImageResponse
from .errors import ErrorDetails, make_error
from .params import leave_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..exceptions import APIError
    from .base import Call, Target

IMAGE_PARAMS = frozenset(
    {
        "background",
        "moderation",
        "n",
        "output_compression",
        "output_format",
        "partial_images",
        "quality",
        "response_format",
        "size",
        "stream",
        "style",
        "user",
    }
)
"""OpenAI's parameters; any other is the provider's own and goes to it as it is."""

SIZE = re.compile(r"(\d+)x(\d+)")

NEAR = math.log(9 / 8)
"""How far the shape of an image may be from the one asked for, as a ratio: an eighth."""

Values = MappingProxyType[Any, Any]


def only(*values: Any, **converted: Any) -> Values:
    """Values of a parameter: these as they are, and those under the provider's names for them."""
    return MappingProxyType({**{value: value for value in values}, **converted})


def given(*values: Any) -> Values:
    """Values that need no saying: the model does just that."""
    return MappingProxyType(dict.fromkeys(values))


@dataclass(frozen=True, slots=True)
class Traits:
    """What an image model takes.

    Attributes:
        takes: parameters of OpenAI's that it takes with whatever value.
        values: parameters that it takes with some values → how it calls these; None: says nothing,
            for it is so anyway.
        size: how an image's size is said: as OpenAI does, in pixels (`width` and `height`), or
            by its shape (`aspect_ratio`); None: it cannot be.
        shapes: the shapes that there are, e.g. ``"16:9"``.
        tiers: pixels of the longer side → `resolution`, for those sized by shape; largest first.
        rename: parameter → this provider's name for it, `width`, `aspect_ratio` and so on too;
            dots lead into objects.
    """

    takes: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    size: Literal["text", "pixels", "shape"] | None = "text"
    shapes: tuple[str, ...] = ()
    tiers: tuple[tuple[int, str], ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)


SAYS_ALL = Traits(takes=IMAGE_PARAMS - {"stream", "partial_images"})
"""Of models that nobody here knows: the server will say what it does not take."""


def convert_params(
    call: Call, target: Target, traits: Traits
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The parameters under the provider's names, and the names of those left out.

    Raises:
        UnsupportedParamsError: one asks for what the model cannot do, without `drop_params`.
    """
    converted: dict[str, Any] = {}
    refused: dict[str, str] = {}
    left_out: list[str] = []
    for name, value in call.params.items():
        sent = convert_param(name, value, traits)
        if sent is None and name == "user":
            left_out.append(name)  # no image depends on it, so it is no reason to refuse
        elif sent is None:
            known = name in traits.values or name == "size"
            refused[name] = f"{name}={value!r:.40}" if known else name
        else:
            converted.update(sent)
    dropped = (*left_out, *leave_out(refused, target, drop=call.drop_params))
    return nest({traits.rename.get(name, name): it for name, it in converted.items()}), dropped


def convert_param(name: str, value: Any, traits: Traits) -> dict[str, Any] | None:
    """What is sent for one parameter; None: the model cannot do that."""
    if name in traits.values:
        known = traits.values[name]
        if not isinstance(value, str | int) or value not in known:
            return None
        return {} if known[value] is None else {name: known[value]}
    if name == "size":
        return convert_size(value, traits)
    return {name: value} if name in traits.takes or name not in IMAGE_PARAMS else None


def convert_size(size: Any, traits: Traits) -> dict[str, Any] | None:
    """A size such as ``"1024x1792"`` as the model wants it said; None: it has none like it."""
    if traits.size == "text":
        return {"size": size}
    if size == "auto" and traits.size is not None:
        return {}
    found = SIZE.fullmatch(size) if isinstance(size, str) else None
    if found is None or traits.size is None:
        return None
    width, height = int(found[1]), int(found[2])
    if traits.size == "pixels":
        return {"width": width, "height": height}
    return convert_shape(width, height, traits)


def convert_shape(width: int, height: int, traits: Traits) -> dict[str, Any] | None:
    """The nearest shape, and the resolution that comes up to the size; None: there is none."""
    if not width or not height:
        return None
    ratio = math.log(width / height)
    distance, shape = min((abs(ratio - math.log(ratio_of(one))), one) for one in traits.shapes)
    if distance > NEAR:
        return None
    tier = next((name for pixels, name in traits.tiers if max(width, height) >= pixels), None)
    return {"aspect_ratio": shape} if tier is None else {"aspect_ratio": shape, "resolution": tier}


def ratio_of(shape: str) -> float:
    """Width to height of a shape such as ``"16:9"``."""
    width, _, height = shape.partition(":")
    return float(width) / float(height)


def nest(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, those with dots in their names inside objects."""
    nested: dict[str, Any] = {}
    for name, value in params.items():
        outer, dot, inner = name.partition(".")
        if dot:
            nested[outer] = {**nested.get(outer, {}), inner: value}
        elif isinstance(value, dict):
            nested[name] = {**nested.get(name, {}), **value}
        else:
            nested[name] = value
    return nested


def make_answer(images: Iterable[Image], **fields: Any) -> ImageResponse:
    """The answer with these images, made now."""
    return ImageResponse(created=int(time.time()), data=list(images), **fields)


def rejected(target: Target, body: bytes, reason: str) -> APIError:
    """The exception for an answer that a filter has emptied."""
    return make_error(
        target,
        400,
        {},
        body,
        details=ErrorDetails(f"the provider's filter has kept the images back: {reason}"),
        kind=ContentPolicyViolationError,
    )
