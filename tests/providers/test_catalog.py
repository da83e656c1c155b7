"""What holds for every row of the catalog."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from polyroute.exceptions import AuthenticationError, BadRequestError
from polyroute.providers import COMPATIBLE, Compatible, Target, adapter, resolve
from polyroute.providers.huggingface import HUGGINGFACE
from polyroute.providers.mistral import MISTRAL
from polyroute.providers.ollama import OLLAMA
from polyroute.providers.params import OPENAI_PARAMS
from polyroute.providers.perplexity import PERPLEXITY
from polyroute.providers.registry import ALIASES, NAMES
from polyroute.providers.xai import XAI

ROWS = {
    **COMPATIBLE,
    "huggingface": HUGGINGFACE,
    "mistral": MISTRAL,
    "ollama": OLLAMA,
    "perplexity": PERPLEXITY,
    "xai": XAI,
}
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


@rows
def test_an_address_is_https_without_a_slash_at_its_end(row: Compatible) -> None:
    """Keys go over TLS, except to this very machine; paths can be appended."""
    if row.base_url is not None:
        parts = urlsplit(row.base_url)
        assert parts.scheme == "https" or (parts.scheme, parts.hostname) == ("http", "127.0.0.1")
        assert not row.base_url.endswith("/")
    else:
        assert row.base_env, "a row without an address needs a variable that may hold one"


@rows
def test_environment_variables_are_named_as_usual(row: Compatible) -> None:
    """Names are upper-case, and there is one for the key."""
    names = row.key_env + row.base_env
    assert row.key_env
    assert all(name == name.upper() and name.replace("_", "").isalnum() for name in names)
    assert len(set(names)) == len(names)


@rows
def test_renames_and_refusals_name_known_parameters(row: Compatible) -> None:
    """What is renamed or refused is one of OpenAI's parameters, and not both."""
    assert row.rename.keys() | row.refuses <= OPENAI_PARAMS
    assert not row.rename.keys() & row.refuses
    assert not row.refuses & set(row.rename.values())


@pytest.mark.parametrize("prefix", [*COMPATIBLE, *NAMES])
def test_a_prefix_leads_to_its_provider(prefix: str) -> None:
    """PROVIDER/MODEL is taken apart at the first slash only."""
    assert resolve(f"{prefix}/some/model") == (prefix, "some/model")


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_leads_to_a_provider_there_is(alias: str) -> None:
    """Other prefixes are known, and are not prefixes of their own."""
    assert resolve(f"{alias}/m")[0] in {*COMPATIBLE, *NAMES}
    assert alias not in COMPATIBLE
    assert alias not in NAMES


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("o3-mini", "openai"),
        ("ft:gpt-4o-mini:acme::1", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("gemini-2.5-flash", "gemini"),
        ("command-r-plus", "cohere"),
    ],
)
def test_some_names_need_no_prefix(model: str, provider: str) -> None:
    """A name that only one provider has says whose it is."""
    assert resolve(model) == (provider, model)


def test_an_unknown_name_lists_what_would_do() -> None:
    """The error names the provider that was probably meant, and all where none is near."""
    with pytest.raises(BadRequestError, match=r"did you mean 'groq/llama'\?") as caught:
        resolve("grooq/llama")
    assert "anthropic" not in str(caught.value)
    with pytest.raises(BadRequestError, match=r"PROVIDER/MODEL.*anthropic.*zai"):
        resolve("wizard-7")


def test_an_unknown_name_with_an_address_is_an_openai_server() -> None:
    """With an address of its own a bare name needs no provider."""
    assert resolve("my-model", has_base=True) == ("openai_like", "my-model")


def test_a_row_of_ones_own_comes_first() -> None:
    """A private endpoint is one row, with its own key variable."""
    mine = {"mine": Compatible(base_url="https://llm.example/v1", key_env=("MINE_KEY",))}
    provider, model = resolve("mine/m", providers=mine)
    made = adapter(Target(provider, model, "k"), mine)
    assert made.url == "https://llm.example/v1/chat/completions"


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which variable to set."""
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    with pytest.raises(AuthenticationError, match="GROQ_API_KEY"):
        adapter(Target("groq", "m"))


def test_a_missing_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says where an address can be given."""
    monkeypatch.delenv("HOSTED_VLLM_API_BASE", raising=False)
    with pytest.raises(BadRequestError, match="api_base or HOSTED_VLLM_API_BASE"):
        adapter(Target("hosted_vllm", "m"))


@pytest.mark.parametrize(
    ("provider", "variable"), [("groq", "GROQ_API_KEY"), ("ollama", "OLLAMA_API_KEY")]
)
def test_a_key_of_the_environment_is_as_secret_as_any(
    provider: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that nobody passed is redacted all the same."""
    monkeypatch.setenv(variable, "key-of-the-environment")
    error = adapter(Target(provider, "m")).error(401, {}, b"bad key: key-of-the-environment")
    assert "of-the-environment" not in f"{error!r} {error.body}"
