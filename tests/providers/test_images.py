"""One contract for everyone who draws, from literal requests and answers, and over the loopback."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import polyroute
from polyroute import exceptions
from polyroute.providers import Call, Compatible, Pending, Target, adapter
from polyroute.schemas import ImageResponse
from polyroute.testing import Upstream

from .recordings import NONE, SHARED

if TYPE_CHECKING:
    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

PROMPT = "A cat on a red sofa"
PIXEL = "iVBORw0KGgo="
BASE = "https://images.test"
SETTINGS = {
    "aws_access_key_id": "AKIATEST",
    "aws_secret_access_key": "aws-secret",
    "aws_region_name": "us-east-1",
    "vertex_project": "p",
    "vertex_location": "us-central1",
}
OPENAI = {"created": 7, "data": [{"b64_json": PIXEL}]}


class Case(NamedTuple):
    """Someone who draws: where, what is sent for a wide image, what is answered.

    `filtered` is an answer, with its status, from which a filter has kept the image.
    """

    model: str
    url: str
    asked: dict[str, Any]
    body: dict[str, Any]
    answer: Any
    filtered: tuple[int, Any]


def refusal(**error: Any) -> tuple[int, Any]:
    return 400, {"error": {"message": "no", **error}}


def own(**fields: Any) -> dict[str, Any]:
    return {"prompt": PROMPT, **fields}


WIDE = {"size": "1792x1024"}
UNSAFE = "Your request was rejected as a result of our safety system."
GEMINI_PARTS = [{"text": "A cat."}, {"inlineData": {"mimeType": "image/png", "data": PIXEL}}]
ASKED_GEMINI = {
    "contents": [{"role": "user", "parts": [{"text": PROMPT}]}],
    "generationConfig": {
        "imageConfig": {"aspectRatio": "16:9"},
        "responseModalities": ["TEXT", "IMAGE"],
    },
}
DRAWN_GEMINI = {"candidates": [{"content": {"parts": GEMINI_PARTS}, "finishReason": "STOP"}]}
ASKED_IMAGEN = {
    "instances": [{"prompt": PROMPT}],
    "parameters": {"aspectRatio": "16:9", "sampleCount": 1},
}
DRAWN_IMAGEN = {"predictions": [{"bytesBase64Encoded": PIXEL, "mimeType": "image/png"}]}
ASKED_AMAZON = {
    "taskType": "TEXT_IMAGE",
    "textToImageParams": {"text": PROMPT},
    "imageGenerationConfig": {"width": 1792, "height": 1024},
}
AMAZON_FILTER = {"message": "This request has been blocked by our content filters."}
PLACE = "v1/projects/p/locations/us-central1/publishers/google/models"
MODELS = f"{BASE}/v1/projects/p/locations/us-central1/publishers/google/models"

CASES = {
    "openai": Case(
        "openai/gpt-image-1", f"{BASE}/images/generations",
        {**WIDE, "response_format": "b64_json"},
        own(model="gpt-image-1", size="1792x1024"),
        OPENAI, refusal(code="moderation_blocked", message=UNSAFE),
    ),
    "azure": Case(
        "azure/dall-e-3", f"{BASE}/openai/deployments/dall-e-3/images/generations?api-version=v",
        {**WIDE, "style": "natural", "response_format": "b64_json"},
        own(model="dall-e-3", size="1792x1024", style="natural", response_format="b64_json"),
        OPENAI, refusal(code="content_policy_violation"),
    ),
    "xai": Case(
        "xai/grok-imagine-image", f"{BASE}/images/generations",
        {**WIDE, "response_format": "b64_json"},
        own(model="grok-imagine-image", aspect_ratio="16:9", response_format="b64_json"),
        OPENAI, (400, {"code": "x", "error": "Generated image rejected by content moderation."}),
    ),
    "together_ai": Case(
        "together_ai/black-forest-labs/FLUX.1-schnell", f"{BASE}/images/generations",
        {**WIDE, "response_format": "b64_json", "steps": 4},
        own(
            model="black-forest-labs/FLUX.1-schnell",
            width=1792, height=1024, response_format="base64", steps=4,
        ),
        OPENAI, (422, {"error": {"message": "NSFW content detected in image"}}),
    ),
    "nscale": Case(
        "nscale/black-forest-labs/FLUX.1-schnell", f"{BASE}/images/generations",
        {**WIDE, "n": 1, "response_format": "b64_json"},
        own(model="black-forest-labs/FLUX.1-schnell", size="1792x1024", n=1),
        OPENAI, refusal(message=UNSAFE),
    ),
    "deepinfra": Case(
        "deepinfra/stabilityai/sd3.5", f"{BASE}/images/generations",
        {**WIDE, "response_format": "b64_json"},
        own(model="stabilityai/sd3.5", size="1792x1024", response_format="b64_json"),
        OPENAI, refusal(message=UNSAFE),
    ),
    "custom": Case(
        "openai_like/sdxl", f"{BASE}/images/generations",
        {**WIDE, "style": "vivid", "steps": 9},
        own(model="sdxl", size="1792x1024", style="vivid", steps=9),
        {"data": [{"b64_json": PIXEL, "url": None}], "usage": None}, refusal(message=UNSAFE),
    ),
    "fireworks": Case(
        "fireworks_ai/flux-1-schnell-fp8",
        f"{BASE}/workflows/accounts/fireworks/models/flux-1-schnell-fp8/text_to_image",
        {**WIDE, "n": 1, "seed": 5},
        own(aspect_ratio="16:9", seed=5),
        {"id": "1", "base64": [f"data:image/png;base64,{PIXEL}"], "finishReason": "SUCCESS"},
        (200, {"id": "1", "base64": [PIXEL], "finishReason": "CONTENT_FILTERED"}),
    ),
    "fireworks older": Case(
        "fireworks_ai/stable-diffusion-xl-1024-v1-0",
        f"{BASE}/image_generation/accounts/fireworks/models/stable-diffusion-xl-1024-v1-0",
        {**WIDE, "n": 1},
        own(width=1792, height=1024, samples=1),
        [{"base64": PIXEL, "finishReason": "SUCCESS", "seed": 3}],
        (200, [{"base64": PIXEL, "finishReason": "CONTENT_FILTERED", "seed": 3}]),
    ),
    "imagen": Case(
        "gemini/imagen-4.0-generate-001", f"{BASE}/v1beta/models/imagen-4.0-generate-001:predict",
        WIDE, ASKED_IMAGEN, DRAWN_IMAGEN,
        (200, {"predictions": [{"raiFilteredReason": "Unsafe words: 58061214"}]}),
    ),
    "imagen on vertex": Case(
        "vertex_ai/imagen-3.0-generate-002", f"{MODELS}/imagen-3.0-generate-002:predict",
        {**WIDE, "output_format": "jpeg"},
        {
            **ASKED_IMAGEN,
            "parameters": {
                **ASKED_IMAGEN["parameters"],  # type: ignore[dict-item]
                "outputOptions": {"mimeType": "image/jpeg"},
            },
        },
        DRAWN_IMAGEN, (200, {}),
    ),
    "gemini": Case(
        "gemini/gemini-2.5-flash-image",
        f"{BASE}/v1beta/models/gemini-2.5-flash-image:generateContent",
        {**WIDE, "response_format": "b64_json"}, ASKED_GEMINI, DRAWN_GEMINI,
        (200, {"candidates": [{"finishReason": "IMAGE_SAFETY"}]}),
    ),
    "gemini on vertex": Case(
        "vertex_ai/gemini-2.5-flash-image", f"{MODELS}/gemini-2.5-flash-image:generateContent",
        WIDE, ASKED_GEMINI, DRAWN_GEMINI,
        (200, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
    ),
    "canvas": Case(
        "bedrock/amazon.nova-canvas-v1:0", f"{BASE}/model/amazon.nova-canvas-v1%3A0/invoke",
        {**WIDE, "quality": "hd", "style": "PHOTOREALISM", "negative_prompt": "dogs"},
        {
            **ASKED_AMAZON,
            "textToImageParams": {
                "text": PROMPT, "style": "PHOTOREALISM", "negativeText": "dogs",
            },
            "imageGenerationConfig": {"width": 1792, "height": 1024, "quality": "premium"},
        },
        {"images": [PIXEL]}, (400, AMAZON_FILTER),
    ),
    "titan": Case(
        "bedrock/amazon.titan-image-generator-v2:0",
        f"{BASE}/model/amazon.titan-image-generator-v2%3A0/invoke",
        {**WIDE, "seed": 5, "cfg_scale": 7.5},
        {
            **ASKED_AMAZON,
            "imageGenerationConfig": {"width": 1792, "height": 1024, "seed": 5, "cfgScale": 7.5},
        },
        {"images": [PIXEL], "error": None},
        (200, {"images": [], "error": "The generated image(s) have been blocked."}),
    ),
    "sdxl": Case(
        "bedrock/stability.stable-diffusion-xl-v1",
        f"{BASE}/model/stability.stable-diffusion-xl-v1/invoke",
        {**WIDE, "steps": 50, "negative_prompt": "dogs"},
        {
            "text_prompts": [{"text": PROMPT, "weight": 1}, {"text": "dogs", "weight": -1}],
            "width": 1792, "height": 1024, "steps": 50,
        },
        {"result": "success", "artifacts": [{"base64": PIXEL, "finishReason": "SUCCESS"}]},
        (200, {"artifacts": [{"base64": PIXEL, "finishReason": "CONTENT_FILTERED"}]}),
    ),
    "sd3": Case(
        "bedrock/us.stability.sd3-5-large-v1:0",
        f"{BASE}/model/us.stability.sd3-5-large-v1%3A0/invoke",
        {**WIDE, "output_format": "jpeg", "seed": 5},
        own(aspect_ratio="16:9", output_format="jpeg", seed=5),
        {"seeds": [5], "finish_reasons": [None], "images": [PIXEL]},
        (200, {"finish_reasons": ["Filter reason: prompt"]}),
    ),
}  # fmt: skip

everyone = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def made(model: str, **target: Any) -> Any:
    provider, _, name = model.partition("/")
    reach = {"api_base": BASE, "api_version": "v" if provider == "azure" else None}
    key = None if provider == "bedrock" else "key-of-the-test"
    settings = {**SETTINGS, **target.pop("settings", {})}
    return adapter(
        Target(provider, name, key, settings=settings, **{**reach, **target}), operation="image"
    )


def call(**params: Any) -> Call:
    drop = bool(params.pop("drop_params", False))
    return Call([], params, operation="image", input=PROMPT, drop_params=drop)


def sent(model: str, **params: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(made(model).build(call(**params)).body)
    return body


def read(model: str, answer: Any) -> Any:
    return made(model).parse(json.dumps(answer).encode(), call())


@everyone
def test_a_request_is_what_the_provider_documents(case: Case) -> None:
    """The address, the prompt in its place, every parameter under the provider's name."""
    request = made(case.model).build(call(**case.asked))
    assert (request.method, request.url) == ("POST", case.url)
    assert json.loads(request.body) == case.body
    assert request.dropped == ()


