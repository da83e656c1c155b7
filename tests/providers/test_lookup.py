"""What a model's name says, without asking anybody."""

from __future__ import annotations

import pytest

from polyroute import get_llm_provider, get_supported_openai_params
from polyroute.exceptions import BadRequestError
from polyroute.providers.catalog import COMPATIBLE
from polyroute.providers.lookup import EXAMPLES
from polyroute.providers.params import OPENAI_PARAMS
from polyroute.providers.registry import MODULES

NAMES = {"replicate": "meta/llama-3-8b", "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0"}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-4o", ("gpt-4o", "openai", "key", "https://api.openai.com/v1")),
        (
            "groq/openai/gpt-oss-120b",
            ("openai/gpt-oss-120b", "groq", None, "https://api.groq.com/openai/v1"),
        ),
        ("claude-sonnet-4-5", ("claude-sonnet-4-5", "anthropic", None, None)),
        ("together/some/model", ("some/model", "together_ai", None, "https://api.together.ai/v1")),
    ],
)
def test_whose(
    model: str, expected: tuple[str | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider, its name of the model, and key and address where the environment tells."""
    for variable in ("GROQ_API_KEY", "TOGETHER_API_KEY", "TOGETHERAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    assert get_llm_provider(model) == expected


def test_given() -> None:
    """What will be given with the call comes first, and a key is not shown."""
    found = get_llm_provider("my-model", "groq", "http://localhost/v1", "secret")
    assert found == ("my-model", "groq", "secret", "http://localhost/v1")
    assert "secret" not in repr(found)
    assert get_llm_provider("my/model", api_base="http://localhost/v1")[1] == "openai_like"


def test_nobody() -> None:
    """A name that says nothing is an error that says what would do."""
    with pytest.raises(BadRequestError, match="write PROVIDER/MODEL"):
        get_llm_provider("my-model")


def test_every_parameter_has_an_example() -> None:
    """Each of OpenAI's parameters is asked for."""
    assert set(EXAMPLES) == OPENAI_PARAMS


@pytest.mark.parametrize("provider", sorted({*MODULES["chat"], *COMPATIBLE}))
def test_every_provider_tells(provider: str) -> None:
    """Every provider takes a temperature and a limit, and can be asked without keys."""
    params = get_supported_openai_params(NAMES.get(provider, "some-model"), provider)
    assert {"temperature", "max_tokens"} <= set(params)
    assert params == sorted(params)


@pytest.mark.parametrize(
    ("model", "takes", "refuses"),
    [
        ("anthropic/claude-sonnet-4-5", {"reasoning_effort", "tools", "user"}, {"n", "seed"}),
        ("anthropic/claude-3-haiku-20240307", {"tools"}, {"reasoning_effort"}),
        ("gemini/gemini-2.5-pro", {"n", "seed", "response_format"}, {"logit_bias", "user"}),
        ("gpt-4o", {"logit_bias", "n", "prediction"}, set()),
        ("cerebras/llama3.1-8b", {"seed"}, {"functions", "store"}),
    ],
)
def test_what_a_model_takes(model: str, takes: set[str], refuses: set[str]) -> None:
    """The model's own adapter says what it would send."""
    params = set(get_supported_openai_params(model))
    assert takes <= params
    assert not refuses & params
