"""One model at one provider with one key, and what the Router knows of it at this moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from ..models import answer_cost, prices_of
from ..models.prices import is_reporting, reported_cost
from ..providers import Target, adapter, resolve
from .pace import Failing, Pace
from .quota import LIMITS, Quota

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models import Prices
    from ..providers import Adapter, Call, Compatible, Operation
    from ..providers.caching import Caching
    from ..schemas import Usage
    from ..strategies import Demand
    from .config import DeploymentConfig, DeploymentParams
    from .facts import Facts
    from .groups import Group
    from .health import Circuit
    from .quota import Need

SETTINGS = frozenset(
    {"base_model", "client_id", "client_secret", "organization", "project", "tenant_id"}
)
"""Fields of a deployment's parameters that tell how to reach it, not how to call it."""

REGIONS = ("aws_region_name", "vertex_location")
"""Settings that say where a deployment is, if `region_name` does not."""

SMOOTHING = 0.2
"""Weight of the newest observation in the smoothed times."""


@dataclass(slots=True, eq=False)
class Deployment:
    """Configuration that never changes, the circuit, and a few running numbers.

    Strategies read it as a :class:`~polyroute.strategies.Candidate`; leases keep its books.
    """

    id: str
    model_name: str
    target: Target
    circuit: Circuit
    weight: float = 1.0
    timeout: float | None = None
    stream_timeout: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    drop_params: bool = False
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    model_info: Mapping[str, Any] = field(default_factory=dict)
    providers: Mapping[str, Compatible] = field(default_factory=dict, repr=False)
    num_retries: int | None = None
    caching: Caching | None = None
    order: float = inf
    tags: frozenset[str] = frozenset()
    region: str | None = None
    facts: Facts | None = field(default=None, repr=False)
    lasting: bool = True
    groups: list[Group] = field(default_factory=list, repr=False)
    in_flight: int = 0
    most_in_flight: int | None = None
    quota: Quota | None = field(default=None, repr=False)
    latency: float | None = None
    paces: dict[str, Pace] = field(default_factory=dict, repr=False)
    failing: Failing = field(default_factory=Failing, repr=False)
    calls: int = 0
    successes: int = 0
    failures: int = 0
    cost: float = 0.0
    _adapters: dict[Operation, Adapter] = field(default_factory=dict, repr=False)
    _prices: Prices | None = field(default=None, repr=False)
    _priced: bool = field(default=False, repr=False)

    def adapter(self, operation: Operation = "chat") -> Any:
        """The translator, made at first use; one that is not lasting reads the environment anew.

        Raises:
            AuthenticationError: a key is needed and there is none.
            BadRequestError: an address is needed and there is none.
            UnsupportedParamsError: the provider does not do that.
        """
        made = self._adapters.get(operation)
        if made is None:
            made = adapter(self.target, self.providers, operation)
            if self.lasting:
                self._adapters[operation] = made
        return made

    @property
    def prices(self) -> Prices | None:
        """What its tokens cost, as configured or else as the catalogue says; looked up once."""
        if not self._priced:
            model = self.target.settings.get("base_model") or self.target.model
            tier = self.params.get("service_tier")
            self._prices = prices_of(
                model, self.target.provider, self.model_info, service_tier=tier
            )
            self._priced = True
        return self._prices

    @property
    def price(self) -> float | None:
        """US dollars per token, three parts input to one part output."""
        prices = self.prices
        return None if prices is None else prices.blended

    def price_of(self, usage: Usage | None) -> float | None:
        """US dollars for these tokens, None where prices or tokens are unknown."""
        if usage is None:
            return None
        prices = self._prices if self._priced else self.prices
        if prices is None:
            return reported_cost(usage) if is_reporting(self.target.provider) else None
        return prices.cost(usage)

    def price_answer(self, answer: Any, call: Call) -> float | None:
        """US dollars for an answer to anything but chat: images and rankings have no tokens."""
        return answer_cost(
            answer,
            self.target.settings.get("base_model") or self.target.model,
            self.target.provider,
            operation=call.operation,
            given=self.model_info,
            asked={**self.params, **call.params},
        )

    def pace(self, kind: str) -> Pace:
        """How fast it has been at this kind of call."""
        pace = self.paces.get(kind)
        if pace is None:
            pace = self.paces[kind] = Pace()
        return pace

    def observe(self, latency: float) -> None:
        """Take one answer's seconds into the smoothed latency."""
        known = self.latency
        self.latency = latency if known is None else known + SMOOTHING * (latency - known)

    @property
    def has_slot(self) -> bool:
        """Whether one more attempt may run on it (`max_parallel_requests`)."""
        return self.most_in_flight is None or self.in_flight < self.most_in_flight

    def burden(self, kind: str) -> float:
        """The power of (in flight + 1) by which its own load slows this kind of call."""
        return self.pace(kind).burden.exponent

    def slowdown(self, kind: str) -> float:
        """How many times as long as usual one more attempt will take, because of its load."""
        return self.pace(kind).burden.slowdown(self.in_flight, self.weight)

    def hindrance(self, now: float) -> float:
        """1, and more the more of its recent attempts failed, or just after a rest."""
        ramp = self.circuit.policy.ramp
        since = now - self.circuit.back_at
        if since >= ramp and not self.failing.share:
            return 1.0
        factor = 1 + 4 * self.failing.now(now)
        return factor if since >= ramp else factor * (1 + 3 * (1 - since / ramp))

    def headroom(self, request: Demand) -> float:
        """Share of its quota that would be left after the request; 1 without a quota."""
        return 1.0 if self.quota is None else self.quota.headroom(request, request.now)

    def price_for(self, request: Demand) -> float | None:
        """US dollars that the request will probably cost; None if unknown."""
        prices = self.prices
        if prices is None:
            return None
        return prices.input * request.input_tokens + prices.output * request.output_tokens

    def ramped(self, now: float) -> bool:
        """Whether it may take one more attempt so soon after a rest."""
        since = now - self.circuit.back_at
        return since >= self.circuit.policy.ramp or self.in_flight < 4 + 4 * since**1.5

    def within_limits(self, need: Need, now: float) -> bool:
        """Whether a slot and the quota for one more attempt are there, now."""
        return self.has_slot and (self.quota is None or self.quota.wait(need, now) <= 0)

    def has_room(self, need: Need, now: float) -> bool:
        """The same, and it is not so soon after a rest that others should go first."""
        return self.within_limits(need, now) and self.ramped(now)

    def stats(self) -> dict[str, Any]:
        """What there is to see, without secrets."""
        return {
            "id": self.id,
            "model_name": self.model_name,
            "provider": self.target.provider,
            "model": self.target.model,
            "state": self.circuit.state,
            "in_flight": self.in_flight,
            "resting_for": max(0.0, self.circuit.until - self.circuit.clock())
            if self.circuit.state == "open"
            else 0.0,
            "calls": self.calls,
            "successes": self.successes,
            "failures": self.failures,
            "latency": self.latency,
            "cost": self.cost,
        }