@everyone
def test_an_answer_has_openais_shape(case: Case) -> None:
    """Whoever has drawn it, an image is in `data` and its bytes can be had."""
    answer = read(case.model, case.answer)
    assert isinstance(answer, ImageResponse)
    assert answer.data[0].b64_json == answer["data"][0]["b64_json"] == PIXEL
    assert answer.data[0].content == base64.b64decode(PIXEL)
    assert answer.created > 0
    assert answer.usage.total_tokens == 0


@everyone
def test_a_filter_is_an_error_of_its_own(case: Case) -> None:
    """Refused before or after it was drawn: ContentPolicyViolationError, which names the model."""
    status, answer = case.filtered
    body = json.dumps(answer).encode()
    if status == 200:
        with pytest.raises(exceptions.ContentPolicyViolationError) as raised:
            made(case.model).parse(body, call())
        error: exceptions.APIError = raised.value
    else:
        error = made(case.model).error(status, {}, body)
    assert isinstance(error, exceptions.ContentPolicyViolationError)
    assert error.status_code in (400, status)
    assert error.llm_provider == case.model.partition("/")[0]


@everyone
@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[]", b"null", b'{"data": 3}', b'"images"'])
def test_nonsense_is_no_answer(case: Case, body: bytes) -> None:
    """A body that holds no image is never an answer without images."""
    with pytest.raises(
        (exceptions.APIResponseValidationError, exceptions.ContentPolicyViolationError)
    ):
        made(case.model).parse(body, call())


