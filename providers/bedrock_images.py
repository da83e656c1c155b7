"""
Images of Bedrock's models, by InvokeModel: each maker has formats of its own.

    amazon.nova-canvas, amazon.titan-image   model-parameters-titan-image.html
    stability.stable-diffusion-xl            model-parameters-diffusion-1-0-text-image.html
    stability.sd3, stable-image-core/-ultra  model-parameters-diffusion-3-text-image.html

below https://docs.aws.amazon.com/bedrock/latest/userguide/. All of them answer in base64.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec

from ..exceptions import UnsupportedParamsError
from ..schemas import Image
from .bedrock_access import Access
from .bedrock_errors import MALFORMED, convert_error, unreadable
from .images import Traits, convert_params, given, make_answer, only, rejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ImageResponse
    from .aws_credentials import AwsCredential
    from .base import Call, Request, Target

TITAN = Traits(
    takes=frozenset({"n"}),
    values={
        "quality": {
            **given("auto"),
            **only("premium", "standard", hd="premium", high="premium"),
            **only(low="standard", medium="standard"),
        },
        "response_format": given("b64_json"),
    },
    size="pixels",
    rename={
        "cfgScale": "imageGenerationConfig.cfgScale",
        "cfg_scale": "imageGenerationConfig.cfgScale",
        "height": "imageGenerationConfig.height",
        "n": "imageGenerationConfig.numberOfImages",
        "negative_prompt": "negativeText",
        "numberOfImages": "imageGenerationConfig.numberOfImages",
        "quality": "imageGenerationConfig.quality",
        "seed": "imageGenerationConfig.seed",
        "width": "imageGenerationConfig.width",
    },
)
CANVAS = replace(
    TITAN,
    values={
        **TITAN.values,
        "style": only(
            "3D_ANIMATED_FAMILY_FILM",
            "DESIGN_SKETCH",
            "FLAT_VECTOR_ILLUSTRATION",
            "GRAPHIC_NOVEL_ILLUSTRATION",
            "MAXIMALISM",
            "MIDCENTURY_RETRO",
            "PHOTOREALISM",
            "SOFT_DIGITAL_PAINTING",
        ),
    },
)
DIFFUSION_XL = Traits(
    values={"n": given(1), "response_format": given("b64_json")},
    size="pixels",
)
STABLE_IMAGE = Traits(
    values={
        "n": given(1),
        "output_format": only("jpeg", "png"),
        "response_format": given("b64_json"),
    },
    size="shape",
    shapes=("1:1", "2:3", "3:2", "4:5", "5:4", "9:16", "16:9", "9:21", "21:9"),
)

TASKS: Mapping[str, str] = MappingProxyType(
    {
        "COLOR_GUIDED_GENERATION": "colorGuidedGenerationParams",
        "IMAGE_VARIATION": "imageVariationParams",
        "INPAINTING": "inPaintingParams",
        "OUTPAINTING": "outPaintingParams",
        "TEXT_IMAGE": "textToImageParams",
    }
)
"""What Amazon's models can be asked to do (`taskType`), and where the prompt for it stands."""
OF_THE_TASK = ("negativeText", "style")
"""What stands beside the prompt."""

OF_THE_ADDRESS = ("model_id",)
"""Parameters that say where the model is; the body has no place for them."""


class Drawn(NamedTuple):
    """What an answer holds: images, and why others are missing."""

    images: list[str]
    reasons: list[str]


class BedrockImages(ABC):
    """Images of one model."""

    traits: ClassVar[Traits]

    def __init__(self, target: Target) -> None:
        self.access: Access = Access(target)
        self.credential: AwsCredential | None = self.access.credential
        self.target: Target = self.access.target
        self.headers: Mapping[str, str] = target.headers

    def files(self, call: Call) -> tuple[str, ...]:
        """None: there is only a prompt."""
        return ()

    def build(self, call: Call) -> Request:
        """The request, signed; see :meth:`Adapter.build`."""
        params, dropped = convert_params(call, self.target, self.traits)
        for name in OF_THE_ADDRESS:
            params.pop(name, None)
        body = {**self.body(call.input, params), **(call.extra_body or {})}
        headers = {**self.headers, **(call.extra_headers or {})}
        return self.access.request("invoke", headers, body, call, dropped)

    def parse(self, body: bytes, call: Call) -> ImageResponse:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            images, reasons = self.read(msgspec.json.decode(body))
        except MALFORMED as error:
            raise unreadable(self.target, body, str(error)) from error
        if not images:
            if reasons:
                raise rejected(self.target, body, "; ".join(reasons))
            raise unreadable(self.target, body, "it has no image")
        extra = {"filtered": reasons} if reasons else None
        return make_answer([Image(b64_json=image) for image in images], _extra=extra)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)

    @abstractmethod
    def body(self, prompt: str, params: dict[str, Any]) -> dict[str, Any]:
        """The body for a prompt, with the parameters under the maker's names."""

    @abstractmethod
    def read(self, answer: dict[str, Any]) -> Drawn:
        """The images of an answer. May raise whatever a malformed one makes it raise."""


