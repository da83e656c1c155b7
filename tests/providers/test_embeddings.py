"""One suite for the embeddings of every provider, from literal requests and answers."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from polyroute.exceptions import (
    APIError,
    APIResponseValidationError,
    AuthenticationError,
    BadRequestError,
    UnsupportedParamsError,
)
from polyroute.providers import COMPATIBLE, Call, File, Target, adapter
from polyroute.providers.registry import MODULES, OFFERED

from .recordings import SHARED

TEXTS = ["one", "two"]
VECTORS = [[0.5, -0.25], [1.0, 0.0]]
KEY = "key-of-the-test"
OPENAI = {
    "object": "list",
    "data": [
        {"object": "embedding", "index": 0, "embedding": VECTORS[0]},
        {"object": "embedding", "index": 1, "embedding": VECTORS[1]},
    ],
    "model": "served",
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
}
AWS = {
    "aws_access_key_id": "AKIATEST",
    "aws_secret_access_key": "secret-of-the-test",
    "aws_region_name": "us-east-1",
}
GOOGLE = {"vertex_project": "p", "vertex_location": "us-central1"}
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model"
VERTEX = (
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"
    "/publishers/google/models"
)
PACKED = base64.b64encode(struct.pack("<2f", *VECTORS[0])).decode()


@dataclass
class Case:
    """What goes over the wire for two texts, and what comes back.

    `dimensions` is where that parameter goes, empty if it is refused; `base64` and `tokens` tell
    whether those are taken; `batch` is how many inputs a request may have.
    """

    url: str
    body: dict[str, Any]
    answer: dict[str, Any] | list[Any] = field(default_factory=lambda: OPENAI)
    model: str = "m"
    base: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=lambda: TEXTS)
    dimensions: str = "dimensions"
    base64: bool = True
    tokens: bool = False
    batch: int | None = None
    usage: int | None = 7
    headers: dict[str, str] = field(default_factory=dict)


def openai_like(address: str, **fields: Any) -> Case:
    """OpenAI's format at an address."""
    body = {"model": fields.get("model", "m"), "input": TEXTS}
    return Case(f"{address}/embeddings", body, **{"tokens": True, **fields})