@everyone
def test_what_a_model_cannot_do_is_refused_by_name(case: Case) -> None:
    """`partial_images` needs a stream, which there is not; with drop_params the call goes on."""
    with pytest.raises(exceptions.UnsupportedParamsError, match="partial_images") as raised:
        made(case.model).build(call(partial_images=2))
    assert raised.value.param == "partial_images"
    request = made(case.model).build(call(partial_images=2, drop_params=True))
    assert request.dropped == ("partial_images",)
    assert "partial" not in request.body.decode()


@pytest.mark.parametrize(
    ("model", "params", "said"),
    [
        ("openai/dall-e-3", {"n": 2}, "n=2"),
        ("openai/dall-e-2", {"quality": "hd"}, "quality='hd'"),
        ("openai/dall-e-2", {"style": "vivid"}, "style"),
        ("openai/gpt-image-1", {"response_format": "url"}, "response_format='url'"),
        ("openai/gpt-image-1", {"style": "vivid"}, "style"),
        ("azure/my-dalle3", {"background": "opaque"}, "background"),
        ("nscale/flux", {"quality": "hd"}, "quality"),
        ("nscale/flux", {"response_format": "url"}, "response_format='url'"),
        ("xai/grok-imagine-image", {"size": "3000x1000"}, "size='3000x1000'"),
        ("xai/grok-imagine-image", {"size": "big"}, "size='big'"),
        ("gemini/imagen-4.0-generate-001", {"quality": "hd"}, "quality"),
        ("gemini/gemini-2.5-flash-image", {"n": 2}, "n=2"),
        ("bedrock/amazon.titan-image-generator-v1", {"style": "PHOTOREALISM"}, "style"),
        ("bedrock/amazon.nova-canvas-v1:0", {"style": "vivid"}, "style='vivid'"),
        ("bedrock/amazon.nova-canvas-v1:0", {"response_format": "url"}, "response_format='url'"),
        ("bedrock/stability.stable-diffusion-xl-v1", {"n": 2}, "n=2"),
        ("bedrock/stability.stable-image-core-v1:1", {"output_format": "webp"}, "output_format"),
        ("fireworks_ai/flux-1-dev-fp8", {"n": [1]}, r"n=\[1\]"),
    ],
)
def test_values_that_a_model_lacks_are_refused(
    model: str, params: dict[str, Any], said: str
) -> None:
    """The error repeats the value; with drop_params the parameter is left out, and reported."""
    with pytest.raises(exceptions.UnsupportedParamsError, match=said):
        made(model).build(call(**params))
    request = made(model).build(call(**params, drop_params=True))
    assert request.dropped == tuple(params)


