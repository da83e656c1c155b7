"""What can be imported is what is promised, no more and no less."""

from __future__ import annotations

import inspect
from importlib import import_module

import pytest

import polyroute

PACKAGES = (
    "polyroute.exceptions",
    "polyroute.providers",
    "polyroute.router",
    "polyroute.schemas",
    "polyroute.strategies",
    "polyroute.testing",
)
PUBLIC = pytest.mark.parametrize("package", ["polyroute", *PACKAGES])
SETTINGS = {
    "anthropic_key",
    "api_key",
    "cohere_key",
    "drop_params",
    "logger_fn",
    "num_retries",
    "openai_key",
    "prompts",
    "request_timeout",
    "set_verbose",
    "verbose",
}


@PUBLIC
def test_every_name_resolves(package: str) -> None:
    """Each name of __all__ is there, lazily or not."""
    module = import_module(package)
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []


@PUBLIC
def test_names_are_sorted(package: str) -> None:
    """__all__ is sorted (constants, classes, functions), so that names are found."""
    names = import_module(package).__all__
    kinds = {name: (not name.isupper(), name[0].islower(), name) for name in names}
    assert list(names) == sorted(names, key=kinds.get)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("package", PACKAGES)
def test_classes_and_functions_are_all_listed(package: str) -> None:
    """What a package imports from its modules, it also promises."""
    module = import_module(package)
    defined = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__.startswith(package)
    }
    assert defined - {"error_class"} <= set(module.__all__)


def test_settings_are_the_only_other_names() -> None:
    """Beside its promised names the package has its settings, and nothing by accident."""
    for name in polyroute.__all__:
        getattr(polyroute, name)
    there = {
        name
        for name, value in vars(polyroute).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    imported = {"TYPE_CHECKING", "Any", "annotations", "import_module"}
    assert there - imported - set(polyroute.__all__) == SETTINGS


def test_dir_shows_what_can_be_had() -> None:
    """dir() lists lazy names before they are loaded."""
    assert set(polyroute.__all__) <= set(dir(polyroute))


def test_unknown_names_are_attribute_errors() -> None:
    """A misspelt name fails like that of any module."""
    with pytest.raises(AttributeError, match="'polyroute' has no attribute 'Ruoter'"):
        polyroute.Ruoter  # noqa: B018


def test_public_things_have_words() -> None:
    """Every public class and function says what it is."""
    silent = [
        f"{package}.{name}"
        for package in PACKAGES
        for name in import_module(package).__all__
        for value in [getattr(import_module(package), name)]
        if (inspect.isclass(value) or inspect.isfunction(value)) and not inspect.getdoc(value)
    ]
    assert silent == []