CASES: dict[str, Case] = {
    "azure": openai_like(
        "https://a.example/openai/deployments/mine",
        base="https://a.example",
        model="mine",
        batch=2048,
        headers={"api-key": KEY},
    ),
    "bedrock": Case(
        f"{BEDROCK}/cohere.embed-v4%3A0/invoke",
        {"texts": TEXTS, "input_type": "search_document"},
        {"embeddings": {"float": VECTORS}, "response_type": "embeddings_by_type"},
        model="cohere.embed-v4:0",
        settings=AWS,
        dimensions="output_dimension",
        base64=False,
        batch=96,
        usage=None,
    ),
    "bedrock titan": Case(
        f"{BEDROCK}/amazon.titan-embed-text-v2%3A0/invoke",
        {"inputText": "one"},
        {"embedding": VECTORS[0], "inputTextTokenCount": 7},
        model="amazon.titan-embed-text-v2:0",
        settings=AWS,
        texts=["one"],
        base64=False,
        batch=1,
    ),
    "cohere": Case(
        "https://api.cohere.com/v2/embed",
        {
            "model": "m",
            "texts": TEXTS,
            "input_type": "search_document",
            "embedding_types": ["float"],
        },
        {"embeddings": {"float": VECTORS}, "meta": {"billed_units": {"input_tokens": 7}}},
        dimensions="output_dimension",
        batch=96,
    ),
    "databricks": openai_like(
        "https://d.example/serving-endpoints", base="https://d.example", tokens=False, batch=150
    ),
    "fireworks_ai": openai_like(
        "https://api.fireworks.ai/inference/v1", base64=False, model="nomic-ai/nomic-embed-text-v1"
    ),
    "gemini": Case(
        "https://generativelanguage.googleapis.com/v1beta/models/m:batchEmbedContents",
        {
            "requests": [
                {"model": "models/m", "content": {"parts": [{"text": text}]}} for text in TEXTS
            ]
        },
        {"embeddings": [{"values": vector} for vector in VECTORS]},
        dimensions="requests.0.outputDimensionality",
        base64=False,
        batch=100,
        usage=None,
        headers={"x-goog-api-key": KEY},
    ),
    "hosted_vllm": openai_like("http://127.0.0.1:8000/v1", base="http://127.0.0.1:8000/v1"),
    "huggingface": openai_like("http://127.0.0.1:8080/v1", base="http://127.0.0.1:8080", batch=32),
    "huggingface router": Case(
        "https://router.huggingface.co/hf-inference/models/org/m/pipeline/feature-extraction",
        {"inputs": TEXTS},
        VECTORS,
        model="org/m",
        base64=False,
        batch=32,
        usage=None,
    ),
    "mistral": openai_like(
        "https://api.mistral.ai/v1", dimensions="output_dimension", tokens=False
    ),
    "nscale": openai_like("https://inference.api.nscale.com/v1"),
    "ollama": Case(
        "http://127.0.0.1:11434/api/embed",
        {"model": "m", "input": TEXTS},
        {"model": "m", "embeddings": VECTORS, "prompt_eval_count": 7},
        base64=False,
    ),
    "ollama /v1": openai_like("http://127.0.0.1:1/v1", base="http://127.0.0.1:1/v1"),
    "openai": openai_like("https://api.openai.com/v1", model="text-embedding-3-small", batch=2048),
    "openai_like": openai_like("http://127.0.0.1:2/api", base="http://127.0.0.1:2/api"),
    "perplexity": openai_like(
        "https://api.perplexity.ai/v1", tokens=False, base64=False, batch=512
    ),
    "together_ai": openai_like(
        "https://api.together.ai/v1", dimensions="", tokens=False, base64=False
    ),
    "vertex_ai": Case(
        f"{VERTEX}/text-embedding-005:predict",
        {"instances": [{"content": text} for text in TEXTS]},
        {
            "predictions": [
                {"embeddings": {"values": vector, "statistics": {"token_count": tokens}}}
                for vector, tokens in zip(VECTORS, (3, 4), strict=True)
            ],
            "metadata": {"billableCharacterCount": 6},
        },
        model="text-embedding-005",
        settings=GOOGLE,
        dimensions="parameters.outputDimensionality",
        base64=False,
        batch=250,
    ),
    "vertex_ai content": Case(
        f"{VERTEX}/gemini-embedding-2:embedContent",
        {"content": {"parts": [{"text": "one"}]}},
        {"embedding": {"values": VECTORS[0]}, "usageMetadata": {"promptTokenCount": 7}},
        model="gemini-embedding-2",
        settings=GOOGLE,
        texts=["one"],
        dimensions="outputDimensionality",
        base64=False,
        batch=1,
    ),
    "vertex_ai multimodal": Case(
        f"{VERTEX}/multimodalembedding@001:predict",
        {"instances": [{"text": text} for text in TEXTS]},
        {"predictions": [{"textEmbedding": vector} for vector in VECTORS]},
        model="multimodalembedding@001",
        settings=GOOGLE,
        dimensions="parameters.dimension",
        base64=False,
        usage=0,
    ),
    "voyage": openai_like(
        "https://api.voyageai.com/v1", dimensions="output_dimension", tokens=False, batch=1000
    ),
}

NONSENSE = (
    b"",
    b"[]",
    b"{}",
    b"null",
    b'"x"',
    b"<html>",
    b'{"data": 1}',
    b'{"data": [{"embedding": 1}], "embeddings": [1, 2], "predictions": [1, 2]}',
    b'{"embeddings": [[], []], "embedding": []}',
)

every = pytest.mark.parametrize("name", CASES)


def embedder(name: str, **fields: Any) -> Any:
    """The adapter of a case."""
    case = CASES[name]
    described = {"api_base": case.base, "settings": case.settings, "model": case.model, **fields}
    target = Target(name.partition(" ")[0], described.pop("model"), KEY, **described)
    return adapter(target, operation="embedding")


def call_of(input: Any, **params: Any) -> Call:
    return Call([], params, operation="embedding", input=input)


def body_of(made: Any, call: Call) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(made.build(call).body)
    return body


