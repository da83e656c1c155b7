"""
From a Router's settings to its parts: policies, health, rules, strategies, connections.

    Router(...) ─▶ check_settings ─▶ RouterSettings ─▶ Blueprint ─▶ groups, deployments
                       config                                   ─▶ core, transport
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ..exceptions import BadRequestError, ConfigurationError
from ..strategies import STRATEGIES
from .aliases import Aliases
from .config import check_settings, deployment_config, fallback_chains, known_aliases
from .decisions import Core
from .deployment import make_deployment
from .groups import Group
from .health import Circuit, HealthPolicy
from .options import as_names
from .policies import Policies
from .record import Record, RecordedCore
from .rules import Rules
from .transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..providers import Compatible
    from ..strategies import Strategy
    from .config import DeploymentConfig, RouterSettings
    from .deployment import Deployment


class Blueprint:
    """What a Router is made of, as its settings say.

    Args:
        given: the arguments of :class:`~polyroute.Router`, by name.

    Raises:
        ConfigurationError: names each setting that is wrong.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        settings = check_settings(given)
        self.settings: RouterSettings = settings
        self.providers: dict[str, Compatible] = dict(settings.providers or {})
        self.rng: random.Random = settings.rng or random.Random()
        self.clock: Callable[[], float] = settings.clock
        self.record: Record | None = None
        if settings.decision_log is not None:
            self.record = Record(settings.decision_log, settings.clock, self.rng)
            self.clock = self.record.clock
        self._strategy = _strategy(settings.routing_strategy)
        self._health = HealthPolicy(
            allowed_fails=settings.allowed_fails,
            cooldown_time=settings.cooldown_time,
            disabled=settings.disable_cooldowns,
            by_error=settings.allowed_fails_policy,
        )
        self._rules = Rules(
            settings.enable_tag_filtering,
            settings.tag_filtering_match_any,
            as_names(settings.allowed_model_region),
        )

    def group(self, name: str, hidden: bool) -> Group:
        """A group without deployments, with a strategy object of its own."""
        return Group(name, self._strategy(self.rng), hidden, rules=self._rules)

    def deployment(self, config: DeploymentConfig) -> Deployment:
        """A deployment from its checked configuration.

        Raises:
            BadRequestError: its model names no provider.
        """
        circuit = Circuit(self._health, self.clock, self.rng)
        deployment = make_deployment(config, circuit, self.providers)
        if deployment.most_in_flight is None:
            deployment.most_in_flight = self.settings.default_max_parallel_requests
        return deployment

    def aliases(self) -> Aliases:
        """No alias yet."""
        return Aliases(self.group, self.deployment, self.providers)

    def core(self, aliases: Aliases) -> Core:
        """The decision core; its fallbacks wait for the aliases that they name."""
        policies = _policies(self.settings)
        if self.record is not None:
            return RecordedCore(self.record, self.rng, aliases.find, policies)
        return Core(self.clock, self.rng, aliases.find, policies)

    def transport(self) -> Transport:
        """The connections; none is open yet."""
        return Transport(
            max_body_bytes=self.settings.max_body_bytes,
            max_connections=self.settings.max_connections,
            verify=self.settings.verify,
        )

    def set_fallbacks(self, policies: Policies, aliases: Aliases) -> None:
        """Take in the chains of aliases, now that the aliases are there.

        Raises:
            ConfigurationError: a chain has another shape, or names an alias that is not there.
        """
        for name in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks"):
            given = getattr(self.settings, name)
            setattr(policies, name, fallback_chains(given, aliases, name, aliases.plain))
        default = self.settings.default_fallbacks or ()
        policies.default_fallbacks = known_aliases(default, aliases, "default_fallbacks")


def add(aliases: Aliases, entry: Mapping[str, Any]) -> str:
    """Take in one entry of `model_list`, and return its id; its groups are to be refreshed.

    Raises:
        ConfigurationError: the entry is wrong, or its id is taken.
    """
    try:
        return aliases.add(deployment_config(entry, "deployment"))
    except BadRequestError as error:
        raise ConfigurationError(f"deployment.params.model: {error.message}") from None


def fill(aliases: Aliases, model_list: Iterable[Mapping[str, Any]]) -> None:
    """Take in a whole `model_list`.

    Raises:
        ConfigurationError: names everything that is wrong with it.
    """
    problems = []
    for position, entry in enumerate(model_list):
        try:
            add(aliases, entry)
        except ConfigurationError as error:
            place = f"model_list[{position}]"
            problems += [
                place + line.removeprefix("deployment") if line.startswith("deployment")
                else f"{place}: {line}"
                for line in str(error).splitlines()
            ]  # fmt: skip
    aliases.refresh()
    if problems:
        raise ConfigurationError("\n".join(problems))


def _policies(settings: RouterSettings) -> Policies:
    """What is done about failures, still without fallbacks."""
    return Policies(
        num_retries=settings.num_retries,
        retry_policy=settings.retry_policy,
        group_retry_policy=settings.model_group_retry_policy,
        timeout=settings.timeout,
        stream_timeout=settings.stream_timeout,
        stream_idle_timeout=settings.stream_idle_timeout,
        soft_timeout=settings.soft_timeout,
        min_tokens_per_second=settings.min_tokens_per_second,
        on_stream_break=settings.on_stream_break,
        hedge=settings.hedge,
        max_fallbacks=settings.max_fallbacks,
        fallback_on_bad_request=settings.fallback_on_bad_request,
        default_priority=settings.default_priority,
    )


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
