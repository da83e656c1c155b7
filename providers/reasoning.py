"""
How OpenAI's `reasoning_effort` and Anthropic's `thinking` are said to providers with another word.

    (none)            OpenAI: `thinking` becomes an effort by its budget
    thinking          DeepSeek, Moonshot, Z.AI: ``{"thinking": {"type": "disabled"}}`` turns it off
    enabled           Together: ``{"reasoning": {"enabled": false}}`` turns it off
    enable_thinking   DashScope: a flag, and `thinking_budget` in tokens
    reasoning         OpenRouter: an object with `effort`, `max_tokens` or `enabled`

https://api-docs.deepseek.com/guides/thinking_mode,
https://www.alibabacloud.com/help/en/model-studio/deep-thinking,
https://openrouter.ai/docs/use-cases/reasoning-tokens.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Reasoning = Literal["", "both", "thinking", "enabled", "enable_thinking", "reasoning"]
"""A provider's own word for reasoning; empty: it has OpenAI's, "both": that and Anthropic's."""

LEVELS = (("low", 2048), ("medium", 8192), ("high", math.inf))
"""Levels of effort, and the largest budget of tokens that still means them."""


def convert_reasoning(
    params: dict[str, Any], word: Reasoning, efforts: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters with reasoning in the provider's word, which wins where the caller used it.

    `efforts` has the levels that the provider calls otherwise.
    """
    effort, thinking = params.get("reasoning_effort"), params.get("thinking")
    rest = {name: params[name] for name in params if name not in ("reasoning_effort", "thinking")}
    if word in ("", "enabled") and thinking is not None:
        effort = effort or _effort(thinking)
        params = {**_given(effort), **rest}
    if effort is not None and effort in efforts:
        effort = efforts[effort]
        params = {**params, "reasoning_effort": effort}
    match word:
        case "enabled" if effort == "none":
            return {"reasoning": {"enabled": False}, **rest}
        case "thinking" if effort == "none":
            return {**rest, "thinking": thinking or {"type": "disabled"}}
        case "enable_thinking":
            return {**_flag(effort, thinking), **rest}
        case "reasoning" if thinking is not None:
            return {"reasoning": _object(thinking), **_given(effort), **rest}
    return params


def _given(effort: Any) -> dict[str, Any]:
    return {} if effort is None else {"reasoning_effort": effort}


def _effort(thinking: Any) -> str | None:
    """Anthropic's `thinking` as a level of effort; None leaves it to the model."""
    match thinking:
        case {"type": "disabled"}:
            return "none"
        case {"budget_tokens": int(budget)}:
            return next(name for name, most in LEVELS if budget <= most)
    return None


def _flag(effort: Any, thinking: Any) -> dict[str, Any]:
    if isinstance(thinking, dict):
        flag: dict[str, Any] = {"enable_thinking": thinking.get("type") != "disabled"}
        if thinking.get("budget_tokens"):
            flag["thinking_budget"] = thinking["budget_tokens"]
        return flag
    return {"enable_thinking": effort != "none"} if effort is not None else {}


def _object(thinking: Any) -> Any:
    match thinking:
        case {"type": "disabled"}:
            return {"effort": "none"}
        case {"budget_tokens": int(budget)}:
            return {"max_tokens": budget}
        case {"type": _}:
            return {"enabled": True}
    return thinking
