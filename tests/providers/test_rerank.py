"""One contract for every reranker: literal requests and answers, then calls over a loopback."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import polyroute
from polyroute import exceptions
from polyroute.providers import Call, Compatible, Target, adapter
from polyroute.schemas import RerankResponse

from .recordings import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

QUERY = "What is Rust?"
TEXTS = ["Iron ages.", "Rust is a language.", "Rust is iron oxide."]
OBJECTS = [{"text": "Iron ages."}, {"title": "Rust", "text": "A language.", "year": 2015}]
LINES = ["Iron ages.", "title: Rust\ntext: A language.\nyear: 2015"]
BASE = "https://reranker.test"
SCORED = [{"index": 1, "relevance_score": 0.9}, {"index": 2, "relevance_score": 0.4}]
AMAZON = "arn:aws:bedrock:eu-west-1::foundation-model/amazon.rerank-v1:0"


class Case(NamedTuple):
    """A reranker: where it is, what it is sent for two best of three texts, what it answers."""

    url: str
    body: dict[str, Any]
    answer: Any
    used: dict[str, Any] | None
    objects: list[Any]
    fields: Sequence[Any] = ("Iron ages.", "title: Rust")
    model: str = "some-model"


def texts(model: str = "some-model", **more: Any) -> dict[str, Any]:
    return {"model": model, "query": QUERY, "documents": TEXTS, **more}


def source(kind: str, document: Any) -> dict[str, Any]:
    inline = {"text": document} if kind == "TEXT" else document
    name = "textDocument" if kind == "TEXT" else "jsonDocument"
    return {"type": "INLINE", "inlineDocumentSource": {"type": kind, name: inline}}


def used(tokens: int) -> dict[str, Any]:
    return {
        "billed_units": {"total_tokens": tokens},
        "tokens": {"input_tokens": tokens, "output_tokens": 0},
    }


CASES = {
    "bedrock": Case(
        f"{BASE}/rerank",
        {
            "queries": [{"type": "TEXT", "textQuery": {"text": QUERY}}],
            "sources": [source("TEXT", text) for text in TEXTS],
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": {
                    "modelConfiguration": {"modelArn": AMAZON},
                    "numberOfResults": 2,
                },
            },
        },
        {"results": [{"index": 1, "relevanceScore": 0.9}, {"index": 2, "relevanceScore": 0.4}]},
        {"billed_units": {"search_units": 1}},
        [source("JSON", document) for document in OBJECTS],
        [source("JSON", {"text": "Iron ages."}), source("JSON", {"title": "Rust"})],
        "amazon.rerank-v1:0",
    ),
    "cohere": Case(
        f"{BASE}/v2/rerank",
        texts(top_n=2),
        {
            "id": "r",
            "results": SCORED,
            "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
        },
        {"billed_units": {"search_units": 1}, "api_version": {"version": "2"}},
        LINES,
    ),
    "fireworks_ai": Case(
        f"{BASE}/rerank",
        texts("accounts/fireworks/models/some-model", top_n=2),
        {"object": "list", "data": SCORED, "usage": {"prompt_tokens": 7, "total_tokens": 7}},
        used(7),
        LINES,
    ),
    "hosted_vllm": Case(
        f"{BASE}/rerank",
        texts(top_n=2),
        {
            "id": "r",
            "results": [{**one, "document": {"text": "…"}} for one in SCORED],
            "usage": {"total_tokens": 9},
        },
        used(9),
        LINES,
    ),
    "huggingface": Case(
        f"{BASE}/rerank",
        {"query": QUERY, "texts": TEXTS},
        [{"index": 2, "score": 0.4}, {"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}],
        None,
        LINES,
    ),
    "infinity": Case(
        f"{BASE}/rerank",
        texts(top_n=2),
        {"object": "rerank", "results": SCORED, "usage": {"prompt_tokens": 5, "total_tokens": 5}},
        used(5),
        LINES,
    ),
    "jina_ai": Case(
        f"{BASE}/v1/rerank",
        texts(top_n=2),
        {
            "model": "some-model",
            "usage": {"total_tokens": 11},
            "results": [{**one, "document": "…"} for one in SCORED],
        },
        used(11),
        OBJECTS,
        [{"text": "Iron ages."}, {"title": "Rust"}],
    ),
    "mine": Case(
        f"{BASE}/rerank",
        texts(top_n=2),
        {"results": SCORED},
        None,
        LINES,
    ),
    "openrouter": Case(
        f"{BASE}/rerank",
        texts(top_n=2),
        {"id": "r", "results": SCORED, "usage": {"total_tokens": 17, "cost": 3.4e-7}},
        used(17),
        LINES,
    ),
    "together_ai": Case(
        f"{BASE}/rerank",
        texts(top_n=2),
        {
            "id": "r",
            "object": "rerank",
            "results": [{**one, "document": {}} for one in SCORED],
            "usage": {"prompt_tokens": 30, "completion_tokens": 0, "total_tokens": 30},
        },
        used(30),
        OBJECTS,
        OBJECTS,
    ),
    "voyage": Case(
        f"{BASE}/rerank",
        texts(top_k=2),
        {"object": "list", "data": SCORED, "usage": {"total_tokens": 26}},
        used(26),
        LINES,
    ),
}
REFUSING = sorted(CASES.keys() - {"bedrock", "cohere"})

every = pytest.mark.parametrize("provider", CASES)


def reranker(provider: str, **target: Any) -> Any:
    own = {"mine": Compatible(base_url=BASE, key_env=("MINE",))}
    settings = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "s3cr3t-key"}
    given = Target(
        provider,
        CASES[provider].model,
        **{
            "api_key": None if provider == "bedrock" else "the-key",
            "api_base": BASE,
            "settings": {**settings, "aws_region_name": "eu-west-1"},
            **target,
        },
    )
    return adapter(given, own, "rerank")


def call(documents: list[Any] | None = None, **params: Any) -> Call:
    given = {"query": QUERY, "documents": TEXTS if documents is None else documents}
    drop = bool(params.pop("drop_params", False))
    return Call([], params, operation="rerank", input=given, drop_params=drop)


def built(provider: str, asked: Call) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(reranker(provider).build(asked).body)
    return body


def documents_of(body: dict[str, Any]) -> list[Any]:
    return next(body[name] for name in ("documents", "texts", "sources") if name in body)


def parse(provider: str, asked: Call, answer: Any = None) -> RerankResponse:
    raw = CASES[provider].answer if answer is None else answer
    parsed: RerankResponse = reranker(provider).parse(json.dumps(raw).encode(), asked)
    return parsed


@every
def test_the_two_best_of_three_texts_are_asked_for(provider: str) -> None:
    """Each reranker is asked at its address, in its own words."""
    request = reranker(provider).build(call(top_n=2))
    assert (request.url, json.loads(request.body)) == CASES[provider][:2]


@every
def test_the_key_is_sent_or_signs(provider: str) -> None:
    """Who calls is said in the header that the provider reads."""
    sent = reranker(provider).build(call()).headers["Authorization"]
    assert sent.startswith("AWS4-HMAC-SHA256 " if provider == "bedrock" else "Bearer the-key")


@every
def test_results_are_best_first_with_the_texts_of_the_caller(provider: str) -> None:
    """Whatever the provider sends back, a result has its place, its score and its text."""
    answer = parse(provider, call(top_n=2))
    assert [(one.index, one["relevance_score"]) for one in answer.results] == [(1, 0.9), (2, 0.4)]
    assert [one.document.text for one in answer.results if one.document] == TEXTS[1:]
    assert answer.id


@every
def test_texts_are_left_out_on_request(provider: str) -> None:
    """With `return_documents=False` no result has one, even where the provider sends it."""
    answer = parse(provider, call(return_documents=False))
    assert {one.document for one in answer.results} == {None}


@every
def test_no_more_than_asked_for_are_returned(provider: str) -> None:
    """`top_n` holds where the provider does not know it, or sends more."""
    assert [one.index for one in parse(provider, call(top_n=1)).results] == [1]


@every
def test_what_was_used_is_told(provider: str) -> None:
    """Searches or tokens, whichever the provider counts, and the tokens as usage."""
    answer = parse(provider, call())
    meta = answer.meta and answer.meta.model_dump(exclude_none=True)
    assert meta == CASES[provider].used
    tokens = (CASES[provider].used or {}).get("tokens")
    assert (answer.usage and answer.usage.prompt_tokens) == (tokens and tokens["input_tokens"])


@every
def test_objects_are_sent_as_such_or_as_lines(provider: str) -> None:
    """An object goes as it is where that is understood, else as text; the caller's stays whole."""
    given = deepcopy(OBJECTS)
    assert documents_of(built(provider, call(given))) == CASES[provider].objects
    assert given == OBJECTS
    found = parse(provider, call(given), {"results": [{"index": 1, "relevance_score": 1}]})
    assert found.results[0].document is not None
    assert found.results[0].document.text == "A language."


