"""
What people write, checked: `model_list`, `fallbacks` and the rest of a Router's settings.

pydantic validates here and nowhere else; what it finds becomes one ConfigurationError that
names every place and never repeats a value, which may be a secret.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from ..exceptions import ConfigurationError
from .groups import unknown_alias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_ENFORCED = frozenset(
    {
        "budget_duration",
        "max_budget",
        "max_parallel_requests",
        "order",
        "region_name",
        "rpd",
        "rpm",
        "stream_timeout",
        "tags",
        "tpd",
        "tpm",
    }
)
"""LiteLLM's settings that this version does not keep, and therefore refuses."""


def _from_environment(value: Any) -> Any:
    """LiteLLM's notation for a secret kept elsewhere: ``os.environ/NAME``."""
    if isinstance(value, str) and value.startswith("os.environ/"):
        name = value.removeprefix("os.environ/")
        if name not in os.environ:
            raise ValueError(f"the environment variable {name} is not set")
        return os.environ[name]
    return value


Text = Annotated[str, BeforeValidator(_from_environment)]


class DeploymentParams(BaseModel):
    """`litellm_params` (or `params`): which model, how to reach it, and defaults for its calls.

    Fields beyond these are the provider's settings or default parameters of every call.
    """

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())
    __pydantic_extra__: dict[str, Annotated[Any, BeforeValidator(_from_environment)]]

    model: Text = Field(min_length=1)
    api_key: Text | None = Field(default=None, repr=False)
    api_base: Text | None = Field(
        default=None, validation_alias=AliasChoices("api_base", "base_url")
    )
    api_version: Text | None = None
    custom_llm_provider: str | None = None
    timeout: float | None = Field(default=None, gt=0)
    weight: float = Field(default=1.0, ge=0)
    num_retries: int | None = Field(
        default=None, ge=0, validation_alias=AliasChoices("num_retries", "max_retries")
    )
    drop_params: bool = False
    extra_headers: dict[str, Text] = Field(default_factory=dict, repr=False)
    extra_body: dict[str, Any] = Field(default_factory=dict)

    @field_validator("*", mode="before")
    @classmethod
    def _extras_from_environment(cls, value: Any) -> Any:
        return _from_environment(value)

    def model_post_init(self, _context: Any) -> None:
        """Refuse limits that nobody would keep."""
        limits = NOT_ENFORCED & set(self.model_extra or {})
        if limits:
            raise ValueError(f"{', '.join(sorted(limits))}: not enforced by this version")


class ModelInfo(BaseModel):
    """`model_info`: what is known of a deployment beside how to reach it."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())

    id: str | None = None
    base_model: str | None = None
    input_cost_per_token: float | None = Field(default=None, ge=0)
    output_cost_per_token: float | None = Field(default=None, ge=0)


class DeploymentConfig(BaseModel):
    """One entry of `model_list`."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model_name: str = Field(min_length=1)
    params: DeploymentParams = Field(validation_alias=AliasChoices("params", "litellm_params"))
    model_info: ModelInfo = Field(default_factory=ModelInfo)


def deployment_config(entry: Any, place: str) -> DeploymentConfig:
    """One checked entry of `model_list`.

    Raises:
        ConfigurationError: names each field that is wrong, below `place`.
    """
    try:
        return DeploymentConfig.model_validate(entry)
    except ValidationError as error:
        problems = [
            f"{place}{_path(found['loc'])}: {found['msg']}"
            for found in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("\n".join(problems)) from None


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def fallback_chains(
    fallbacks: Sequence[Mapping[str, Sequence[str]]] | Mapping[str, Sequence[str]] | None,
    aliases: Sequence[str],
    name: str = "fallbacks",
) -> dict[str, list[str]]:
    """``[{"smart": ["backup"]}, …]`` as one dictionary.

    Raises:
        ConfigurationError: it has another shape, or names an alias that does not exist.
    """
    entries = [fallbacks] if hasattr(fallbacks, "items") else list(fallbacks or [])
    chains: dict[str, list[str]] = {}
    for position, entry in enumerate(entries):
        items = getattr(entry, "items", None)
        if items is None:
            raise ConfigurationError(
                f"{name}[{position}] is {entry!r:.60}; write {{alias: [other aliases]}}"
            )
        for alias, targets in items():
            if isinstance(targets, str) or not all(isinstance(item, str) for item in targets):
                raise ConfigurationError(f"{name}[{position}].{alias} must be a list of aliases")
            for known in (alias, *targets):
                if known not in aliases and known != "*":
                    raise ConfigurationError(
                        f"{name}[{position}] names {known!r}, {unknown_alias(known, aliases)}"
                    )
            chains[alias] = [*chains.get(alias, []), *targets]
    return chains