def test_a_user_is_no_reason_to_refuse() -> None:
    """Where there is no place for `user` it is left out, which the route tells."""
    request = made("bedrock/stability.stable-image-ultra-v1:1").build(call(user="u"))
    assert (json.loads(request.body), request.dropped) == (own(), ("user",))
    assert sent("zai/cogview-4", user="u")["user_id"] == "u"


@pytest.mark.parametrize(
    ("model", "size", "shape"),
    [
        ("gemini/imagen-4.0-generate-001", "1024x1024", ("1:1", None)),
        ("gemini/imagen-4.0-generate-001", "2048x2048", ("1:1", "2K")),
        ("gemini/imagen-4.0-fast-generate-001", "2048x2048", ("1:1", None)),
        ("gemini/imagen-3.0-generate-002", "1024x1792", ("9:16", None)),
        ("gemini/imagen-3.0-generate-002", "1280x896", ("4:3", None)),
        ("gemini/imagen-3.0-generate-002", "auto", (None, None)),
    ],
)
def test_a_size_becomes_the_nearest_shape(
    model: str, size: str, shape: tuple[str | None, str | None]
) -> None:
    """Where sizes are shapes, the one at most an eighth away is taken, at the resolution asked."""
    parameters = sent(model, size=size)["parameters"]
    assert (parameters.get("aspectRatio"), parameters.get("sampleImageSize")) == shape