@every
def test_only_the_named_fields_of_objects_count(provider: str) -> None:
    """`rank_fields` holds everywhere; an object that has none of them counts whole."""
    body = built(provider, call(OBJECTS, rank_fields=["title"]))
    assert documents_of(body) == list(CASES[provider].fields)
    assert ("rank_fields" in body) == (provider == "together_ai")


@every
def test_unknown_fields_are_kept(provider: str) -> None:
    """What a provider says beyond the format can be read."""
    result = {"index": 0, "relevance_score": 1, "embedding": [0.5]}
    answer = parse(provider, call(), {"results": [result], "warnings": ["slow"]})
    assert (answer.warnings, answer.results[0].embedding) == (["slow"], [0.5])


@every
@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        "no",
        {"results": []},
        {"results": [{"index": 3, "relevance_score": 1}]},
        {"results": [{"index": 0}]},
        {"results": [{"relevance_score": 1}]},
        {"results": [{"index": 0, "relevance_score": "high"}]},
        {"results": SCORED, "meta": {"billed_units": 3}},
    ],
)
def test_an_answer_that_is_none_is_an_error(provider: str, answer: Any) -> None:
    """Nothing that is no ranking passes for one."""
    with pytest.raises(exceptions.APIResponseValidationError):
        parse(provider, call(), answer)


