"""The Router: what a service embeds."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from ..exceptions import BadRequestError, ConfigurationError
from ..providers.messages import chat
from .batch import Batches
from .engine import Engine
from .observe import told
from .operations import Operations
from .options import NO_OPTIONS, TARGET, split
from .prompts import PROMPT_OPTIONS, fill
from .stream import ChatStream
from .sync import SyncStream, run

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from ..providers import Call, Compatible
    from ..schemas import ChatCompletion
    from ..strategies import Strategy
    from .policies import OnStreamBreak
    from .prompts import PromptStore


class Router(Operations, Batches):
    """Spreads calls over deployments, retries, falls back, and keeps the caller's deadline.

    Args:
        model_list: one dictionary per deployment: `model_name` (the alias), `litellm_params` or
            `params` (model, key, address, defaults), `model_info` (id, prices).
        routing_strategy: a name of `polyroute.strategies.STRATEGIES`, or an object with `pick`.
        num_retries: further attempts inside a group; 0 is exactly one attempt.
        retry_policy: the same by exception: ``{"Timeout": 0, "RateLimitError": 5}``.
        model_group_retry_policy: the same by alias: ``{"smart": {"Timeout": 0}}``.
        timeout: seconds for a whole answer, or up to a stream's first content.
        stream_timeout: seconds to a stream's first content for one attempt.
        stream_idle_timeout: seconds between two pieces of a stream.
        soft_timeout: seconds to a stream's first content after which an attempt is left, if
            somebody else is predicted to be faster.
        min_tokens_per_second: a stream that is slower for ten seconds has broken off; 0: none is.
        on_stream_break: ``"raise"`` or ``"resume"``, see `docs/streaming.md`.
        hedge: make a second attempt beside one that takes unusually long.
        fallbacks: ``[{"smart": ["backup", "cheap"]}]``; `"*"` stands for every alias.
        context_window_fallbacks: the same, when the prompt was too long.
        content_policy_fallbacks: the same, when the content was refused.
        default_fallbacks: for aliases that have none of their own.
        max_fallbacks: groups asked after the first, at most.
        fallback_on_bad_request: also fall back when the request itself was refused.
        model_group_alias: ``{"gpt-4": "smart"}``: other names of aliases;
            ``{"model": "smart", "hidden": True}`` is not listed.
        enable_tag_filtering: whether a call's tags decide who may answer; None: in groups where a
            deployment has tags.
        tag_filtering_match_any: one of the call's tags is enough; else a deployment needs all.
        allowed_model_region: where calls may be answered, unless they say otherwise.
        default_max_parallel_requests: attempts at once on a deployment that says nothing itself.
        default_priority: of calls that say nothing; lower goes first when slots are taken.
        allowed_fails: failures in a row that a deployment may have before it rests.
        allowed_fails_policy: the same by exception: ``{"RateLimitError": 100}``.
        cooldown_time: seconds of its first rest.
        disable_cooldowns: never let a deployment rest.
        max_body_bytes: a larger answer is refused with a typed error.
        max_connections: per event loop.
        verify: False turns certificate checks off; a path names the certificate authority.
        providers: rows for private OpenAI-compatible endpoints, by prefix.
        prompts: where the prompts are that calls name by `prompt_id`.
        decision_log: is called with a line of JSON for each decision, see `docs/observability.md`.
        clock: monotonic seconds.
        rng: the source of all chance.

    Raises:
        ConfigurationError: names everything that is wrong and where.
    """

    def __init__(
        self,
        model_list: Iterable[Mapping[str, Any]] = (),
        *,
        routing_strategy: str | Strategy = "adaptive",
        num_retries: int = 2,
        retry_policy: Mapping[str, int] | None = None,
        model_group_retry_policy: Mapping[str, Mapping[str, int]] | None = None,
        timeout: float = 600.0,
        stream_timeout: float | None = None,
        stream_idle_timeout: float = 120.0,
        soft_timeout: float = 15.0,
        min_tokens_per_second: float = 0.0,
        on_stream_break: OnStreamBreak = "raise",
        hedge: bool = False,
        fallbacks: Sequence[Mapping[str, Sequence[str]]] | None = None,
        context_window_fallbacks: Sequence[Mapping[str, Sequence[str]]] | None = None,
        content_policy_fallbacks: Sequence[Mapping[str, Sequence[str]]] | None = None,
        default_fallbacks: Sequence[str] | None = None,
        max_fallbacks: int = 5,
        fallback_on_bad_request: bool = False,
        model_group_alias: Mapping[str, str | Mapping[str, Any]] | None = None,
        enable_tag_filtering: bool | None = None,
        tag_filtering_match_any: bool = True,
        allowed_model_region: str | Sequence[str] | None = None,
        default_max_parallel_requests: int | None = None,
        default_priority: int = 0,
        allowed_fails: int = 4,
        allowed_fails_policy: Mapping[str, int] | None = None,
        cooldown_time: float = 5.0,
        disable_cooldowns: bool = False,
        max_body_bytes: int = 64 * 2**20,
        max_connections: int = 1000,
        verify: bool | str = True,
        providers: Mapping[str, Compatible] | None = None,
        prompts: PromptStore | None = None,
        decision_log: Callable[[str], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        # pydantic and aiohttp are most of an import: they are loaded when a Router is made
        from .settings import Blueprint, fill  # noqa: PLC0415

        blueprint = self._blueprint = Blueprint(locals())
        self._prompts = prompts
        self._aliases = blueprint.aliases()
        self._core = blueprint.core(self._aliases)
        self._engine = Engine(self._core, blueprint.transport())
        fill(self._aliases, model_list)
        self._aliases.rename(model_group_alias or {})
        blueprint.set_fallbacks(self._core.policies, self._aliases)

    @property
    def aliases(self) -> list[str]:
        """The names that can be called."""
        return list(self._aliases)

    @overload
    async def acompletion(
        self,
        model: str,
        messages: Iterable[Any],
        *,
        stream: Literal[False] | None = False,
        **params: Any,
    ) -> ChatCompletion: ...

    @overload
    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
    ) -> ChatStream: ...

    @overload
    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: bool | None, **params: Any
    ) -> ChatCompletion | ChatStream: ...

    async def acompletion(
        self, model: str, messages: Iterable[Any], *, stream: bool | None = False, **params: Any
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
        if not PROMPT_OPTIONS.isdisjoint(params):
            model, messages, params = await fill(self._prompts, model, messages, params)
        answer: ChatCompletion | ChatStream = await self._operate(
            model, chat(messages, stream=bool(stream), ask_usage=True), params
        )
        return answer

    @overload
    def completion(
        self,
        model: str,
        messages: Iterable[Any],
        *,
        stream: Literal[False] | None = False,
        **params: Any,
    ) -> ChatCompletion: ...

    @overload
    def completion(
        self, model: str, messages: Iterable[Any], *, stream: Literal[True], **params: Any
    ) -> SyncStream: ...

    @overload
    def completion(
        self, model: str, messages: Iterable[Any], *, stream: bool | None, **params: Any
    ) -> ChatCompletion | SyncStream: ...

    def completion(
        self, model: str, messages: Iterable[Any], *, stream: bool | None = False, **params: Any
    ) -> ChatCompletion | SyncStream:
        """The synchronous twin of :meth:`acompletion`; a stream is an ordinary iterator."""
        answer = run(self.acompletion(model, messages, stream=stream, **params))
        return SyncStream(answer) if isinstance(answer, ChatStream) else answer

    def add_deployment(self, entry: Mapping[str, Any]) -> str:
        """Take in one more deployment, as in `model_list`; returns its id.

        Raises:
            ConfigurationError: the entry is wrong, or its id is taken.
        """
        from .settings import add  # noqa: PLC0415  see `__init__`

        id = add(self._aliases, entry)
        for group in self._aliases.refresh(id):
            self._core.serve(group)
        return id

    def remove_deployment(self, id: str) -> None:
        """Choose a deployment no more; attempts that run on it end as they would have.

        Raises:
            ConfigurationError: there is no such deployment.
        """
        for group in self._aliases.remove(id):
            self._core.serve(group)

    def set_model_list(self, model_list: Iterable[Mapping[str, Any]]) -> None:
        """Replace all deployments, under load if need be.

        Those whose entry has not changed keep their state; new ones are asked from now on, and
        attempts that run on the others end as they would have.

        Raises:
            ConfigurationError: names everything that is wrong; nothing has changed then.
        """
        from .settings import fill  # noqa: PLC0415  see `__init__`

        trial = self._blueprint.aliases()
        fill(trial, model_list)
        gone = self._aliases.replace(trial.configs)
        for group in (*gone, *self._aliases.refresh()):
            self._core.serve(group)

    def set_weight(self, id: str, weight: float) -> None:
        """Change how much of the traffic a deployment is meant to take, relative to its siblings.

        Raises:
            ConfigurationError: there is no such deployment, or the weight is negative.
        """
        deployment = self._aliases.deployments.get(id)
        if deployment is None:
            raise ConfigurationError(f"no deployment {id!r}; there are: {', '.join(self.ids)}")
        if not (isinstance(weight, int | float) and 0 <= weight < inf):
            raise ConfigurationError(f"weight must be 0 or more, not {weight!r:.60}")
        deployment.weight = float(weight)
        for group in deployment.groups:
            group.refresh()  # strategies forget what they made of the old weight
            self._core.serve(group)

    @property
    def ids(self) -> list[str]:
        """The ids of the deployments."""
        return list(self._aliases.deployments)

    def stats(self) -> list[dict[str, Any]]:
        """The state of every deployment: circuit, attempts in flight, counts, latency, cost."""
        return [deployment.stats() for deployment in self._aliases.deployments.values()]

    def costs(self) -> dict[str, Any]:
        """US dollars so far: `total`, and sums by `deployments` (ids) and `aliases`.

        Attempts whose price or usage is unknown add nothing; removed deployments are left out.
        """
        deployments = self._aliases.deployments
        aliases = dict.fromkeys((each.model_name for each in deployments.values()), 0.0)
        for each in deployments.values():
            aliases[each.model_name] += each.cost
        return {
            "total": sum(aliases.values()),
            "deployments": {id: each.cost for id, each in deployments.items()},
            "aliases": aliases,
        }

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
        options = split(call, keywords) if keywords else NO_OPTIONS
        find = self._aliases.specific if options.specific_deployment else self._aliases.find
        answer = self._engine.answer(call, find(model), options)
        if options.verbose or options.logger_fn:
            return told(answer, model, call, options)
        return answer

    def __repr__(self) -> str:
        return f"Router({len(self._aliases.deployments)} deployments, aliases={self.aliases})"