def test_newer_gemini_models_draw_larger() -> None:
    """Gemini 3 has resolutions; before it there was one."""
    config = sent("gemini/gemini-3-pro-image", size="4096x4096")["generationConfig"]
    assert config["imageConfig"] == {"aspectRatio": "1:1", "imageSize": "4K"}
    config = sent("gemini/gemini-2.5-flash-image", size="4096x4096")["generationConfig"]
    assert config["imageConfig"] == {"aspectRatio": "1:1"}


def test_a_deployment_says_which_model_it_is() -> None:
    """Azure's names are the caller's; `base_model` tells what can be asked."""
    target = Target(
        "azure", "pictures", "k", BASE, "2024-02-01", settings={"base_model": "azure/gpt-image-1"}
    )
    request = adapter(target, operation="image").build(call(response_format="b64_json"))
    assert json.loads(request.body) == own(model="pictures")


@pytest.mark.parametrize(
    ("base", "url"),
    [
        (f"{BASE}/openai/v1", f"{BASE}/openai/v1/images/generations"),
        (
            f"{BASE}/openai/deployments/x/chat/completions",
            f"{BASE}/openai/deployments/x/images/generations?api-version=v",
        ),
        (
            f"{BASE}/openai/deployments/x/images/generations?api-version=w",
            f"{BASE}/openai/deployments/x/images/generations?api-version=v",
        ),
    ],
)
def test_every_reasonable_address_of_azure_will_do(base: str, url: str) -> None:
    """The resource, the deployment, another service of it, or the whole way."""
    assert made("azure/x", api_base=base).build(call()).url == url


def test_a_task_of_amazons_has_its_own_place_for_the_prompt() -> None:
    """Tasks beside drawing go through as the caller writes them, completed by the prompt."""
    colors = {"colors": ["#ff0000"]}
    body = sent(
        "bedrock/amazon.nova-canvas-v1:0",
        taskType="COLOR_GUIDED_GENERATION",
        colorGuidedGenerationParams=colors,
        imageGenerationConfig={"cfgScale": 8},
        n=2,
    )
    assert body == {
        "taskType": "COLOR_GUIDED_GENERATION",
        "colorGuidedGenerationParams": {"text": PROMPT, **colors},
        "imageGenerationConfig": {"cfgScale": 8, "numberOfImages": 2},
    }
    assert colors == {"colors": ["#ff0000"]}


def test_some_images_are_better_than_none() -> None:
    """What a filter has left is the answer; why there is less than asked for is beside it."""
    answer = read(
        "gemini/imagen-4.0-generate-001",
        {"predictions": [DRAWN_IMAGEN["predictions"][0], {"raiFilteredReason": "17301594"}]},
    )
    assert len(answer.data) == 1
    assert answer.raiFilteredReasons == ["17301594"]


def test_an_enhanced_prompt_is_the_revised_prompt() -> None:
    """Imagen calls it `prompt`."""
    drawn = {**DRAWN_IMAGEN["predictions"][0], "prompt": "A cat, oil on canvas"}
    answer = read("vertex_ai/imagen-4.0-generate-001", {"predictions": [drawn]})
    assert answer.data[0].revised_prompt == "A cat, oil on canvas"


def test_a_gemini_model_counts_tokens_and_may_say_something() -> None:
    """Its usage has the names of OpenAI's images, and the text beside the image is kept."""
    counts = [{"modality": "IMAGE", "tokenCount": 1290}]
    usage = {
        "promptTokenCount": 6, "candidatesTokenCount": 1290, "totalTokenCount": 1296,
        "candidatesTokensDetails": counts,
    }  # fmt: skip
    answer = read("gemini/gemini-2.5-flash-image", {**DRAWN_GEMINI, "usageMetadata": usage})
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (6, 1290)
    assert answer.usage.output_tokens_details.image_tokens == 1290
    assert answer.usage.prompt_tokens == 6
    assert answer.text == "A cat."


