"""The Router: what a service embeds."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from ..exceptions import BadRequestError, ConfigurationError, NotFoundError
from ..strategies import STRATEGIES
from .deployment import make_deployment
from .engine import Engine
from .groups import Group, unknown_alias
from .health import Circuit, HealthPolicy
from .observe import told
from .operations import Operations
from .options import TARGET, chat, split
from .stream import ChatStream
from .sync import SyncStream, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from ..providers import Call, Compatible
    from ..schemas import ChatCompletion
    from ..strategies import Strategy
    from .deployment import Deployment


class Router(Operations):
    """Spreads calls over deployments, retries, falls back, and keeps the caller's deadline.

    Args:
        model_list: one dictionary per deployment: `model_name` (the alias), `litellm_params` or
            `params` (model, key, address, defaults), `model_info` (id, prices).
        routing_strategy: a name of `polyroute.strategies.STRATEGIES`, or an object with `pick`.
        num_retries: further attempts inside a group; 0 is exactly one attempt.
        timeout: seconds for a whole answer, or up to a stream's first content.
        stream_idle_timeout: seconds between two pieces of a stream.
        fallbacks: ``[{"smart": ["backup", "cheap"]}]``; `"*"` stands for every alias.
        max_fallbacks: groups asked after the first, at most.
        fallback_on_bad_request: also fall back when the request itself was refused.
        allowed_fails: failures in a row that a deployment may have before it rests.
        cooldown_time: seconds of its first rest.
        disable_cooldowns: never let a deployment rest.
        max_body_bytes: a larger answer is refused with a typed error.
        max_connections: per event loop.
        verify: False turns certificate checks off; a path names the certificate authority.
        providers: rows for private OpenAI-compatible endpoints, by prefix.
        clock: monotonic seconds.
        rng: the source of all chance.

    Raises:
        ConfigurationError: names everything that is wrong and where.
    """

    def __init__(
        self,
        model_list: Iterable[Mapping[str, Any]] = (),
        *,
        routing_strategy: str | Strategy = "simple-shuffle",
        num_retries: int = 2,
        timeout: float = 600.0,
        stream_idle_timeout: float = 120.0,
        fallbacks: Sequence[Mapping[str, Sequence[str]]] | None = None,
        max_fallbacks: int = 5,
        fallback_on_bad_request: bool = False,
        allowed_fails: int = 4,
        cooldown_time: float = 5.0,
        disable_cooldowns: bool = False,
        max_body_bytes: int = 64 * 2**20,
        max_connections: int = 1000,
        verify: bool | str = True,
        providers: Mapping[str, Compatible] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        # pydantic and aiohttp are most of an import: they are loaded when a Router is made
        from .config import check_settings, fallback_chains  # noqa: PLC0415
        from .transport import Transport  # noqa: PLC0415

        check_settings(locals())
        self._rng = rng or random.Random()
        self._strategy = _strategy(routing_strategy)
        self._providers = dict(providers or {})
        self._health = HealthPolicy(
            allowed_fails=allowed_fails, cooldown_time=cooldown_time, disabled=disable_cooldowns
        )
        self._groups: dict[str, Group] = {}
        self._deployments: dict[str, Deployment] = {}
        self._engine = Engine(
            Transport(
                max_body_bytes=max_body_bytes, max_connections=max_connections, verify=verify
            ),
            clock,
            self._rng,
            self._find,
            num_retries=num_retries,
            timeout=timeout,
            stream_idle_timeout=stream_idle_timeout,
            max_fallbacks=max_fallbacks,
            fallback_on_bad_request=fallback_on_bad_request,
        )
        self._add_all(model_list)
        self._engine.fallbacks = fallback_chains(fallbacks, self.aliases)

    @property
    def aliases(self) -> list[str]:
        """The names that can be called."""
        return [name for name, group in self._groups.items() if not group.hidden]

    @overload
    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: Literal[False] = False, **params: Any
    ) -> ChatCompletion: ...

    @overload
    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
    ) -> ChatStream: ...

    @overload
    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: bool, **params: Any
    ) -> ChatCompletion | ChatStream: ...

    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: bool = False, **params: Any
    ) -> ChatCompletion | ChatStream:
        """Answer a chat, whole or as a stream.

        Args:
            model: an alias of this Router, or the id of a deployment.
            messages: OpenAI-shaped messages; message objects of earlier answers go as they are.
            stream: True returns a :class:`ChatStream` once the first content is there.
            params: parameters of the model (`temperature`, `tools`, …), a provider's own
                parameters, and the options of :class:`Options` (`timeout`, `num_retries`,
                `fallbacks`, …).

        Raises:
            APIError: nobody could answer; the class says why, `route` what was tried.
        """
        answer: ChatCompletion | ChatStream = await self._operate(
            model, chat(messages, stream=stream, ask_usage=True), params
        )
        return answer

    @overload
    def completion(
        self, model: str, messages: Iterable[Any], *, stream: Literal[False] = False, **params: Any
    ) -> ChatCompletion: ...

    @overload
    def completion(
        self, model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
    ) -> SyncStream: ...

    @overload
    def completion(
        self, model: str, messages: Iterable[Any], *, stream: bool, **params: Any
    ) -> ChatCompletion | SyncStream: ...

    def completion(
        self, model: str, messages: Iterable[Any], *, stream: bool = False, **params: Any
    ) -> ChatCompletion | SyncStream:
        """The synchronous twin of :meth:`acompletion`; a stream is an ordinary iterator."""
        answer = run(self.acompletion(model, messages, stream=stream, **params))
        return SyncStream(answer) if isinstance(answer, ChatStream) else answer

    def add_deployment(self, entry: Mapping[str, Any]) -> str:
        """Take in one more deployment, as in `model_list`; returns its id.

        Raises:
            ConfigurationError: the entry is wrong, or its id is taken.
        """
        deployment = self._make(entry)
        for group in deployment.groups:
            group.refresh()
        return deployment.id

    def remove_deployment(self, id: str) -> None:
        """Choose a deployment no more; attempts that run on it end as they would have.

        Raises:
            ConfigurationError: there is no such deployment.
        """
        deployment = self._deployments.pop(id, None)
        if deployment is None:
            raise ConfigurationError(
                f"no deployment {id!r}; there are: {', '.join(self._deployments) or 'none'}"
            )
        for group in list(deployment.groups):
            group.remove(deployment)
            if not group.deployments:
                del self._groups[group.name]

    def stats(self) -> list[dict[str, Any]]:
        """The state of every deployment: circuit, attempts in flight, counts, latency, cost."""
        return [deployment.stats() for deployment in self._deployments.values()]

    async def aclose(self) -> None:
        """Close every connection. The Router opens new ones if it is used again."""
        await self._engine.transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _operate(self, model: str, call: Call, keywords: Mapping[str, Any]) -> Awaitable[Any]:
        if keywords and (misplaced := TARGET & keywords.keys()):
            raise BadRequestError(
                f"{', '.join(sorted(misplaced))} belongs to a deployment of the Router "
                "(litellm_params), not to a call",
                model=model,
            )
        options = split(call, keywords)
        answer = self._engine.answer(call, self._find(model), options)
        if options.verbose or options.logger_fn:
            return told(answer, model, call, options)
        return answer

    def __repr__(self) -> str:
        return f"Router({len(self._deployments)} deployments, aliases={self.aliases})"

    def _make(self, entry: Mapping[str, Any]) -> Deployment:
        """A deployment from its entry, in its groups; they are to be refreshed."""
        from .config import deployment_config  # noqa: PLC0415  see `__init__`

        config = deployment_config(entry, "deployment")
        try:
            deployment = make_deployment(
                config, Circuit(self._health, self._engine.clock, self._rng), self._providers
            )
        except BadRequestError as error:
            raise ConfigurationError(f"deployment.params.model: {error.message}") from None
        named = config.model_info.id is not None
        self._check_names(deployment, named=named)
        if not named:
            deployment.id = self._free_id(deployment.id)
        self._deployments[deployment.id] = deployment
        self._group(deployment.model_name).add(deployment)
        if deployment.id != deployment.model_name:
            self._group(deployment.id, hidden=True).add(deployment)
        return deployment

    def _check_names(self, deployment: Deployment, *, named: bool) -> None:
        """An id and another alias that are equal would mean two things."""
        alias = self._groups.get(deployment.model_name)
        if alias is not None and alias.hidden:
            raise ConfigurationError(
                f"the alias {deployment.model_name!r} is the id of another deployment; rename one"
            )
        taken = named and deployment.id in self._groups and deployment.id != deployment.model_name
        if taken or (named and deployment.id in self._deployments):
            raise ConfigurationError(f"the id {deployment.id!r} is taken; ids must be unique")

    def _add_all(self, model_list: Iterable[Mapping[str, Any]]) -> None:
        """Add a whole list, and report all that is wrong with it at once."""
        problems = []
        for position, entry in enumerate(model_list):
            try:
                self._make(entry)
            except ConfigurationError as error:
                place = f"model_list[{position}]"
                problems += [
                    place + line.removeprefix("deployment") if line.startswith("deployment")
                    else f"{place}: {line}"
                    for line in str(error).splitlines()
                ]  # fmt: skip
        for group in self._groups.values():
            group.refresh()
        if problems:
            raise ConfigurationError("\n".join(problems))

    def _find(self, alias: str) -> Group:
        """The group of an alias or deployment id.

        Raises:
            NotFoundError: there is none; lists the aliases.
        """
        if not isinstance(alias, str):
            raise BadRequestError(
                f"model must be an alias of the Router, not {alias!r:.60}", param="model"
            )
        group = self._groups.get(alias)
        if group is None:
            raise NotFoundError(
                f"the Router was asked for {alias!r}, {unknown_alias(alias, self.aliases)}",
                model=alias,
            )
        return group

    def _group(self, name: str, *, hidden: bool = False) -> Group:
        group = self._groups.get(name)
        if group is None:
            group = Group(name, self._strategy(self._rng), hidden)
            self._groups[name] = group
        return group

    def _free_id(self, wanted: str) -> str:
        """The id, or with a number behind it if it is taken."""
        number, id = 1, wanted
        while id in self._groups:
            number += 1
            id = f"{wanted}-{number}"
        return id


def _strategy(chosen: str | Strategy) -> Callable[[random.Random], Strategy]:
    """What makes a strategy for each group."""
    if isinstance(chosen, str):
        if chosen not in STRATEGIES:
            raise ConfigurationError(
                f"routing_strategy {chosen!r} is unknown; there are {', '.join(sorted(STRATEGIES))}"
            )
        return STRATEGIES[chosen]
    if not callable(getattr(chosen, "pick", None)):
        raise ConfigurationError(
            f"routing_strategy must be a name or an object with pick(candidates, request), "
            f"not {chosen!r:.60}"
        )
    return lambda _rng: chosen