def at(body: Any, path: str) -> Any:
    """What lies at a path like ``requests.0.title``."""
    for step in path.split("."):
        body = body[int(step) if step.isdecimal() else step]
    return body


@pytest.fixture(autouse=True)
def no_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine names another address."""
    for name in ("HF_API_BASE", "HUGGINGFACE_API_BASE", "OLLAMA_API_BASE", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_every_provider_with_a_module_of_its_own_is_here() -> None:
    """Who embeds in a format or under a row of its own has a case."""
    assert MODULES["embedding"].keys() <= {name.partition(" ")[0] for name in CASES}


@every
def test_request(name: str) -> None:
    """Texts go to the documented address in the documented shape, with the key."""
    case, made = CASES[name], embedder(name)
    request = made.build(call_of(case.texts))
    assert request.url.partition("?")[0] == case.url
    assert json.loads(request.body) == case.body
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    if case.headers or not case.settings:
        wanted = case.headers or {"Authorization": f"Bearer {KEY}"}
        assert request.headers.items() >= wanted.items()


@every
def test_a_single_text(name: str) -> None:
    """A text that is no list is one input, for the request and for the answer."""
    case, made = CASES[name], embedder(name)
    assert "one" in json.dumps(body_of(made, call_of("one")))
    assert made.parse(json.dumps(case.answer).encode(), call_of("one")).data[0].index == 0


@every
def test_answer(name: str) -> None:
    """Vectors come in the order of the inputs, with what was counted and nothing invented."""
    case = CASES[name]
    answer = embedder(name).parse(json.dumps(case.answer).encode(), call_of(case.texts))
    assert [item.embedding for item in answer.data] == VECTORS[: len(case.texts)]
    assert [item["index"] for item in answer.data] == list(range(len(case.texts)))
    assert answer.object == "list"
    assert answer.model
    assert (answer.usage.prompt_tokens if answer.usage else None) == case.usage
    assert (answer.usage.total_tokens if answer.usage else None) == case.usage
    assert json.loads(answer.model_dump_json()) == answer.model_dump()


@every
def test_dimensions(name: str) -> None:
    """`dimensions` goes under the provider's name for it, or is refused, or left out if wished."""
    case, made = CASES[name], embedder(name)
    call = call_of(case.texts, dimensions=256)
    if case.dimensions:
        assert at(body_of(made, call), case.dimensions) == 256
        return
    with pytest.raises(UnsupportedParamsError, match="dimensions"):
        made.build(call)
    call.drop_params = True
    request = made.build(call)
    assert json.loads(request.body) == case.body
    assert request.dropped == ("dimensions",)


@every
def test_floats_can_be_asked_for_everywhere(name: str) -> None:
    """`encoding_format="float"` is what everybody does anyway."""
    case = CASES[name]
    assert embedder(name).build(call_of(case.texts, encoding_format="float")).dropped == ()


@every
def test_base64(name: str) -> None:
    """Vectors as text stay text for who asked for them, or are refused by who cannot give them."""
    case, made = CASES[name], embedder(name)
    call = call_of(case.texts, encoding_format="base64")
    if not case.base64:
        with pytest.raises(UnsupportedParamsError, match="encoding_format"):
            made.build(call)
        return
    assert "base64" in json.dumps(body_of(made, call))
    packed = json.dumps(case.answer).replace(json.dumps(VECTORS[0]), json.dumps(PACKED))
    packed = packed.replace(json.dumps(VECTORS[1]), json.dumps(PACKED)).replace("float", "base64")
    answer = made.parse(packed.encode(), call)
    assert [item.embedding for item in answer.data] == [PACKED, PACKED]


@every
def test_tokens(name: str) -> None:
    """Lists of tokens go as they are, or are refused with a word on what is taken."""
    case, made = CASES[name], embedder(name)
    for tokens in ([1, 2, 3], [[1, 2], [3]]):
        if case.tokens:
            assert body_of(made, call_of(tokens))["input"] == tokens
        elif len(case.texts) > 1 or tokens == [1, 2, 3]:
            with pytest.raises(BadRequestError, match=r"input\[0\] is tokens.* takes "):
                made.build(call_of(tokens))


@every
def test_largest_batch(name: str) -> None:
    """How many inputs a request may have is known, so that larger calls can be split."""
    assert embedder(name).max_inputs == CASES[name].batch