class TitanImages(BedrockImages):
    """Amazon's format."""

    traits = TITAN

    def body(self, prompt: str, params: dict[str, Any]) -> dict[str, Any]:
        """The task and its prompt, and the configuration beside it."""
        task = params.pop("taskType", "TEXT_IMAGE")
        place = TASKS.get(task)
        if place is None:
            return {"taskType": task, **params}
        beside = {name: params.pop(name) for name in OF_THE_TASK if name in params}
        asked = {"text": prompt, **beside, **params.pop(place, {})}
        return {"taskType": task, place: asked, **params}

    def read(self, answer: dict[str, Any]) -> Drawn:
        """The images; `error` says why there are fewer than were asked for."""
        said = answer.get("error")
        return Drawn([str(image) for image in answer.get("images") or ()], [said] if said else [])


class CanvasImages(TitanImages):
    """The same for Nova Canvas, which has styles of its own."""

    traits = CANVAS


class DiffusionImages(BedrockImages):
    """Stability's first format, of SDXL: weighted prompts, sizes in pixels."""

    traits = DIFFUSION_XL

    def body(self, prompt: str, params: dict[str, Any]) -> dict[str, Any]:
        """Prompts, one of which may be what is not wanted, and the parameters beside them."""
        prompts: list[dict[str, Any]] = [{"text": prompt, "weight": 1}]
        unwanted = params.pop("negative_prompt", None)
        if unwanted:
            prompts.append({"text": unwanted, "weight": -1})
        return {"text_prompts": prompts, **params}

    def read(self, answer: dict[str, Any]) -> Drawn:
        """The images; what a filter has blurred is none."""
        found = answer["artifacts"]
        return Drawn(
            [one["base64"] for one in found if one.get("finishReason") in (None, "SUCCESS")],
            [one["finishReason"] for one in found if one.get("finishReason") == "CONTENT_FILTERED"],
        )


class StableImages(BedrockImages):
    """Stability's second format: one prompt, sizes as shapes."""

    traits = STABLE_IMAGE

    def body(self, prompt: str, params: dict[str, Any]) -> dict[str, Any]:
        """The prompt and the parameters beside it."""
        return {"prompt": prompt, **params}

    def read(self, answer: dict[str, Any]) -> Drawn:
        """The images, or the names of filters that have left none."""
        reasons = [reason for reason in answer.get("finish_reasons") or () if reason]
        return Drawn(
            [str(image) for image in answer.get("images") or ()],
            [reason for reason in reasons if "filter" in reason.lower()],
        )


FAMILIES: tuple[tuple[re.Pattern[str], type[BedrockImages]], ...] = tuple(
    (re.compile(pattern), family)
    for pattern, family in (
        (r"nova-canvas", CanvasImages),
        (r"titan-image", TitanImages),
        (r"stable-diffusion-xl", DiffusionImages),
        (r"stability\.|sd3|stable-image", StableImages),
    )
)
"""Names of models, or of what stands before an ARN, and their formats; read from the top."""


def make_adapter(target: Target) -> BedrockImages:
    """The adapter for a model.

    Raises:
        UnsupportedParamsError: it is not known to draw; names those that do.
    """
    name = target.settings.get("base_model") or target.model
    for pattern, family in FAMILIES:
        if pattern.search(name):
            return family(target)
    raise UnsupportedParamsError(
        f"{target.provider}/{target.model} draws no images, or none that are known here; "
        "Stability's models, amazon.nova-canvas and amazon.titan-image do (for an ARN write "
        "bedrock/MODEL/ARN)",
        model=target.model,
        llm_provider=target.provider,
    )