def test_a_price_that_the_provider_says_is_the_price() -> None:
    """xAI tells in ticks, of which 10^10 are a dollar."""
    answer = read("xai/grok-imagine-image", {**OPENAI, "usage": {"cost_in_usd_ticks": 200000000}})
    assert answer.usage.cost == pytest.approx(0.02)
    assert polyroute.completion_cost(answer, model="xai/grok-imagine-image") == answer.usage.cost


def test_an_image_that_takes_its_time_is_asked_for_again() -> None:
    """Fireworks' Kontext answers with a number, under which the image is found later."""
    kontext = made("fireworks_ai/flux-kontext-pro")
    place = f"{BASE}/workflows/accounts/fireworks/models/flux-kontext-pro"
    assert kontext.build(call()).url == place
    for body in (b'{"request_id": "r1"}', b'{"id": "r1", "status": "Pending", "result": null}'):
        pending = kontext.parse(body, call())
        assert isinstance(pending, Pending)
        assert pending.request.url == f"{place}/get_result"
        assert json.loads(pending.request.body) == {"id": "r1"}
    ready = b'{"id": "r1", "status": "Ready", "result": {"sample": "https://x.test/1.png"}}'
    assert kontext.parse(ready, call()).data[0].url == "https://x.test/1.png"
    with pytest.raises(exceptions.ContentPolicyViolationError, match="Content Moderated"):
        kontext.parse(b'{"id": "r1", "status": "Content Moderated", "result": null}', call())


def test_who_draws_nothing_says_so() -> None:
    """The error comes before any request, and names those that do."""
    for model in ("groq/m", "anthropic/claude-sonnet-4-5", "vertex_ai/claude-sonnet-4-5"):
        with pytest.raises(exceptions.UnsupportedParamsError, match=r"image"):
            made(model)
    with pytest.raises(exceptions.UnsupportedParamsError, match="nova-canvas"):
        made("bedrock/anthropic.claude-sonnet-4-5")


def test_a_row_of_ones_own_is_taken_at_its_word() -> None:
    """A private server may draw; it says itself what it does not take."""
    mine = {"mine": Compatible(base_url=BASE, placeholder_key="k")}
    made = adapter(Target("mine", "m"), mine, "image")
    request = made.build(call(style="vivid", size="1x1"))
    assert request.url == f"{BASE}/images/generations"
    assert json.loads(request.body) == own(model="m", style="vivid", size="1x1")


PATHS = sorted(Path(SHARED, "recordings").glob("*/images-*.json")) if SHARED else []


@pytest.mark.parametrize("path", PATHS or [NONE], ids=lambda path: getattr(path, "stem", None))
def test_recorded_answers_are_read(path: Path) -> None:
    """What real servers have sent: an image, or an error that names the parameter."""
    recorded = json.loads(path.read_text())
    response, model = recorded["response"], recorded["request"]["body"]["model"]
    made = adapter(Target(recorded["provider"], model, "k"), operation="image")
    body = response["body"].encode()
    if response["status"] >= 300:
        error = made.error(response["status"], response["headers"], body)
        assert (error.status_code, bool(error.param)) == (response["status"], True)
        return
    image = made.parse(body, call()).data[0]
    said = json.loads(body)["data"][0]
    assert (image.url, image.revised_prompt) == (said["url"], said.get("revised_prompt"))


async def test_a_router_draws_and_knows_the_price(fleet: Fleet) -> None:
    """The cost is on the route, by size and quality, and added up in the statistics."""
    (upstream,) = await fleet.start("openai", answer="A ginger cat", model="dall-e-3")
    router = await fleet.router({"painter": [upstream]})
    answer = await router.aimage_generation(PROMPT, "painter", size="1024x1792", quality="hd")
    assert answer.data[0].url == "https://images.example/1-0.png"
    assert answer.data[0].revised_prompt == "A ginger cat"
    assert upstream.requests[0].body == own(model="dall-e-3", size="1024x1792", quality="hd")
    assert answer.route.attempts[0].cost == answer.route.cost == pytest.approx(0.12)
    again = await router.aimage_generation(prompt=PROMPT, model="painter")
    assert again.route.cost == pytest.approx(0.04)
    assert [each["cost"] for each in router.stats()] == [pytest.approx(0.16)]


