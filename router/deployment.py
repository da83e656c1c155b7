"""One model at one provider with one key, and what the Router knows of it at this moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..models import prices_of
from ..providers import Target, adapter, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..models import Prices
    from ..providers import Adapter, Compatible, Operation
    from ..schemas import Usage
    from .config import DeploymentConfig
    from .groups import Group
    from .health import Circuit

SETTINGS = frozenset(
    {"base_model", "client_id", "client_secret", "organization", "project", "tenant_id"}
)
"""Fields of a deployment's parameters that tell how to reach it, not how to call it."""

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
    params: Mapping[str, Any] = field(default_factory=dict)
    drop_params: bool = False
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    model_info: Mapping[str, Any] = field(default_factory=dict)
    providers: Mapping[str, Compatible] = field(default_factory=dict, repr=False)
    num_retries: int | None = None
    lasting: bool = True
    groups: list[Group] = field(default_factory=list, repr=False)
    in_flight: int = 0
    latency: float | None = None
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
        return None if prices is None else prices.cost(usage)

    def observe(self, latency: float) -> None:
        """Take one answer's seconds into the smoothed latency."""
        known = self.latency
        self.latency = latency if known is None else known + SMOOTHING * (latency - known)

    def stats(self) -> dict[str, Any]:
        """What there is to see, without secrets."""
        return {
            "id": self.id,
            "model_name": self.model_name,
            "provider": self.target.provider,
            "model": self.target.model,
            "state": self.circuit.state,
            "in_flight": self.in_flight,
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
        id=info.id or _stable_id(config),
        model_name=config.model_name,
        target=target,
        circuit=circuit,
        weight=params.weight,
        timeout=params.timeout,
        params={name: value for name, value in extra.items() if value is not None},
        drop_params=params.drop_params,
        num_retries=params.num_retries,
        extra_body=params.extra_body,
        model_info=info.model_dump(exclude_none=True, exclude={"id", "base_model"}),
        providers=providers,
    )


def _stable_id(config: DeploymentConfig) -> str:
    """An id that is the same in every process with the same configuration; tells no secret."""
    digest = hashlib.sha256(f"{config.model_name}\0{config.params.model_dump()}".encode())
    return f"{config.params.model}-{digest.hexdigest()[:8]}"
