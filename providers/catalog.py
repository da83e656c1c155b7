"""
Providers that speak OpenAI's chat format, as data: one row each.

The boundary: a provider that needs a method does not belong in the catalog; it gets a module.
No class is generated from a row, no row holds a function, no row inherits from another. Every
field exists because at least three providers need it. Private endpoints use the same class:
``Router(providers={"mine": Compatible(base_url="https://llm.example/v1", key_env=("MY_KEY",))})``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..exceptions import AuthenticationError, BadRequestError
from .openai_messages import OPENAI_KEYS, OPENAI_ROLES
from .params import OPENAI_PARAMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Target
    from .reasoning import Reasoning

MAX_TOKENS = MappingProxyType({"max_completion_tokens": "max_tokens"})
NO_KEY = "fake-api-key"
IMAGES = frozenset({"image_url"})
LEVELS = MappingProxyType({"minimal": "low", "xhigh": "high"})
"""Levels of effort for who knows only low, medium and high."""

NOT_ELSEWHERE = frozenset(
    {"audio", "modalities", "prediction", "store", "verbosity", "web_search_options"}
)
"""Parameters that are OpenAI's own and mean nothing to most others."""

OLD_FUNCTIONS = frozenset({"function_call", "functions"})
"""What came before tools, and many never had."""


@dataclass(frozen=True, slots=True)
class Compatible:
    """One provider that speaks OpenAI's chat format.

    Attributes:
        base_url: where `/chat/completions` lies below; None: the caller must say (`api_base`).
        key_env: environment variables that may hold the key, first come first.
        base_env: environment variables that may hold another base URL.
        base_path: what belongs behind another base URL that is a host and nothing more.
        placeholder_key: sent where there is no key. Servers of one's own do not look at it, but
            gateways before them want the header; empty: a key is needed.
        rename: OpenAI parameter → this provider's name for it.
        refuses: parameters of OpenAI's that this provider is known not to take.
        message_keys: message fields beyond the usual that this provider understands.
        roles: the same for roles; `developer` becomes `system` elsewhere, old functions tools.
        media: types of content parts besides text; None: not known, all are sent.
        flat: whether content without media must be one text.
        headers: sent with every request.
        model_prefix: what this provider's model names begin with, added where it is missing.
        stream_usage: whether it understands `stream_options.include_usage`.
        strict_tools: whether it knows `strict` in a tool's function.
        reasoning_models: whether it serves OpenAI's reasoning models with their renamed limit.
        reasoning: the word for reasoning, where it is not `reasoning_effort`.
        efforts: levels of `reasoning_effort` that are called otherwise.
    """

    base_url: str | None = None
    key_env: tuple[str, ...] = ()
    base_env: tuple[str, ...] = ()
    base_path: str = ""
    placeholder_key: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    refuses: frozenset[str] = frozenset()
    message_keys: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    media: frozenset[str] | None = None
    flat: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    model_prefix: str = ""
    stream_usage: bool = True
    strict_tools: bool = True
    reasoning_models: bool = False
    reasoning: Reasoning = ""
    efforts: Mapping[str, str] = field(default_factory=dict)

    @property
    def params(self) -> frozenset[str]:
        """The parameters of OpenAI's that this provider takes."""
        return OPENAI_PARAMS - self.refuses

    def base(self, target: Target) -> str:
        """The base URL for a target, without a slash at the end.

        Raises:
            BadRequestError: there is none; says where one can be given.
        """
        base = target.api_base or from_environment(self.base_env) or self.base_url
        if not base:
            where = " or ".join(["api_base", *self.base_env])
            raise BadRequestError(
                f"{target.provider} has no address of its own: set {where}",
                model=target.model,
                llm_provider=target.provider,
                param="api_base",
            )
        return with_path(base.rstrip("/"), self.base_path)

    def with_key(self, target: Target) -> Target:
        """The target with its key, wherever that comes from.

        Raises:
            AuthenticationError: a key is needed and there is none; names the variables.
        """
        return replace(target, api_key=find_key(target, self.key_env, self.placeholder_key))

    def model_name(self, model: str) -> str:
        """The model's name on the wire."""
        return model if model.startswith(self.model_prefix) else self.model_prefix + model


def with_path(base: str, path: str) -> str:
    """The base URL with this path, if it is a host and nothing more; hosts may lack a scheme."""
    if not path:
        return base
    base = base if "://" in base else f"https://{base}"
    return base if urlsplit(base).path else base + path


def from_environment(names: tuple[str, ...]) -> str | None:
    """The first of these environment variables that is set and not empty."""
    for name in names:
        value = os.environ.get(name)
        if value:
            return value
    return None


