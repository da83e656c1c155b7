"""
Single models, without a Router: the engine behind `polyroute.completion` and its siblings.

The same engine as a Router's, with one deployment per model, key and address, made when first
called for and kept while it is in use. Module-level settings (`polyroute.openai_key`,
`polyroute.drop_params`) are read here, at the time of the call, and nowhere else.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from ..providers import Target, resolve
from ..providers.messages import chat
from ..strategies import SimpleShuffle
from .decisions import Core
from .deployment import SETTINGS, Deployment
from .engine import Engine
from .groups import Group
from .health import Circuit, HealthPolicy
from .observe import told
from .operations import Operations
from .options import split
from .policies import Policies
from .prompts import PROMPT_OPTIONS, fill

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from ..providers import Call
    from ..schemas import ChatCompletion
    from .options import Options
    from .stream import ChatStream

MOST_MODELS = 1000
"""Targets that are remembered; the least recently used one goes first."""

REACH = ("api_base", "api_key", "api_version", "base_url", "custom_llm_provider")


class Singles(Operations):
    """An engine whose groups are single models."""

    def __init__(self) -> None:
        from .transport import Transport  # noqa: PLC0415  aiohttp is loaded at the first call

        self._groups: LRUCache[Any, Group] = LRUCache(MOST_MODELS)
        self._rng = random.Random()
        policies = Policies(num_retries=0)
        self._core = Core(time.monotonic, self._rng, self._by_name, policies)
        self._engine = Engine(self._core, Transport())

    def _operate(self, model: str, call: Call, keywords: Mapping[str, Any]) -> Awaitable[Any]:
        """One call to one model; among the keywords is also how to reach it."""
        params = dict(keywords)
        reach = {name: params.pop(name) for name in REACH if name in params}
        reach["settings"] = {
            name: params.pop(name)
            for name in keywords
            if name in SETTINGS or name.startswith(("aws_", "azure_", "vertex_"))
        }
        options = split(call, params, routed=False)
        if _setting("drop_params") and options.drop_params is None:
            call.drop_params = True
        options = _with_defaults(options)
        answer = self._engine.answer(call, self._group(model, **reach), options)
        if options.verbose or options.logger_fn:
            return told(answer, model, call, options)
        return answer

    async def acompletion(
        self, model: str, messages: Iterable[Any], stream: bool, keywords: dict[str, Any]
    ) -> ChatCompletion | ChatStream:
        """See :func:`polyroute.acompletion`."""
        if not PROMPT_OPTIONS.isdisjoint(keywords):
            model, messages, keywords = await fill(_setting("prompts"), model, messages, keywords)
        call = chat(messages, stream=stream, ask_usage=False)
        answer: ChatCompletion | ChatStream = await self._operate(model, call, keywords)
        return answer

    def _by_name(self, model: str) -> Group:
        return self._group(model)

    def _group(
        self,
        model: str,
        *,
        api_base: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        api_version: str | None = None,
        custom_llm_provider: str | None = None,
        settings: dict[str, Any] | None = None,
    ) -> Group:
        """The group of one model; the same one for the same target."""
        base = api_base or base_url
        name = f"{custom_llm_provider}/{model}" if custom_llm_provider else model
        provider, known_as = resolve(name, has_base=base is not None)
        key = api_key or _setting(f"{provider.removesuffix('_ai')}_key") or _setting("api_key")
        settings = {name: value for name, value in (settings or {}).items() if value is not None}
        identity = (provider, known_as, key, base, api_version, repr(sorted(settings.items())))
        group = self._groups.get(identity)
        if group is None:
            target = Target(provider, known_as, key, base, api_version, settings=settings)
            group = self._groups[identity] = self._new_group(model, target)
        return group

    def _new_group(self, model: str, target: Target) -> Group:
        policy = HealthPolicy(disabled=True)  # there is nobody else to ask
        circuit = Circuit(policy, self._core.clock, self._rng)
        group = Group(model, SimpleShuffle(self._rng), rules=None)
        group.add(Deployment(model, model, target, circuit, lasting=False))
        group.refresh()
        return group


def _setting(name: str) -> Any:
    """A module-level setting of the package, as users assign it."""
    return getattr(sys.modules[__package__.rpartition(".")[0]], name, None)


def _with_defaults(options: Options) -> Options:
    """Options with the module-level settings where the call says nothing."""
    timeout, retries = _setting("request_timeout"), _setting("num_retries")
    verbose = _setting("set_verbose") or _setting("verbose") or False
    logger_fn = _setting("logger_fn")
    if timeout is None and retries is None and logger_fn is None and not verbose:
        return options
    return replace(
        options,
        timeout=options.timeout if options.timeout is not None else timeout,
        num_retries=options.num_retries if options.num_retries is not None else retries,
        verbose=options.verbose or verbose,
        logger_fn=options.logger_fn or logger_fn,
    )


_made: list[Singles] = []


def singles() -> Singles:
    """The engine for single models, made at the first call."""
    if not _made:
        _made.append(Singles())
    return _made[0]