async def test_tokens_are_charged_where_they_are_counted(fleet: Fleet) -> None:
    """OpenAI's newer models: 5 words at 5 $, 2 images of 272 tokens at 40 $ per million."""
    (upstream,) = await fleet.start("openai", model="gpt-image-1")
    router = await fleet.router({"painter": [upstream]})
    answer = await router.aimage_generation(PROMPT + ".", "painter", n=2)
    words = len(PROMPT.split())
    assert len(answer.data) == 2
    assert answer.usage.total_tokens == words + 544
    assert answer.route.cost == pytest.approx(words * 5e-6 + 544 * 40e-6)


async def test_a_deployments_own_price_comes_first(fleet: Fleet) -> None:
    """`model_info` may have a price per image, also for models that no list knows."""
    (upstream,) = await fleet.start("openai", model="own-model")
    entry = upstream.deployment("painter", id="d", info={"output_cost_per_image": 0.5})
    router = await fleet.router({"painter": [entry]})
    answer = await router.aimage_generation(PROMPT, "painter", n=3)
    assert answer.route.cost == pytest.approx(1.5)


async def test_an_unknown_price_is_none(fleet: Fleet) -> None:
    """Nothing is guessed."""
    (upstream,) = await fleet.start("openai", model="own-model")
    router = await fleet.router({"painter": [upstream]})
    answer = await router.aimage_generation(PROMPT, "painter")
    assert answer.route.cost is None
    with pytest.raises(exceptions.NotFoundError):
        polyroute.completion_cost(answer)


async def test_another_deployment_draws_when_one_is_down(fleet: Fleet) -> None:
    """The same engine, the same policies as in chat."""
    first, second = await fleet.start("openai", "openai", model="dall-e-3")
    first.fail(503)
    router = await fleet.router({"painter": [first, second]})
    answer = await router.aimage_generation(PROMPT, "painter")
    outcomes = [attempt.outcome for attempt in answer.route.attempts]
    assert outcomes == ["failed", "ok"]
    assert answer.route.served_by == "painter-1"


async def test_a_filter_is_not_asked_twice(fleet: Fleet) -> None:
    """What one deployment's filter refuses is not tried again."""
    first, second = await fleet.start("openai", "openai", model="dall-e-3")
    first.fail(400, message=UNSAFE)
    router = await fleet.router({"painter": [first, second]})
    with pytest.raises(exceptions.ContentPolicyViolationError):
        await router.aimage_generation(PROMPT, "painter")
    assert second.requests == []


@pytest.mark.parametrize("prompt", ["", "  ", None, ["a cat"]])
async def test_there_must_be_a_prompt(fleet: Fleet, prompt: Any) -> None:
    """Said before anybody is asked."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"painter": [upstream]})
    with pytest.raises(exceptions.BadRequestError, match="prompt"):
        await router.aimage_generation(prompt, "painter")
    assert upstream.requests == []


async def test_without_a_router(fleet: Fleet) -> None:
    """The module's function asks a single model."""
    (upstream,) = await fleet.start("openai")
    answer = await polyroute.aimage_generation(
        prompt=PROMPT,
        model="dall-e-3",
        response_format="b64_json",
        api_base=upstream.base_url,
        api_key="k",
    )
    assert answer.data[0].content is not None
    assert upstream.requests[0].path == "/v1/images/generations"


def test_the_synchronous_twins() -> None:
    """They draw the same."""
    with Upstream("openai", model="dall-e-3") as upstream:
        answer = polyroute.image_generation(
            PROMPT, "dall-e-3", api_base=upstream.base_url, api_key="k"
        )
        assert answer.data[0].url == "https://images.example/1-0.png"
        router = polyroute.Router(model_list=[upstream.deployment("painter")])
        assert router.image_generation(PROMPT, "painter").data[0].url
