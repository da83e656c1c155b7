"""
Parameters that mean the same everywhere: who takes them, who refuses them, what is left out.

A target takes, translates, refuses or drops them. Anything else is a provider's own and goes to
the provider as it is.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..exceptions import UnsupportedParamsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .base import Call, Target

OPENAI_PARAMS = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream_options",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
"""Parameters that mean the same everywhere: a target takes, translates, refuses or drops them.
Anything else is a provider's own and goes to the provider as it is."""

NEUTRAL: Mapping[str, Any] = MappingProxyType(
    {
        "frequency_penalty": 0,
        "logprobs": False,
        "modalities": ["text"],
        "n": 1,
        "parallel_tool_calls": True,
        "presence_penalty": 0,
        "reasoning_effort": "none",
        "store": False,
        "thinking": {"type": "disabled"},
        "tool_choice": "auto",
        "top_logprobs": 0,
    }
)
"""Values that ask for nothing: who does not take the parameter does not have to be told."""


def supported_params(
    call: Call, target: Target, supported: frozenset[str], known: frozenset[str] = OPENAI_PARAMS
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The parameters to send, and those that were dropped.

    A parameter of OpenAI's (`known`: those of the operation) that is not `supported` is refused,
    or left out with `drop_params`, or because its value asks for nothing.

    Raises:
        UnsupportedParamsError: without `drop_params`; names every parameter that is too much.
    """
    beyond = [name for name in call.params if name in known and name not in supported]
    if not beyond:
        return call.params, ()
    refused = {name: name for name in beyond if call.params[name] != NEUTRAL.get(name)}
    dropped = leave_out(refused, target, drop=call.drop_params)
    return {name: value for name, value in call.params.items() if name not in beyond}, dropped


def leave_out(refused: Mapping[str, str], target: Target, *, drop: bool) -> tuple[str, ...]:
    """The names of parameters that a target cannot do; `refused` has them with how to say them.

    Raises:
        UnsupportedParamsError: there are some, and nothing may be dropped.
    """
    if refused and not drop:
        names = ", ".join(sorted(refused.values()))
        raise UnsupportedParamsError(
            f"{target.provider}/{target.model} does not take {names}; "
            "leave it out, or pass drop_params=True to have it left out",
            model=target.model,
            llm_provider=target.provider,
            param=next(iter(refused)),
        )
    return tuple(refused)


def without_foreign_tools(
    params: dict[str, Any], convert: Callable[[Any], object]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """For calls with `drop_params`: the parameters without tools that `convert` refuses.

    A choice of tools goes with the last of them.
    """
    tools = params.get("tools") or ()
    kept = [tool for tool in tools if _takes(convert, tool)]
    if len(kept) == len(tools):
        return params, ()
    if kept:
        return {**params, "tools": kept}, ("tools",)
    about = ("parallel_tool_calls", "tool_choice", "tools")
    return {name: value for name, value in params.items() if name not in about}, ("tools",)


def _takes(convert: Callable[[Any], object], tool: Any) -> bool:
    try:
        convert(tool)
    except UnsupportedParamsError:
        return False
    return True