@every
def test_own_parameters_pass(name: str) -> None:
    """A parameter that only this provider knows goes to it, and `extra_body` is laid over."""
    call = call_of(CASES[name].texts, truncate="END")
    call.extra_body = {"more": 1}
    body = body_of(embedder(name), call)
    assert "END" in json.dumps(body)
    assert body["more"] == 1


@every
def test_too_few_vectors(name: str) -> None:
    """An answer that lacks a vector is an error: nobody could tell whose are there."""
    case = CASES[name]
    with pytest.raises(APIResponseValidationError):
        embedder(name).parse(json.dumps(case.answer).encode(), call_of(["a", "b", "c"]))


@every
@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense(name: str, body: bytes) -> None:
    """A body that makes no sense is an APIError and nothing else."""
    with pytest.raises(APIError):
        embedder(name).parse(body, call_of(CASES[name].texts))


@every
def test_wrong_key(name: str) -> None:
    """A wrong key is an AuthenticationError that does not repeat it."""
    body = json.dumps({"error": {"message": f"wrong key {KEY}", "code": 401}}).encode()
    error = embedder(name).error(401, {}, body)
    assert isinstance(error, AuthenticationError)
    assert KEY not in f"{error!r} {error.body}"


@pytest.mark.parametrize("name", sorted(COMPATIBLE.keys() - MODULES["embedding"].keys()))
def test_rows_of_the_catalogue(name: str) -> None:
    """Who offers no embeddings says so before anybody is asked."""
    target = Target(name, "m", KEY, "http://127.0.0.1:9/v1")
    if name in OFFERED["embedding"]:
        made: Any = adapter(target, operation="embedding")
        assert body_of(made, call_of("one"))["input"] == "one"
        return
    with pytest.raises(UnsupportedParamsError, match=f"{name} has no embedding.*openai"):
        adapter(target, operation="embedding")


class TestOpenAI:
    """What OpenAI's format leaves to interpretation."""

    def parse(self, answer: dict[str, Any], **params: Any) -> Any:
        return embedder("openai").parse(json.dumps(answer).encode(), call_of("one", **params))

    def test_text_is_decoded_unless_it_was_asked_for(self) -> None:
        """A server that sends base64 anyway is understood."""
        answer = {"data": [{"index": 0, "embedding": PACKED}], "model": "m"}
        assert self.parse(answer).data[0].embedding == VECTORS[0]

    def test_what_is_no_base64(self) -> None:
        """Text that holds no vector is an error."""
        with pytest.raises(APIResponseValidationError):
            self.parse({"data": [{"index": 0, "embedding": "no vector"}]})

    def test_order(self) -> None:
        """Vectors are sorted by their index; without one they are numbered."""
        data = [{"index": index, "embedding": [float(index)]} for index in (2, 0, 1)]
        assert [item.embedding for item in self.parse({"data": data}).data] == [[0], [1], [2]]
        bare = [{"embedding": [3.0]}, {"embedding": [4.0]}]
        assert [item.index for item in self.parse({"data": bare}).data] == [0, 1]

    def test_nothing_is_lost(self) -> None:
        """Unknown fields of the answer, its usage and its items can be read."""
        item = {"index": 0, "embedding": [1.0], "text": "one"}
        usage = {"prompt_tokens": 1, "total_tokens": 1, "cost": 0.5}
        answer = self.parse({"data": [item], "usage": usage, "provider": "somebody"})
        assert (answer.provider, answer.data[0].text, answer.usage.cost) == ("somebody", "one", 0.5)

    def test_voyage_counts_in_total(self) -> None:
        """Tokens that are counted in total only are the prompt's."""
        answer = self.parse({"data": OPENAI["data"], "usage": {"total_tokens": 5}})
        assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (5, 5)

    @pytest.mark.parametrize("model", ["text-embedding-ada-002", "ada"])
    def test_fixed_size(self, model: str) -> None:
        """Models that are older than `dimensions` refuse it here, not there."""
        made = embedder("openai", model=model)
        with pytest.raises(UnsupportedParamsError, match="dimensions"):
            made.build(call_of("one", dimensions=256))

    def test_error_at_200(self) -> None:
        """An error inside an answer keeps its own status."""
        answer = {"error": {"message": "slow down", "code": 429}}
        with pytest.raises(APIError) as raised:
            self.parse(answer)
        assert raised.value.status_code == 429

    def test_fireworks_names(self) -> None:
        """A bare name gets the row's prefix, a full one stays."""
        made = embedder("fireworks_ai", model="qwen3-embedding-8b")
        assert (
            body_of(made, call_of("a"))["model"] == "accounts/fireworks/models/qwen3-embedding-8b"
        )

    def test_perplexity_packs_bytes(self) -> None:
        """Perplexity's base64 holds signed bytes."""
        packed = base64.b64encode(struct.pack("3b", -128, 0, 127)).decode()
        body = json.dumps({"data": [{"index": 0, "embedding": packed}]}).encode()
        answer = embedder("perplexity").parse(body, call_of("one"))
        assert answer.data[0].embedding == [-128, 0, 127]

    def test_azure_v1(self) -> None:
        """The v1 API of Azure names the deployment in the body only."""
        made = embedder("azure", api_base="https://a.example/openai/v1")
        assert made.build(call_of("a")).url == "https://a.example/openai/v1/embeddings"


