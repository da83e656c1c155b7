"""
Images at Fireworks: workflows of their own, one for each family of models.

    flux-1-…         `text_to_image`, which draws at once, sized by shape
    flux-kontext-…   the workflow itself, which draws later: `get_result` is asked until it has
    others           `image_generation`, the older interface, sized in pixels

https://docs.fireworks.ai/api-reference/generate-a-new-image-from-a-text-prompt
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..schemas import Image
from .base import Pending, Request
from .catalog import COMPATIBLE
from .images import Traits, convert_params, given, make_answer, only, rejected
from .openai_service import OpenAIService, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..schemas import ImageResponse
    from .base import Call, Target

PAUSE = 1.0
"""Seconds between two questions for an image that is being drawn."""

BASE64 = given("b64_json")
FLUX = Traits(
    values={"n": given(1), "response_format": BASE64},
    size="shape",
    shapes=("1:1", "2:3", "3:2", "4:5", "5:4", "9:16", "16:9", "9:21", "21:9"),
)
KONTEXT = replace(
    FLUX,
    values={"n": given(1), "output_format": only("jpeg", "png"), "response_format": given("url")},
)
DIFFUSION = Traits(
    frozenset({"n"}), {"response_format": BASE64}, size="pixels", rename={"n": "samples"}
)


class Workflow(NamedTuple):
    """Where a family of models is asked, with `{model}` for the model's full name."""

    traits: Traits
    path: str


WORKFLOWS: tuple[tuple[re.Pattern[str], Workflow], ...] = (
    (re.compile(r"flux-kontext"), Workflow(KONTEXT, "/workflows/{model}")),
    (re.compile(r"flux"), Workflow(FLUX, "/workflows/{model}/text_to_image")),
    (re.compile(r""), Workflow(DIFFUSION, "/image_generation/{model}")),
)
"""Names of models and their workflows, read from the top."""

WORKING = frozenset({"Pending", "Queued", "Task not found"})
"""States of an image that is still to come; it may take a moment until its task is found."""
FILTERED = re.compile(r"moderat|filter|nsfw", re.IGNORECASE)
"""What a state or reason says when a filter has kept an image back."""


class FireworksImages(OpenAIService):
    """Images of one model."""

    path = ""

    def __init__(self, target: Target) -> None:
        super().__init__(target, COMPATIBLE["fireworks_ai"])
        workflow = next(flow for pattern, flow in WORKFLOWS if pattern.search(target.model))
        self.traits: Traits = workflow.traits
        self.url: str = self.url + workflow.path.format(model=self.model)
        self.headers: dict[str, str] = {"Accept": "application/json", **self.headers}

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = convert_params(call, self.target, self.traits)
        return self.request({"prompt": call.input, **params}, call, dropped)

    def parse(self, body: bytes, call: Call) -> ImageResponse | Pending:
        """The answer, or how to ask for it again; see :meth:`Adapter.parse`."""
        try:
            read = msgspec.json.decode(body)
            answers: list[dict[str, Any]] = read if isinstance(read, list) else [read]
            if "request_id" in answers[0]:
                return self._ask_for(answers[0]["request_id"], call)
            if answers[0].get("status") in WORKING:
                return self._ask_for(answers[0]["id"], call)
            images = [image for answer in answers for image in convert_images(answer)]
            reasons = [reason for answer in answers if (reason := reason_of(answer))]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise self.unreadable(body, str(error)) from error
        if images:
            return make_answer(images)
        if any(map(FILTERED.search, reasons)):
            raise rejected(self.target, body, "; ".join(reasons))
        raise self.unreadable(body, "it has no image")

    def _ask_for(self, task: str, call: Call) -> Pending:
        headers = {**self.headers, **(call.extra_headers or {})}
        return Pending(Request(f"{self.url}/get_result", headers, encode({"id": task})), PAUSE)


def convert_images(answer: Mapping[str, Any]) -> list[Image]:
    """The images of one answer, whichever workflow has drawn them."""
    found = answer.get("base64") or (answer.get("result") or {}).get("sample") or []
    if FILTERED.search(str(answer.get("finishReason"))):
        return []  # what a filter has blurred is none
    return [convert_image(image) for image in ([found] if isinstance(found, str) else found)]


def convert_image(image: str) -> Image:
    """An image that is an address, or base64 with or without its type before it."""
    if image.startswith(("http:", "https:")):
        return Image(url=image)
    return Image(b64_json=image.rpartition("base64,")[2])


def reason_of(answer: Mapping[str, Any]) -> str | None:
    """Why an answer has no image."""
    reason = answer.get("finishReason") or answer.get("status")
    return None if reason is None else str(reason)