def make_deployment(
    config: DeploymentConfig,
    circuit: Circuit,
    providers: Mapping[str, Compatible],
) -> Deployment:
    """A deployment from its checked configuration.

    Raises:
        BadRequestError: its model names no provider.
    """
    params, info = config.params, config.model_info
    provider, model = resolve(
        params.model
        if params.custom_llm_provider is None
        else f"{params.custom_llm_provider}/{params.model}",
        has_base=params.api_base is not None,
        providers=providers,
    )
    extra = dict(params.model_extra or {})
    settings = {
        name: extra.pop(name)
        for name in list(extra)
        if name in SETTINGS or name.startswith(("aws_", "azure_", "vertex_"))
    }
    if info.base_model is not None:
        settings.setdefault("base_model", info.base_model)
    target = Target(
        provider=provider,
        model=model,
        api_key=params.api_key,
        api_base=params.api_base,
        api_version=params.api_version,
        headers=params.extra_headers,
        settings=settings,
    )
    return Deployment(
        id=info.id or stable_id(config),
        model_name=config.model_name,
        target=target,
        circuit=circuit,
        weight=params.weight,
        timeout=params.timeout,
        stream_timeout=params.stream_timeout,
        most_in_flight=params.max_parallel_requests,
        quota=_quota(params, circuit),
        params={name: value for name, value in extra.items() if value is not None},
        drop_params=params.drop_params,
        num_retries=params.num_retries,
        caching=params.cache_control_injection_points
        or ("explicit" if info.caching == "explicit" else None),
        order=inf if params.order is None else params.order,
        tags=frozenset(params.tags),
        region=params.region_name or next(filter(None, map(settings.get, REGIONS)), None),
        extra_body=params.extra_body,
        model_info=info.model_dump(exclude_none=True, exclude={"id", "base_model", "caching"}),
        providers=providers,
    )


def stable_id(config: DeploymentConfig) -> str:
    """An id that is the same in every process with the same configuration; tells no secret."""
    digest = hashlib.sha256(f"{config.model_name}\0{config.params.model_dump()}".encode())
    return f"{config.params.model}-{digest.hexdigest()[:8]}"


def _quota(params: DeploymentParams, circuit: Circuit) -> Quota | None:
    """The limits that the parameters set; None if they set none."""
    limits = {name: limit for name in LIMITS if (limit := getattr(params, name)) is not None}
    return Quota(limits, circuit.clock()) if limits else None