class TestCohere:
    """Texts, images, types."""

    IMAGE = "data:image/png;base64,AAAA"

    def test_input_type(self) -> None:
        """The caller's `input_type` wins over the default."""
        assert body_of(embedder("cohere"), call_of("a", input_type="search_query"))[
            "input_type"
        ] == ("search_query")

    def test_images(self) -> None:
        """Images alone are an input type of their own."""
        body = body_of(embedder("cohere"), call_of([self.IMAGE]))
        assert (body["images"], body["input_type"]) == ([self.IMAGE], "image")

    def test_mixed(self) -> None:
        """Texts, images and objects together become contents, in order."""
        own = {"content": [{"type": "text", "text": "b"}]}
        body = body_of(embedder("cohere"), call_of(["a", self.IMAGE, own]))
        image = {"type": "image_url", "image_url": {"url": self.IMAGE}}
        assert body["inputs"] == [
            {"content": [{"type": "text", "text": "a"}]},
            {"content": [image]},
            own,
        ]

    def test_other_types(self) -> None:
        """Numbers of the type that was asked for; the other types are kept beside."""
        both = {"float": [[0.5]], "int8": [[3]]}
        body = json.dumps({"embeddings": both}).encode()
        call = call_of("a", embedding_types=["int8", "float"])
        answer = embedder("cohere").parse(body, call)
        assert answer.data[0].embedding == [3]
        assert answer.embeddings == both

    def test_images_are_billed_by_piece(self) -> None:
        """Images that are no tokens are counted as images."""
        body = {"embeddings": {"float": [[0.5]]}, "meta": {"billed_units": {"images": 1}}}
        usage = embedder("cohere").parse(json.dumps(body).encode(), call_of(self.IMAGE)).usage
        assert (usage.prompt_tokens, usage.prompt_tokens_details) == (0, {"image_count": 1})

    def test_plain_lists_on_bedrock(self) -> None:
        """Bedrock gives a plain list if no type was asked for; its count is in the headers."""
        made = embedder("bedrock")
        answer = made.parse(json.dumps({"embeddings": VECTORS}).encode(), call_of(TEXTS))
        assert [item.embedding for item in answer.data] == VECTORS
        assert made.count_tokens({"x-amzn-bedrock-input-token-count": "9"}).prompt_tokens == 9
        assert made.count_tokens({}) is None


