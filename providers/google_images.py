"""
Google's images, of AI Studio and of Vertex AI: Imagen, and Gemini models that draw.

    imagen-4.0-generate-001      `predict`           https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
    gemini-2.5-flash-image       `generateContent`   https://ai.google.dev/gemini-api/docs/image-generation

Both say an image's size by its shape. A Gemini model draws in a chat, and so it is asked in one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace as replaced

from ..exceptions import UnsupportedParamsError
from ..schemas import Image, ImageUsage
from .errors import unreadable
from .gemini import GeminiAdapter, merge
from .gemini_errors import read_status
from .images import Traits, convert_params, given, make_answer, only, rejected
from .vertex import GeminiOnVertex, make_adapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion, ImageResponse, Usage
    from .base import Adapter, Call, Credential, Request, Target

    Google = GeminiAdapter | GeminiOnVertex

IMAGEN_NAME = re.compile(r"(?:models/)?(?:imagen|imagegeneration)")

IMAGEN = Traits(
    takes=frozenset({"n", "output_compression"}),
    values={
        "output_format": only(png="image/png", jpeg="image/jpeg"),
        "response_format": given("b64_json"),
    },
    size="shape",
    shapes=("1:1", "3:4", "4:3", "9:16", "16:9"),
    rename={
        "aspect_ratio": "aspectRatio",
        "n": "sampleCount",
        "negative_prompt": "negativePrompt",
        "output_compression": "outputOptions.compressionQuality",
        "output_format": "outputOptions.mimeType",
        "person_generation": "personGeneration",
        "resolution": "sampleImageSize",
    },
)
GEMINI = Traits(
    takes=frozenset({"user"}),
    values={"n": given(1), "response_format": given("b64_json")},
    size="shape",
    shapes=("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"),
    rename={"aspect_ratio": "imageConfig.aspectRatio", "resolution": "imageConfig.imageSize"},
)
MODELS: tuple[tuple[re.Pattern[str], Traits], ...] = tuple(
    (re.compile(rf"(?:models/)?(?:{pattern})"), traits)
    for pattern, traits in (
        (r"imagen-4.*fast|imagen-[0-3]|imagegeneration", IMAGEN),
        (r"imagen", replace(IMAGEN, tiers=((2048, "2K"),))),
        (r"gemini-[012]\b", GEMINI),
        (r"", replace(GEMINI, tiers=((4096, "4K"), (2048, "2K")))),
    )
)
"""Models by name, read from the top; the newer ones draw larger, too."""


def make_for_studio(target: Target) -> Adapter:
    """The adapter for a model of AI Studio."""
    return _make(GeminiAdapter(target))


def make_for_vertex(target: Target) -> Adapter:
    """The adapter for a model of Vertex AI.

    Raises:
        UnsupportedParamsError: it is not Google's own.
    """
    chat = make_adapter(target)
    if not isinstance(chat, GeminiOnVertex):
        raise UnsupportedParamsError(
            f"{target.provider}/{target.model} draws no images; Imagen and Gemini models do",
            model=target.model,
            llm_provider=target.provider,
        )
    return _make(chat)


def _make(chat: Google) -> Adapter:
    model = chat.target.model
    traits = next(traits for pattern, traits in MODELS if pattern.match(model))
    return Imagen(chat, traits) if IMAGEN_NAME.match(model) else GeminiImages(chat, traits)


class GeminiImages:
    """Images that a Gemini model draws in a chat."""

    def __init__(self, chat: Google, traits: Traits) -> None:
        self.chat = chat
        self.target: Target = chat.target
        self.credential: Credential | None = chat.credential
        self.traits = traits

    def files(self, call: Call) -> tuple[str, ...]:
        """None: there is only a prompt."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = convert_params(call, self.target, self.traits)
        params.setdefault("responseModalities", ["TEXT", "IMAGE"])
        message = {"role": "user", "content": call.input}
        request = self.chat.build(
            replaced(call, operation="chat", messages=[message], params=params)
        )
        request.dropped = dropped + request.dropped
        return request

    def parse(self, body: bytes, call: Call) -> ImageResponse:
        """The answer; see :meth:`Adapter.parse`."""
        completion = self.chat.parse(body, call)
        images = [
            Image(b64_json=image["image_url"]["url"].partition("base64,")[2])
            for choice in completion.choices
            for image in choice.message.images or ()
        ]
        if not images:
            raise self._without_image(completion, body)
        text = completion.choices[0].message.content
        usage = convert_usage(completion.usage) if completion.usage else ImageUsage()
        return make_answer(images, usage=usage, _extra={"text": text} if text else None)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return self.chat.error(status, headers, body)

    def _without_image(self, completion: ChatCompletion, body: bytes) -> APIError:
        choice = completion.choices[0]
        reason = choice.provider_specific_fields.get("native_finish_reason")
        if choice.finish_reason == "content_filter":
            return rejected(self.target, body, str(reason))
        said = choice.message.content or reason
        return unreadable(self.target, body, f"it has no image; the model says: {said}")


class Imagen:
    """Images of one Imagen model."""

    def __init__(self, google: Google, traits: Traits) -> None:
        self.google = google
        self.target: Target = google.target
        self.credential: Credential | None = google.credential
        self.traits = traits

    def files(self, call: Call) -> tuple[str, ...]:
        """None: there is only a prompt."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        params, dropped = convert_params(call, self.target, self.traits)
        params.setdefault("sampleCount", 1)  # Google's own default is four
        body = {"instances": [{"prompt": call.input}], "parameters": params}
        return self.google.request("predict", merge(body, call.extra_body or {}), call, dropped)

    def parse(self, body: bytes, call: Call) -> ImageResponse:
        """The answer; see :meth:`Adapter.parse`. A filter leaves images out, even all of them."""
        try:
            predictions: list[dict[str, Any]] = msgspec.json.decode(body).get("predictions") or []
            images = [convert_prediction(found) for found in predictions if is_image(found)]
            reasons = [str(found["raiFilteredReason"]) for found in predictions if hides(found)]
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise unreadable(self.target, body, str(error)) from error
        if read_status(body):
            raise self.error(200, {}, body)
        if not images:
            raise rejected(self.target, body, "; ".join(reasons) or "it does not say why")
        return make_answer(images, _extra={"raiFilteredReasons": reasons} if reasons else None)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return self.google.error(status, headers, body)


def is_image(prediction: Mapping[str, Any]) -> bool:
    """Whether this is an image, in the answer or in a bucket of the caller's."""
    return "bytesBase64Encoded" in prediction or "gcsUri" in prediction


def hides(prediction: Mapping[str, Any]) -> bool:
    """Whether this is a filter's verdict in the place of an image."""
    return bool(prediction.get("raiFilteredReason"))


def convert_prediction(prediction: Mapping[str, Any]) -> Image:
    """One of Imagen's images; `prompt` is there if it has been enhanced."""
    return Image(
        b64_json=prediction.get("bytesBase64Encoded"),
        url=prediction.get("gcsUri"),
        revised_prompt=prediction.get("prompt"),
        _extra={"mime_type": prediction["mimeType"]} if "mimeType" in prediction else None,
    )


def convert_usage(usage: Usage) -> ImageUsage:
    """A chat's tokens under the names that images have for them."""
    return ImageUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        input_tokens_details=usage.prompt_tokens_details,
        output_tokens_details=usage.completion_tokens_details,
    )