@every
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, exceptions.BadRequestError),
        (404, exceptions.NotFoundError),
        (429, exceptions.RateLimitError),
        (500, exceptions.InternalServerError),
    ],
)
def test_errors_have_their_class(
    provider: str, status: int, kind: type[exceptions.APIError]
) -> None:
    """A refusal says what it is, who refused, and when to come back."""
    error = reranker(provider).error(status, {"retry-after": "3"}, b'{"message": "no such luck"}')
    assert type(error) is kind
    assert (error.llm_provider, error.retry_after) == (provider, 3.0)
    assert "no such luck" in error.message


@pytest.mark.parametrize("provider", REFUSING)
def test_what_a_reranker_does_not_know_is_refused_or_dropped(provider: str) -> None:
    """A limit per document is never silently ignored."""
    with pytest.raises(exceptions.UnsupportedParamsError, match="max_tokens_per_doc"):
        built(provider, call(max_tokens_per_doc=64))
    request = reranker(provider).build(call(max_tokens_per_doc=64, drop_params=True))
    assert request.dropped == ("max_tokens_per_doc",)
    assert b"max_tokens_per_doc" not in request.body


def test_limits_per_document_reach_those_who_know_them() -> None:
    """Cohere takes the limit itself; on Bedrock it goes to the model."""
    assert built("cohere", call(max_tokens_per_doc=64))["max_tokens_per_doc"] == 64
    body = built("bedrock", call(max_tokens_per_doc=64))
    configuration = body["rerankingConfiguration"]["bedrockRerankingConfiguration"]
    fields = configuration["modelConfiguration"]["additionalModelRequestFields"]
    assert fields == {"max_tokens_per_doc": 64}
    assert configuration["numberOfResults"] == 3


@pytest.mark.parametrize(
    ("provider", "word"),
    [("voyage", "return_documents"), ("huggingface", "return_text"), ("cohere", None)],
)
def test_texts_are_asked_for_where_they_can_be(provider: str, word: str | None) -> None:
    """The wish for texts goes to those who know it, and a provider's own parameters to all."""
    body = built(provider, call(return_documents=True, truncation=False))
    assert body["truncation"] is False
    assert {name for name in body if name.startswith("return")} == ({word} if word else set())


