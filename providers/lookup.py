"""What a model's name says: whose it is, how that provider is reached, and what it takes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import BadRequestError
from .base import Call, Target
from .catalog import COMPATIBLE, from_environment
from .registry import adapter, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping


class Provider(NamedTuple):
    """Whose a model is, as LiteLLM returns it.

    Attributes:
        model: the provider's own name of the model.
        custom_llm_provider: the provider's prefix.
        api_key: as given, else from the environment for providers of OpenAI's format, else None.
        api_base: likewise; None where the provider's own module knows it.
    """

    model: str
    custom_llm_provider: str
    api_key: str | None
    api_base: str | None

    def __repr__(self) -> str:
        return f"Provider({self.model!r}, {self.custom_llm_provider!r}, …, {self.api_base!r})"


_TOOL = {"name": "look", "parameters": {"type": "object", "properties": {}}}

EXAMPLES: Mapping[str, Any] = MappingProxyType(
    {
        "audio": {"voice": "alloy", "format": "pcm16"},
        "frequency_penalty": 0.5,
        "function_call": "auto",
        "functions": [_TOOL],
        "logit_bias": {"50256": 1},
        "logprobs": True,
        "max_completion_tokens": 100,
        "max_tokens": 100,
        "metadata": {"project": "probe"},
        "modalities": ["text", "audio"],
        "n": 2,
        "parallel_tool_calls": False,
        "prediction": {"type": "content", "content": "text"},
        "presence_penalty": 0.5,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
        "seed": 1,
        "service_tier": "auto",
        "stop": ["end"],
        "store": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tool_choice": "required",
        "tools": [{"type": "function", "function": _TOOL}],
        "top_logprobs": 1,
        "top_p": 0.5,
        "user": "somebody",
        "verbosity": "low",
        "web_search_options": {},
    }
)
"""A value of each of OpenAI's parameters that asks for something."""

_SETTINGS = {"aws_region_name": "us-east-1", "vertex_project": "project"}


def get_llm_provider(
    model: str,
    custom_llm_provider: str | None = None,
    api_base: str | None = None,
    api_key: str | None = None,
) -> Provider:
    """Whose a model is: ``(model, provider, api_key, api_base)``, as LiteLLM has it.

    Args:
        model: with or without its provider.
        custom_llm_provider: whose it is, where the name does not say.
        api_base: the address that will be given with the call.
        api_key: the key that will be given with the call.

    Raises:
        BadRequestError: no provider is named and the name says nothing.
    """
    named = f"{custom_llm_provider}/{model}" if custom_llm_provider else model
    provider, name = resolve(named, has_base=api_base is not None)
    row = COMPATIBLE.get(provider)
    if row is not None:
        api_key = api_key or from_environment(row.key_env)
        api_base = api_base or from_environment(row.base_env) or row.base_url
    return Provider(name, provider, api_key, api_base)


def get_supported_openai_params(model: str, custom_llm_provider: str | None = None) -> list[str]:
    """The parameters of OpenAI's that a model takes in a chat, as they are or translated.

    The model's own adapter is asked, with an example of each; nothing is sent. Others are refused
    with `UnsupportedParamsError`, or left out with `drop_params`.

    Args:
        model: with or without its provider.
        custom_llm_provider: whose it is, where the name does not say.

    Raises:
        BadRequestError: no provider is named and the name says nothing.
    """
    found = get_llm_provider(model, custom_llm_provider)
    target = Target(
        found.custom_llm_provider, found.model, "unused", "http://localhost", settings=_SETTINGS
    )
    asked = adapter(target)
    return [name for name in EXAMPLES if _takes(asked, name)]


def _takes(asked: Any, name: str) -> bool:
    call = Call(
        [{"role": "user", "content": "Hello"}],
        {name: EXAMPLES[name]},
        stream=name == "stream_options",
        drop_params=True,
    )
    try:
        return name not in asked.build(call).dropped
    except BadRequestError:
        return False
