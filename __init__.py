"""
polyroute: an asyncio-first router for language-model calls.

    from polyroute import Router

    router = Router(model_list=[...])
    answer = await router.acompletion(model="smart", messages=[...])

`docs/` has one concept per page. The settings are here, all other names in `public.py`, which is
loaded when the first of them is used: importing the package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .familiar import REFUSED as _REFUSED, Package as _Package

if TYPE_CHECKING:
    from collections.abc import Callable

    from .public import *

    __version__: str

api_key: str | None = None
"""Key for single-model calls to any provider that has none of its own here."""

openai_key: str | None = None
anthropic_key: str | None = None
cohere_key: str | None = None

drop_params: bool = False
"""Whether single-model calls leave out parameters that the target cannot take."""

num_retries: int | None = None
"""Further attempts of single-model calls; None means 0."""

request_timeout: float | None = None
"""Seconds for single-model calls that say nothing; None means 600."""

set_verbose: bool = False
verbose: bool = False
"""Whether the route of each single-model call is logged; both names mean the same."""

logger_fn: Callable[[dict[str, Any]], object] | None = None
"""Called with a dictionary about each single-model call when it has ended."""

prompts: PromptStore | None = None
"""Where the prompts are that single-model calls name by `prompt_id`."""


def _public() -> dict[str, Any]:
    """Every public name beside the settings, loaded."""
    loaded = vars(import_module(".public", __name__))
    return {name: value for name, value in loaded.items() if not name.startswith("_")}


def __getattr__(name: str) -> Any:
    if name == "exceptions":  # wanted by modules of this package while they are loaded
        return import_module(".exceptions", __name__)
    if name == "__version__":
        return import_module("importlib.metadata").version(__name__)
    if name == "__all__":
        return sorted(_public())
    public = {} if name.startswith("_") else _public()
    if name not in public:
        hint = f": {_REFUSED[name]}" if name in _REFUSED else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    globals().update(public)
    return public[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_public()})


sys.modules[__name__].__class__ = _Package