def test_a_name_with_its_maker_goes_as_it_is() -> None:
    """Fireworks' own prefix is for bare names."""
    target = Target("fireworks_ai", "fireworks/qwen3-reranker-8b", "key")
    request = adapter(target, operation="rerank").build(call())
    assert json.loads(request.body)["model"] == "fireworks/qwen3-reranker-8b"


@pytest.mark.parametrize(
    "base",
    [
        None,
        "https://api.cohere.com/",
        "https://api.cohere.com/v1",
        "https://api.cohere.com/v2/rerank",
    ],
)
def test_cohere_is_asked_at_version_2(base: str | None) -> None:
    """Whatever part of the address is given, version 2 of the ranking is called."""
    assert reranker("cohere", api_base=base).url == "https://api.cohere.com/v2/rerank"


@pytest.mark.parametrize(
    ("model", "base", "url", "arn"),
    [
        (
            "cohere.rerank-v3-5:0",
            None,
            "https://bedrock-agent-runtime.eu-west-1.amazonaws.com/rerank",
            "arn:aws:bedrock:eu-west-1::foundation-model/cohere.rerank-v3-5:0",
        ),
        (
            AMAZON,
            "https://bedrock-runtime.eu-west-1.amazonaws.com",
            "https://bedrock-agent-runtime.eu-west-1.amazonaws.com/rerank",
            AMAZON,
        ),
    ],
)
def test_bedrock_is_asked_at_the_runtime_of_agents(
    model: str, base: str | None, url: str, arn: str
) -> None:
    """The region's own host, or the sibling of a given one; models are named by ARN."""
    region = {
        "aws_access_key_id": "A",
        "aws_secret_access_key": "B",
        "aws_region_name": "eu-west-1",
    }
    target = Target("bedrock", model, None, base, settings=region)
    request = adapter(target, operation="rerank").build(call())
    assert request.url == url
    configuration = json.loads(request.body)["rerankingConfiguration"]
    assert configuration["bedrockRerankingConfiguration"]["modelConfiguration"] == {"modelArn": arn}


def test_an_arn_says_its_region() -> None:
    """Without any setting the region of the ARN is where it is asked."""
    keys = {"aws_access_key_id": "A", "aws_secret_access_key": "B"}
    request = adapter(Target("bedrock", AMAZON, settings=keys), operation="rerank").build(call())
    assert request.url.startswith("https://bedrock-agent-runtime.eu-west-1.")


def test_bedrock_charges_a_search_for_a_hundred_documents() -> None:
    """What Bedrock does not count is computed as it is charged."""
    answer = {"results": [{"index": 0, "relevanceScore": 1}]}
    found = parse("bedrock", call(["a text"] * 101), answer)
    assert found.meta is not None
    assert found.meta.billed_units is not None
    assert found.meta.billed_units.search_units == 2


def test_who_has_no_rankings_says_so() -> None:
    """A provider of chat only is told apart from those that rank."""
    with pytest.raises(exceptions.UnsupportedParamsError, match=r"groq has no rerank.*voyage"):
        adapter(Target("groq", "llama", "key"), operation="rerank")


