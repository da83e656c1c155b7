"""
What people write, checked: `model_list`, `fallbacks` and the rest of a Router's settings.

pydantic validates here and nowhere else; what it finds becomes one ConfigurationError that
names every place and never repeats a value, which may be a secret.
"""

from __future__ import annotations

import os
import random  # noqa: TC003  pydantic reads the annotations at run time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    field_validator,
    model_validator,
)

from ..exceptions import BadRequestError, ConfigurationError
from ..familiar import ENTRIES
from ..providers import Compatible  # noqa: TC001
from ..providers.caching import Point, read_points
from .groups import unknown_alias
from .options import CONTROL
from .policies import OnStreamBreak, exception_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

NOT_ENFORCED = frozenset(
    {
        "budget_duration",
        "max_budget",
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


def _fit_for_a_header(value: str) -> str:
    if CONTROL.search(value):
        raise ValueError("has a line end or another control character, which no header may have")
    return value


def _store(value: Any) -> Any:
    if value is not None and not callable(getattr(value, "get", None)):
        raise ValueError("must have a method get(prompt_id, version)")
    return value


def _points(value: Any) -> tuple[Point, ...] | None:
    try:
        return None if value is None else read_points(value)
    except BadRequestError as error:
        raise ValueError(error.message) from None


def _by_exception(value: Any) -> Any:
    """A policy by exception, LiteLLM's way of writing it (``TimeoutErrorRetries``) included."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        value = {name: count for name, count in vars(value).items() if count is not None}
    return {_exception(name): count for name, count in value.items()}


def _exception(name: Any) -> str:
    """The name of the exception that a field of a policy is about."""
    known = exception_name(name)
    if known is None:
        raise ValueError(f"{name!r} is no exception of polyroute.exceptions")
    return known


Limit: Any = Field(default=None, ge=0, allow_inf_nan=False)
Count = Annotated[int, Field(ge=0)]
ByException = Annotated[Mapping[str, Count], BeforeValidator(_by_exception)]
Text = Annotated[str, BeforeValidator(_from_environment)]
HeaderText = Annotated[Text, AfterValidator(_fit_for_a_header)]
Tag = Annotated[str, Field(min_length=1, pattern=r"^[^!]")]
HeaderName = Annotated[str, Field(min_length=1), AfterValidator(_fit_for_a_header)]


class DeploymentParams(BaseModel):
    """`litellm_params` (or `params`): which model, how to reach it, and defaults for its calls.

    Fields beyond these are the provider's settings or default parameters of every call.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow", frozen=True, protected_namespaces=()
    )
    __pydantic_extra__: dict[str, Annotated[Any, BeforeValidator(_from_environment)]]

    model: Text = Field(min_length=1)
    api_key: HeaderText | None = None
    api_base: Text | None = Field(
        default=None, validation_alias=AliasChoices("api_base", "base_url")
    )
    api_version: Text | None = None
    custom_llm_provider: str | None = None
    timeout: float | None = Field(default=None, gt=0)
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    num_retries: int | None = Field(
        default=None, ge=0, validation_alias=AliasChoices("num_retries", "max_retries")
    )
    stream_timeout: float | None = Field(default=None, gt=0)
    max_parallel_requests: int | None = Field(default=None, ge=0)
    rpm: float | None = Limit
    tpm: float | None = Limit
    input_tpm: float | None = Limit
    output_tpm: float | None = Limit
    rpd: float | None = Limit
    tpd: float | None = Limit
    order: int | None = Field(default=None, ge=0)
    tags: list[Tag] = Field(default_factory=list)
    region_name: str | None = Field(default=None, min_length=1)
    drop_params: bool = False
    extra_headers: dict[HeaderName, HeaderText] = Field(default_factory=dict)
    extra_body: dict[str, Any] = Field(default_factory=dict)
    cache_control_injection_points: Annotated[Any, AfterValidator(_points)] = None

    @field_validator("*", mode="before")
    @classmethod
    def _extras_from_environment(cls, value: Any) -> Any:
        return _from_environment(value)

    def model_post_init(self, _context: Any) -> None:
        """Refuse limits that nobody would keep, and what no provider would understand."""
        extra = set(self.model_extra or {})
        if limits := NOT_ENFORCED & extra:
            raise ValueError(f"{', '.join(sorted(limits))}: not enforced by this version")
        if others := ENTRIES.keys() & extra:
            raise ValueError(f"{min(others)}: {ENTRIES[min(others)]}")

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Values of `model` and `api_base`; of the rest only the names, any may hold a secret."""
        yield "model", self.model
        yield "api_base", self.api_base
        if others := self.model_fields_set - {"model", "api_base"}:
            yield "others", sorted(others)


class ModelInfo(BaseModel):
    """`model_info`: what is known of a deployment beside how to reach it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow", frozen=True, protected_namespaces=()
    )

    id: str | None = None
    base_model: str | None = None
    caching: Literal["explicit", "implicit"] | None = None
    max_inputs: int | None = Field(default=None, ge=1)
    input_cost_per_token: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    output_cost_per_token: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_input_tokens: int | None = Field(default=None, gt=0)
    max_output_tokens: int | None = Field(default=None, gt=0)
    mode: str | None = None

    def model_post_init(self, _context: Any) -> None:
        """Refuse abilities that are neither there nor not there."""
        for name, value in (self.model_extra or {}).items():
            if name.startswith("supports_") and not isinstance(value, bool | None):
                raise ValueError(f"{name} must be True or False")