def find_key(target: Target, names: tuple[str, ...], placeholder: str = "") -> str:
    """The target's key: its own, else from the environment, else the placeholder.

    Raises:
        AuthenticationError: there is none; names the variables.
    """
    key = target.api_key or from_environment(names) or placeholder
    if not key:
        raise AuthenticationError(
            f"no API key for {target.provider}: pass api_key or set {' or '.join(names)}",
            model=target.model,
            llm_provider=target.provider,
        )
    if not key.isprintable():
        raise AuthenticationError(
            f"the API key for {target.provider} holds a line end or another control character; "
            "strip it where it is read",
            model=target.model,
            llm_provider=target.provider,
        )
    return key


COMPATIBLE: dict[str, Compatible] = {
    "amazon_nova": Compatible(
        base_url="https://api.nova.amazon.com/v1",
        key_env=("AMAZON_NOVA_API_KEY",),
        media=IMAGES,
    ),
    "cerebras": Compatible(
        base_url="https://api.cerebras.ai/v1",
        key_env=("CEREBRAS_API_KEY",),
        base_env=("CEREBRAS_API_BASE",),
        refuses=NOT_ELSEWHERE - {"prediction"} | OLD_FUNCTIONS | {"metadata"},
        roles=frozenset({"developer"}),
        media=IMAGES,
        efforts=LEVELS,
    ),
    "crusoe": Compatible(
        base_url="https://api.inference.crusoecloud.com/v1",
        key_env=("CRUSOE_API_KEY",),
        base_env=("CRUSOE_API_BASE",),
    ),
    "dashscope": Compatible(
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key_env=("DASHSCOPE_API_KEY",),
        base_env=("DASHSCOPE_API_BASE",),
        rename=MAX_TOKENS,
        message_keys=frozenset({"cache_control", "partial"}),
        reasoning="enable_thinking",
    ),
    "databricks": Compatible(
        key_env=("DATABRICKS_API_KEY", "DATABRICKS_TOKEN"),
        base_env=("DATABRICKS_API_BASE", "DATABRICKS_HOST"),
        base_path="/serving-endpoints",
        rename=MAX_TOKENS,
        reasoning="both",
        media=IMAGES,
    ),
    "deepinfra": Compatible(
        base_url="https://api.deepinfra.com/v1/openai",
        key_env=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
        rename=MAX_TOKENS,
    ),
    "deepseek": Compatible(
        base_url="https://api.deepseek.com",
        key_env=("DEEPSEEK_API_KEY",),
        base_env=("DEEPSEEK_API_BASE",),
        rename=MAX_TOKENS,
        message_keys=frozenset({"prefix", "reasoning_content"}),
        reasoning="thinking",
        refuses=NOT_ELSEWHERE | OLD_FUNCTIONS,
        media=frozenset(),
        flat=True,
    ),
    "fireworks_ai": Compatible(
        base_url="https://api.fireworks.ai/inference/v1",
        key_env=("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKS_AI_TOKEN"),
        base_env=("FIREWORKS_API_BASE",),
        rename=MAX_TOKENS,
        message_keys=frozenset({"reasoning_content"}),
        model_prefix="accounts/fireworks/models/",
        refuses=NOT_ELSEWHERE - {"prediction"},
        media=IMAGES | {"video_url"},
        efforts=LEVELS,
    ),
    "groq": Compatible(
        base_url="https://api.groq.com/openai/v1",
        key_env=("GROQ_API_KEY",),
        base_env=("GROQ_API_BASE",),
        refuses=NOT_ELSEWHERE - {"store"},
        message_keys=frozenset({"function_call"}),
        roles=OPENAI_ROLES,
        media=IMAGES,
        efforts=LEVELS,
    ),
    "hosted_vllm": Compatible(
        key_env=("HOSTED_VLLM_API_KEY",),
        base_env=("HOSTED_VLLM_API_BASE",),
        placeholder_key=NO_KEY,
        strict_tools=False,
        message_keys=OPENAI_KEYS,
        roles=OPENAI_ROLES,
    ),
    "hyperbolic": Compatible(
        base_url="https://api.hyperbolic.xyz/v1",
        key_env=("HYPERBOLIC_API_KEY",),
        rename=MAX_TOKENS,
    ),
    "lambda_ai": Compatible(
        base_url="https://api.lambda.ai/v1",
        key_env=("LAMBDA_API_KEY",),
        base_env=("LAMBDA_API_BASE",),
        media=IMAGES,
    ),
    "llamafile": Compatible(
        base_url="http://127.0.0.1:8080/v1",
        key_env=("LLAMAFILE_API_KEY",),
        base_env=("LLAMAFILE_API_BASE",),
        placeholder_key=NO_KEY,
        strict_tools=False,
        message_keys=OPENAI_KEYS,
        roles=frozenset({"function"}),
    ),
    "lm_studio": Compatible(
        base_url="http://127.0.0.1:1234/v1",
        key_env=("LM_STUDIO_API_KEY",),
        base_env=("LM_STUDIO_API_BASE",),
        placeholder_key=NO_KEY,
        strict_tools=False,
        message_keys=OPENAI_KEYS,
        roles=frozenset({"function"}),
    ),
    "moonshot": Compatible(
        base_url="https://api.moonshot.ai/v1",
        key_env=("MOONSHOT_API_KEY",),
        base_env=("MOONSHOT_API_BASE",),
        message_keys=frozenset({"partial", "reasoning_content"}),
        reasoning="thinking",
    ),
    "novita": Compatible(
        base_url="https://api.novita.ai/v3/openai",
        key_env=("NOVITA_API_KEY",),
        rename=MAX_TOKENS,
    ),
    "nscale": Compatible(
        base_url="https://inference.api.nscale.com/v1",
        key_env=("NSCALE_API_KEY",),
        base_env=("NSCALE_API_BASE",),
        media=IMAGES,
    ),
    "nvidia_nim": Compatible(
        base_url="https://integrate.api.nvidia.com/v1",
        key_env=("NVIDIA_NIM_API_KEY", "NVIDIA_API_KEY"),
        base_env=("NVIDIA_NIM_API_BASE",),
        rename=MAX_TOKENS,
    ),
    "openai": Compatible(
        base_url="https://api.openai.com/v1",
        key_env=("OPENAI_API_KEY",),
        base_env=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        reasoning_models=True,
        message_keys=OPENAI_KEYS,
        roles=OPENAI_ROLES,
        media=IMAGES | {"file", "input_audio"},
    ),
    "openai_like": Compatible(
        key_env=("OPENAI_LIKE_API_KEY",),
        base_env=("OPENAI_LIKE_API_BASE",),
        placeholder_key=NO_KEY,
        message_keys=OPENAI_KEYS | {"reasoning_content"},
        roles=frozenset({"function"}),
        reasoning="both",
    ),
    "openrouter": Compatible(
        base_url="https://openrouter.ai/api/v1",
        key_env=("OPENROUTER_API_KEY", "OR_API_KEY"),
        base_env=("OPENROUTER_API_BASE",),
        message_keys=frozenset({"cache_control", "reasoning", "reasoning_details"}),
        reasoning="reasoning",
        refuses=frozenset({"audio", "n", "store"}) | OLD_FUNCTIONS,
        roles=frozenset({"developer"}),
        media=IMAGES | {"file", "input_audio", "video_url"},
    ),
    "sambanova": Compatible(
        base_url="https://api.sambanova.ai/v1",
        key_env=("SAMBANOVA_API_KEY",),
        rename=MAX_TOKENS,
        flat=True,
    ),
    "snowflake": Compatible(
        key_env=("SNOWFLAKE_API_KEY", "SNOWFLAKE_PAT", "SNOWFLAKE_TOKEN", "SNOWFLAKE_JWT"),
        base_env=("SNOWFLAKE_API_BASE", "SNOWFLAKE_HOST"),
        base_path="/api/v2/cortex/v1",
        rename={"max_tokens": "max_completion_tokens"},
    ),
    "together_ai": Compatible(
        base_url="https://api.together.ai/v1",
        key_env=("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_TOKEN"),
        base_env=("TOGETHERAI_API_BASE",),
        rename=MAX_TOKENS,
        refuses=NOT_ELSEWHERE
        | OLD_FUNCTIONS
        | {"metadata", "parallel_tool_calls", "service_tier", "user"},
        media=IMAGES | {"audio_url", "input_audio", "video_url"},
        flat=True,
        strict_tools=False,
        efforts=LEVELS,
        reasoning="enabled",
    ),
    "zai": Compatible(
        base_url="https://api.z.ai/api/paas/v4",
        key_env=("ZAI_API_KEY",),
        base_env=("ZAI_API_BASE",),
        rename={**MAX_TOKENS, "user": "user_id"},
        message_keys=frozenset({"reasoning_content"}),
        reasoning="thinking",
    ),
}
"""The rows, by prefix. Only `openai` itself is asked for models without a prefix."""