@recorded("*/rerank-json-*.json")
def test_recorded_rankings_are_asked_and_read_alike(record: dict[str, Any]) -> None:
    """What was recorded is what would be sent, and every place and score is found."""
    provider = {"together": "together_ai"}.get(record["provider"], record["provider"])
    sent, body = record["request"]["body"] or {}, record["response"]["body"]
    asked = call(sent.get("documents") or ["some text"] * 9)
    asked.input["query"] = sent.get("query", QUERY)
    if "top_n" in sent or "top_k" in sent:
        asked.params["top_n"] = sent.get("top_n") or sent["top_k"]
    asked.params |= {name: value for name, value in sent.items() if name == "truncation"}
    region = {"aws_region_name": "us-east-1"}
    ranks = adapter(
        Target(provider, record["model"] or "m", "key", settings=region), operation="rerank"
    )
    request = json.loads(ranks.build(asked).body)
    assert not sent or request == {name: it for name, it in sent.items() if it is not None}
    said = json.loads(body)
    found = [list(one.values()) for one in said.get("results") or said["data"]]
    answer = ranks.parse(body.encode(), asked)
    assert isinstance(answer, RerankResponse)
    for result, values in zip(answer.results, found, strict=True):
        assert result.index in values
        assert result.relevance_score in values


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"query": " "}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": "a text"}, "documents"),
        ({"documents": ["a", 3]}, r"documents\[1\]"),
        ({"documents": ["a", ""]}, r"documents\[1\]"),
        ({"top_n": 0}, "top_n"),
        ({"top_n": "2"}, "top_n"),
    ],
)
async def test_what_cannot_be_ranked_is_refused_at_once(given: dict[str, Any], match: str) -> None:
    """Nobody is asked about an empty query, or about documents that are none."""
    asked: dict[str, Any] = {"query": QUERY, "documents": TEXTS, **given}
    with pytest.raises(exceptions.BadRequestError, match=match):
        await polyroute.arerank(
            "voyage/rerank-2", **asked, api_key="k", api_base="http://127.0.0.1:1"
        )


async def test_a_router_ranks_with_whoever_can(fleet: Fleet) -> None:
    """A refusing deployment is followed by its sibling; the route tells both, and the price."""
    refusing = await fleet.raw(fleet.http(b"{}", "429 Too Many Requests", Content_Length="2"))
    body = json.dumps(CASES["voyage"].answer).encode()
    answering = await fleet.raw(fleet.http(body, Content_Length=str(len(body))))
    router = await fleet.router(
        {
            "rank": [
                refusing.deployment("rank", model="cohere/rerank-v3.5"),
                answering.deployment("rank", model="voyage/rerank-2"),
            ]
        }
    )
    answer = await router.arerank("rank", QUERY, TEXTS, top_n=2)
    assert [one.index for one in answer.results] == [1, 2]
    assert [attempt.outcome for attempt in answer.route.attempts] == ["failed", "ok"]
    assert refusing.heads[0].startswith(b"POST /v2/rerank ")
    assert answering.heads[0].startswith(b"POST /v1/rerank ")
    assert answer.route.cost == pytest.approx(26 * 0.05e-6)


async def test_searches_are_charged_on_the_route(fleet: Fleet) -> None:
    """Where searches have the price, their number makes it, on the route and afterwards."""
    body = json.dumps(CASES["cohere"].answer).encode()
    server = await fleet.raw(fleet.http(body, Content_Length=str(len(body))))
    router = await fleet.router({"rank": [server.deployment("rank", model="cohere/rerank-v3.5")]})
    answer = await router.arerank("rank", QUERY, TEXTS)
    assert answer.route.cost == 0.002
    assert polyroute.completion_cost(answer, "cohere/rerank-v3.5") == 0.002


async def test_what_a_provider_says_it_charged_is_the_cost(fleet: Fleet) -> None:
    """OpenRouter tells the price of each ranking."""
    body = json.dumps(CASES["openrouter"].answer).encode()
    server = await fleet.raw(fleet.http(body, Content_Length=str(len(body))))
    router = await fleet.router({"rank": [server.deployment("rank", model="openrouter/a/b")]})
    answer = await router.arerank("rank", QUERY, TEXTS)
    assert answer.route.cost == 3.4e-7


async def test_the_synchronous_twins_rank_too(fleet: Fleet) -> None:
    """Without a loop of one's own, by a Router and for a single model."""
    body = json.dumps(CASES["jina_ai"].answer).encode()
    server = await fleet.raw(fleet.http(body, Content_Length=str(len(body))))
    router = await fleet.router({"rank": [server.deployment("rank", model="jina_ai/reranker")]})
    found = await asyncio.to_thread(router.rerank, "rank", QUERY, TEXTS)
    single = await asyncio.to_thread(
        polyroute.rerank, "jina_ai/reranker", QUERY, TEXTS, api_key="k", api_base=server.base_url
    )
    assert [one.index for one in found.results] == [one.index for one in single.results] == [1, 2]
    await router.aclose()
