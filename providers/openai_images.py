"""
Images in OpenAI's format, which several providers speak.

https://platform.openai.com/docs/api-reference/images/create. What a model takes is a row of
`MODELS` or, for other providers, of `TRAITS`.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import msgspec

from ..schemas import ImageResponse, convert
from .azure import AzureService
from .images import SAYS_ALL, Traits, convert_params, given, only
from .openai_service import OpenAIService

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Call, Request, Target
    from .catalog import Compatible

MODELS: tuple[tuple[re.Pattern[str], Traits], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), traits)
    for pattern, traits in (
        (
            r"dall-?e-?2",
            Traits(
                takes=frozenset({"n", "response_format", "user"}),
                values={"quality": given("standard", "auto")},
            ),
        ),
        (
            r"dall-?e-?3",
            Traits(
                takes=frozenset({"quality", "response_format", "style", "user"}),
                values={"n": only(1)},
            ),
        ),
        (
            r"gpt-image|chatgpt-image",
            Traits(
                takes=SAYS_ALL.takes - {"response_format", "style"},
                values={"response_format": given("b64_json")},
            ),
        ),
        (r"", SAYS_ALL),
    )
)
"""OpenAI's models by name, read from the top; names of deployments have more around them."""

TRAITS: Mapping[str, Traits] = {
    "deepinfra": Traits(frozenset({"n"}), {"response_format": only("b64_json")}),
    "nscale": Traits(frozenset({"n"}), {"response_format": given("b64_json")}),
    "together_ai": Traits(
        frozenset({"n", "output_format"}),
        {"response_format": only("url", b64_json="base64")},
        size="pixels",
    ),
    "xai": Traits(
        frozenset({"n", "quality", "response_format", "user"}),
        size="shape",
        shapes=("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "1:2", "2:1"),
        tiers=((2048, "2k"),),
    ),
    "zai": Traits(
        frozenset({"quality", "user"}),
        {"n": given(1), "response_format": given("url")},
        rename={"user": "user_id"},
    ),
}
"""Others that draw images in this format, and what can be asked there."""

OPENAIS = frozenset({"azure", "openai"})
"""Who serves `MODELS`."""


class OpenAIImages(OpenAIService):
    """Images for one target."""

    path = "/images/generations"

    def __init__(self, target: Target, row: Compatible) -> None:
        super().__init__(target, row)
        self.traits: Traits = traits_of(target)

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = convert_params(call, self.target, self.traits)
        return self.request({"model": self.model, "prompt": call.input, **params}, call, dropped)

    def parse(self, body: bytes, call: Call) -> ImageResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            fields = msgspec.json.decode(body)
            present = {name: value for name, value in fields.items() if value is not None}
            answer = convert(present, ImageResponse)
        except (AttributeError, ValueError, RecursionError) as error:
            raise self.unreadable(body, str(error)) from error
        if not any(image.url or image.b64_json for image in answer.data):
            raise self.unreadable(body, "it has no image")
        answer.created = answer.created or int(time.time())
        return answer


class AzureImages(AzureService, OpenAIImages):
    """Images of one deployment at Azure."""


def traits_of(target: Target) -> Traits:
    """What can be asked of a target; servers that are known to nobody here are asked for all."""
    if target.provider in TRAITS:
        return TRAITS[target.provider]
    if target.provider not in OPENAIS:
        return SAYS_ALL
    model = target.settings.get("base_model") or target.model
    return next(traits for pattern, traits in MODELS if pattern.search(model))