class DeploymentConfig(BaseModel):
    """One entry of `model_list`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=()
    )

    model_name: str = Field(min_length=1)
    params: DeploymentParams = Field(validation_alias=AliasChoices("params", "litellm_params"))
    model_info: ModelInfo = Field(default_factory=ModelInfo)

    @model_validator(mode="before")
    @classmethod
    def _prices_among_params(cls, entry: Any) -> Any:
        """LiteLLM's entries may have prices in `litellm_params`; here they are `model_info`."""
        place = "params" if isinstance(entry, Mapping) and "params" in entry else "litellm_params"
        params = entry.get(place) if isinstance(entry, Mapping) else None
        if not isinstance(params, Mapping):
            return entry
        prices = {name: params[name] for name in params if "_cost_per_" in str(name)}
        if not prices:
            return entry
        others = {name: value for name, value in params.items() if name not in prices}
        info = entry.get("model_info") or {}
        return {**entry, place: others, "model_info": {**prices, **info}}


class RouterSettings(BaseModel):
    """The settings of a Router, checked as far as can be before any deployment is known."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, strict=True, arbitrary_types_allowed=True
    )

    model_list: InstanceOf[Iterable[Mapping[str, Any]]]
    routing_strategy: Any
    num_retries: int = Field(ge=0)
    timeout: float = Field(gt=0)
    retry_policy: ByException
    model_group_retry_policy: Annotated[
        Mapping[str, ByException], BeforeValidator(lambda value: value or {})
    ]
    allowed_fails_policy: ByException
    stream_timeout: float | None = Field(gt=0)
    stream_idle_timeout: float = Field(gt=0)
    soft_timeout: float = Field(gt=0)
    min_tokens_per_second: float = Field(ge=0)
    on_stream_break: OnStreamBreak
    hedge: bool
    default_max_parallel_requests: int | None = Field(ge=0)
    default_priority: int
    fallbacks: Any
    context_window_fallbacks: Any
    content_policy_fallbacks: Any
    default_fallbacks: Any
    max_fallbacks: int = Field(ge=0)
    fallback_on_bad_request: bool
    model_group_alias: Mapping[str, str | Mapping[str, Any]] | None
    enable_tag_filtering: bool | None
    tag_filtering_match_any: bool
    allowed_model_region: str | Sequence[str] | None
    allowed_fails: int = Field(ge=0)
    cooldown_time: float = Field(ge=0, allow_inf_nan=False)
    disable_cooldowns: bool
    max_body_bytes: int = Field(gt=0)
    max_connections: int = Field(gt=0)
    verify: bool | str
    providers: Mapping[str, InstanceOf[Compatible]] | None
    prompts: Annotated[Any, AfterValidator(_store)]
    decision_log: Callable[[str], object] | None
    clock: Callable[[], float]
    rng: random.Random | None

    @field_validator("model_list", mode="before")
    @classmethod
    def _is_a_list(cls, value: Any) -> Any:
        if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
            raise ValueError("must be a list of dictionaries, one for each deployment")
        return value


def check_settings(settings: Mapping[str, Any]) -> RouterSettings:
    """Check what a Router is constructed with; names beyond `RouterSettings` are left alone.

    Raises:
        ConfigurationError: names each setting that is wrong.
    """
    try:
        return RouterSettings.model_validate(settings)
    except ValidationError as error:
        problems = [problem.removeprefix(".") for problem in _problems(error)]
        raise ConfigurationError("\n".join(problems)) from None


def deployment_config(entry: Any, place: str) -> DeploymentConfig:
    """One checked entry of `model_list`.

    Raises:
        ConfigurationError: names each field that is wrong, below `place`.
    """
    try:
        return DeploymentConfig.model_validate(entry)
    except ValidationError as error:
        problems = [f"{place}{problem}" for problem in _problems(error)]
        raise ConfigurationError("\n".join(problems)) from None


def _problems(error: ValidationError) -> list[str]:
    """What pydantic found, a line each: the place and what is wrong, never the value."""
    return [
        f"{_path(found['loc'])}: {found['msg']}"
        for found in error.errors(include_url=False, include_input=False)
    ]


def _path(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def known_aliases(names: Sequence[str], aliases: Collection[str], name: str) -> list[str]:
    """A list of aliases that all exist.

    Raises:
        ConfigurationError: it is no list, or names an alias that does not exist.
    """
    if not isinstance(names, list | tuple):
        raise ConfigurationError(f"{name} must be a list of aliases, not {names!r:.60}")
    for known in names:
        if known not in aliases:
            raise ConfigurationError(
                f"{name} names {known!r}, {unknown_alias(str(known), [*aliases])}"
            )
    return list(names)


CHAIN_SHAPE = '[{"alias": ["another alias", ...]}]'


def fallback_chains(
    fallbacks: Sequence[Mapping[str, Sequence[str]]] | Mapping[str, Sequence[str]] | None,
    aliases: Collection[str],
    name: str = "fallbacks",
    plain: Callable[[str], str] = str,
) -> dict[str, list[str]]:
    """``[{"smart": ["backup"]}, …]`` as one dictionary.

    Raises:
        ConfigurationError: it has another shape, or names an alias that does not exist.
    """
    if isinstance(fallbacks, Mapping):
        fallbacks = [fallbacks]
    if not isinstance(fallbacks, list | tuple | None):
        raise ConfigurationError(f"{name} is {fallbacks!r:.60}; write {CHAIN_SHAPE}")
    chains: dict[str, list[str]] = {}
    for position, entry in enumerate(fallbacks or ()):
        place = f"{name}[{position}]"
        if not isinstance(entry, Mapping):
            raise ConfigurationError(f"{place} is {entry!r:.60}; write {CHAIN_SHAPE}")
        for alias, targets in entry.items():
            if not isinstance(targets, list | tuple):
                raise ConfigurationError(f"{place}.{alias} must be a list of aliases")
            for known in (*([] if alias == "*" else [alias]), *targets):
                if known not in aliases:
                    raise ConfigurationError(
                        f"{place} names {known!r}, {unknown_alias(str(known), [*aliases])}"
                    )
            chain = chains.setdefault(plain(alias), [])
            chain += map(plain, targets)
    return chains