class TestTitan:
    """Amazon's own models."""

    def test_image(self) -> None:
        """An image goes as base64, and is counted as an image."""
        made = embedder("bedrock", model="amazon.titan-embed-image-v1")
        call = call_of("data:image/png;base64,AAAA", dimensions=384)
        assert body_of(made, call) == {
            "inputImage": "AAAA",
            "embeddingConfig": {"outputEmbeddingLength": 384},
        }
        usage = made.parse(b'{"embedding": [0.5]}', call).usage
        assert (usage.prompt_tokens, usage.prompt_tokens_details) == (0, {"image_count": 1})

    def test_image_on_the_web(self) -> None:
        """An image on the web is fetched first; a text model takes the address for a text."""
        url = "https://example.com/cat.png"
        made, call = embedder("bedrock", model="amazon.titan-embed-image-v1"), call_of([url])
        assert made.files(call) == [url]
        call.files[url] = File(b"\0\0\0", "image/png")
        assert body_of(made, call) == {"inputImage": "AAAA"}
        assert embedder("bedrock titan").files(call) == ()

    def test_both(self) -> None:
        """An object with a text and an image gets one vector."""
        both = {"inputText": "a cat", "inputImage": "AAAA"}
        made = embedder("bedrock", model="amazon.titan-embed-image-v1")
        assert body_of(made, call_of([both])) == both

    def test_first_version_has_one_size(self) -> None:
        """Titan's first model takes no `dimensions`."""
        made = embedder("bedrock", model="amazon.titan-embed-text-v1")
        with pytest.raises(UnsupportedParamsError, match="dimensions"):
            made.build(call_of("a", dimensions=256))

    def test_one_a_request(self) -> None:
        """More than one input in one request is refused; the Router splits before."""
        with pytest.raises(BadRequestError, match="one input"):
            embedder("bedrock titan").build(call_of(TEXTS))

    def test_binary(self) -> None:
        """Where only binary vectors were asked for, they are the vectors."""
        body = b'{"embeddingsByType": {"binary": [1, 0]}, "inputTextTokenCount": 1}'
        assert embedder("bedrock titan").parse(body, call_of("a")).data[0].embedding == [1, 0]

    def test_other_models(self) -> None:
        """A model of Bedrock's that does not embed is refused with those that do."""
        with pytest.raises(BadRequestError, match=r"titan-embed-text.*cohere\.embed"):
            embedder("bedrock", model="anthropic.claude-sonnet-4-5-20250929-v1:0")


