"""The page for those who come from LiteLLM says what is so, and leaves out no public name."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import polyroute
from polyroute import BadRequestError, ConfigurationError, Router
from polyroute.familiar import REFUSED
from polyroute.providers import resolve
from polyroute.router.options import REFUSED as REFUSED_IN_CALLS
from polyroute.strategies import STRATEGIES
from polyroute.testing import Reply

if TYPE_CHECKING:
    from conftest import Fleet

pytestmark = pytest.mark.anyio

HI = [{"role": "user", "content": "Hi"}]
PAGE = (Path(__file__).parent.parent / "docs/from-litellm.md").read_text("utf-8")
SECTION = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
ROW = re.compile(r"^\| (.+?) \| (same|better|different|absent) \| (.*)\|$", re.MULTILINE)
NAME = re.compile(r"`([\w-]+)`")
THERE = {"same", "better"}


class Row(NamedTuple):
    """One name of LiteLLM's, what the page says of it, and why."""

    section: str
    name: str
    status: str
    why: str


ROWS = [
    Row(section, name, status, why.strip())
    for section, text in SECTION.findall(PAGE)
    for names, status, why in ROW.findall(text)
    for name in NAME.findall(names)
]


def of(section: str) -> pytest.MarkDecorator:
    """A test of every row of a section."""
    rows = [row for row in ROWS if row.section == section]
    assert rows, section
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


@of("Functions")
def test_functions(row: Row) -> None:
    """A function that is there can be called; one that is not is an attribute error."""
    assert hasattr(polyroute, row.name) == (row.status in THERE)


@of("Exceptions")
def test_exceptions(row: Row) -> None:
    """An exception that is there is one of ours; what is absent cannot be imported."""
    found = getattr(polyroute.exceptions, row.name, None)
    assert (found is None) == (row.status == "absent")
    assert found is None or issubclass(found, polyroute.APIError)


@of("Types")
def test_types(row: Row) -> None:
    """A type that is there is a class under LiteLLM's name."""
    assert inspect.isclass(getattr(polyroute, row.name, None)) == (row.status in THERE)


@of("Settings of a Router")
def test_settings_of_a_router(row: Row) -> None:
    """A Router takes what the page says, and nothing that is absent."""
    assert (row.name in inspect.signature(Router).parameters) == (row.status != "absent")


@of("Methods of a Router")
def test_methods_of_a_router(row: Row) -> None:
    """A method that is there is one; an other is named where it is called differently."""
    assert not (row.status in THERE and not hasattr(Router, row.name))
    assert not (row.status == "absent" and hasattr(Router, row.name))
    if row.status == "different" and not hasattr(Router, row.name):
        instead = re.findall(r"`(\w+)", row.why)
        assert instead
        assert all(hasattr(Router, name) for name in instead)


@of("Parameters of a call")
def test_parameters_of_a_call(row: Row) -> None:
    """What is absent is refused by name, everything else is not."""
    assert (row.name in REFUSED_IN_CALLS) == (row.status == "absent")
    if row.status == "absent":
        with pytest.raises(BadRequestError, match=row.name):
            polyroute.completion("gpt-4o", HI, mock_response="Hi", **{row.name: 1})


async def test_headers(fleet: Fleet) -> None:
    """`headers` are sent as headers, whichever name they are given under."""
    (upstream,) = await fleet.start("openai")
    router = await fleet.router({"smart": [upstream]})
    await router.acompletion("smart", HI, headers={"X-Team": "search"})
    assert upstream.requests[0].headers["x-team"] == "search"
    assert "headers" not in upstream.requests[0].body


@pytest.mark.parametrize("params", ["litellm_params", "params"])
async def test_prices_among_params(fleet: Fleet, params: str) -> None:
    """Prices in `litellm_params` are prices, and are not sent to anybody."""
    (upstream,) = await fleet.start(
        "openai", answer=Reply("Hi", prompt_tokens=100, completion_tokens=10)
    )
    entry = upstream.deployment("smart", input_cost_per_token=0.01, output_cost_per_token=0.1)
    entry[params] = entry.pop("litellm_params")
    router = await fleet.router({"smart": [entry]})
    answer = await router.acompletion("smart", HI)
    assert answer.route.cost == pytest.approx(2.0)
    assert "input_cost_per_token" not in upstream.requests[0].body


VALUES = {
    "api_base": "http://127.0.0.1/v1",
    "cache_control_injection_points": [{"location": "message", "role": "system"}],
    "custom_llm_provider": "openai",
    "drop_params": True,
    "extra_body": {"a": 1},
    "extra_headers": {"a": "b"},
    "tags": ["a"],
}
NUMBERS = re.compile(r"rpm|tpm|order|weight|timeout|retries|requests|cost")


@of("Entries of a model list")
def test_entries(row: Row) -> None:
    """An entry takes what the page says, and what is absent is refused by name."""
    value = VALUES.get(row.name, 1 if NUMBERS.search(row.name) else "openai/gpt-4o")
    params = {"model": "openai/gpt-4o", "api_key": "key", row.name: value}
    entry = {"model_name": "smart", "litellm_params": params}
    if row.status == "absent":
        with pytest.raises(ConfigurationError, match=row.name):
            Router(model_list=[entry])
    else:
        assert Router(model_list=[entry]).aliases == ["smart"]


@of("Strategies")
def test_strategies(row: Row) -> None:
    """A strategy that is there is one of the names that `routing_strategy` takes."""
    assert (row.name in STRATEGIES) == (row.status in THERE)


@of("Settings of the module")
def test_settings_of_the_module(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is absent is refused when it is set, everything else can be set."""
    assert (row.name in REFUSED) == (row.status == "absent")
    if row.status == "absent":
        with pytest.raises(AttributeError, match=row.name):
            setattr(polyroute, row.name, None)
    else:
        monkeypatch.setattr(polyroute, row.name, None, raising=False)


@pytest.mark.parametrize(
    "name", [row.name for row in ROWS if re.fullmatch(r"[a-z]+(?<!api)_key", row.name)]
)
def test_keys_are_providers_prefixes(name: str) -> None:
    """A key that can be set belongs to a provider that there is."""
    provider = name.removesuffix("_key")
    assert resolve(f"{provider}/some-model")[0].removesuffix("_ai") == provider


def test_everything_refused_is_on_the_page() -> None:
    """Whatever is refused by name is in a table."""
    said = {row.name for row in ROWS if row.status == "absent"}
    assert REFUSED.keys() - said == set()


def test_every_public_name_is_on_the_page() -> None:
    """No name of the package, no setting and no method of a Router is left out."""
    said = set(re.findall(r"`([\w.]+)(?:\(\))?`", PAGE))
    methods = {name for name in dir(Router) if not name.startswith("_")}
    assert {*polyroute.__all__, *methods, *inspect.signature(Router).parameters} - said == set()


def test_every_name_is_there_once() -> None:
    """A name has one row in its section."""
    seen = [(row.section, row.name) for row in ROWS]
    assert [one for one in seen if seen.count(one) > 1] == []