class TestGoogle:
    """AI Studio and Vertex AI."""

    IMAGE = "data:image/jpeg;base64,AAAA"

    def instances(self, *inputs: Any) -> list[dict[str, Any]]:
        return body_of(embedder("vertex_ai multimodal"), call_of(list(inputs)))["instances"]

    @pytest.mark.parametrize(("name", "task"), [("gemini", "taskType"), ("vertex_ai", "task_type")])
    def test_input_type_is_a_task(self, name: str, task: str) -> None:
        """`input_type` in other embedders' words, or `task_type` in Google's own, says the task."""
        for params in ({"input_type": "search_query"}, {"task_type": "RETRIEVAL_QUERY"}):
            body = body_of(embedder(name), call_of(TEXTS, **params))
            each = body["requests" if name == "gemini" else "instances"]
            assert [one[task] for one in each] == ["RETRIEVAL_QUERY"] * 2
            assert "parameters" not in body

    def test_usage_of_gemini(self) -> None:
        """Models that count are believed."""
        body = {"embeddings": [{"values": [1.0]}], "usageMetadata": {"promptTokenCount": 3}}
        answer = embedder("gemini").parse(json.dumps(body).encode(), call_of("a"))
        assert answer.usage.prompt_tokens == 3

    def test_one_content(self) -> None:
        """The answer to a single content has another name and is read all the same."""
        answer = embedder("gemini").parse(b'{"embedding": {"values": [0.5]}}', call_of("a"))
        assert answer.data[0].embedding == [0.5]

    def test_gemini_on_vertex_embeds_one_by_one(self) -> None:
        """Vertex AI takes one text a request for Gemini's model."""
        assert embedder("vertex_ai", model="gemini-embedding-001").max_inputs == 1

    def test_characters(self) -> None:
        """Characters are kept, because some models are priced by them."""
        case = CASES["vertex_ai"]
        answer = embedder("vertex_ai").parse(json.dumps(case.answer).encode(), call_of(TEXTS))
        assert answer.usage.prompt_tokens_details == {"character_count": 6}

    def test_kinds_share_an_instance(self) -> None:
        """Inputs of different kinds that follow each other in order share an instance."""
        data = {"bytesBase64Encoded": "AAAA"}
        both = {"text": "a", "image": data}
        assert self.instances("a", self.IMAGE) == [both]
        assert self.instances(self.IMAGE, "a") == [{"image": data}, {"text": "a"}]
        assert self.instances("a", "b", self.IMAGE) == [{"text": "a"}, {"text": "b", "image": data}]
        assert self.instances("a", both, self.IMAGE) == [{"text": "a"}, both, {"image": data}]

    def test_storage(self) -> None:
        """What lies in Google's storage is named; videos are told by their names."""
        assert self.instances("gs://b/i.png") == [{"image": {"gcsUri": "gs://b/i.png"}}]
        assert self.instances("gs://b/v.mp4") == [{"video": {"gcsUri": "gs://b/v.mp4"}}]

    def test_the_web(self) -> None:
        """What lies on the web is fetched; a text that mentions an address is a text."""
        url = "https://example.com/cat.png"
        made = embedder("vertex_ai multimodal")
        call = call_of([url, f"see {url}"])
        assert list(made.files(call)) == [url]
        call.files[url] = File(b"\0\0\0", "image/png")
        assert body_of(made, call)["instances"] == [
            {"image": {"bytesBase64Encoded": "AAAA"}},
            {"text": f"see {url}"},
        ]

    def test_vectors_of_one_instance(self) -> None:
        """One prediction with two vectors is the answer to two inputs, counted as both."""
        prediction = {"textEmbedding": [0.1], "imageEmbedding": [0.2]}
        body = json.dumps({"predictions": [prediction]}).encode()
        call = call_of(["a cat", self.IMAGE])
        answer = embedder("vertex_ai multimodal").parse(body, call)
        assert [item.embedding for item in answer.data] == [[0.1], [0.2]]
        assert answer.usage.prompt_tokens_details == {"character_count": 4, "image_count": 1}

    def test_video(self) -> None:
        """A video has a vector for each segment, and is counted in seconds."""
        segments = [
            {"startOffsetSec": 0, "endOffsetSec": 16, "embedding": [0.1]},
            {"startOffsetSec": 16, "endOffsetSec": 20, "embedding": [0.2]},
        ]
        body = json.dumps({"predictions": [{"videoEmbeddings": segments}]}).encode()
        answer = embedder("vertex_ai multimodal").parse(body, call_of("gs://b/v.mp4"))
        assert [item.embedding for item in answer.data] == [[0.1], [0.2]]
        assert answer.usage.prompt_tokens_details == {"video_length_seconds": 20}


def recordings() -> list[Any]:
    """The recorded embeddings of all providers."""
    paths = sorted(Path(SHARED, "recordings").glob("*/embed-*.json")) if SHARED else []
    marks = pytest.mark.skip(reason="set POLYROUTE_SHARED to the folder that holds recordings/")
    return [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in paths] or [
        pytest.param(None, marks=marks)
    ]


@pytest.mark.parametrize("path", recordings())
def test_recordings(path: Path) -> None:
    """Every recorded answer is read, with as many vectors as the provider sent; errors raise."""
    record = json.loads(path.read_text("utf-8"))
    provider = {"vertex": "vertex_ai"}.get(record["provider"], record["provider"])
    asked, body = record["request"]["body"] or {}, record["response"]["body"].encode()
    settings = {**AWS, **GOOGLE}
    target = Target(
        provider,
        asked.get("model") or "m",
        KEY,
        CASES.get(provider, Case("", {})).base,
        settings=settings,
    )
    made: Any = adapter(target, operation="embedding")
    status = record["response"]["status"]
    if status >= 300:
        error = made.error(status, record["response"]["headers"], body)
        assert (error.status_code, bool(error.message)) == (status, True)
        return
    raw = json.loads(body)
    found = raw.get("data") or raw.get("embeddings") or [raw.get("embedding")]
    if isinstance(found, dict):
        (found,) = found.values()
    answer = made.parse(body, call_of("one"))
    assert len(answer.data) == len(found)
    for item in answer.data:
        assert len(item.embedding) >= 2
        assert all(isinstance(number, int | float) for number in item.embedding)
    counted = raw.get("usage") or (raw.get("meta") or {}).get("billed_units")
    if counted:
        assert answer.usage.total_tokens == counted.get("total_tokens", counted.get("input_tokens"))
