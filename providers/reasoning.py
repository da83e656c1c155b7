"""
How OpenAI's `reasoning_effort` and Anthropic's `thinking` are said to providers with another word.

    thinking          DeepSeek, Moonshot, Z.AI: ``{"thinking": {"type": "disabled"}}`` turns it off
    enable_thinking   DashScope: a flag, and `thinking_budget` in tokens
    reasoning         OpenRouter: an object with `effort`, `max_tokens` or `enabled`

https://api-docs.deepseek.com/guides/thinking_mode,
https://www.alibabacloud.com/help/en/model-studio/deep-thinking,
https://openrouter.ai/docs/use-cases/reasoning-tokens.
"""

from __future__ import annotations

from typing import Any, Literal

Reasoning = Literal["", "thinking", "enable_thinking", "reasoning"]
"""A provider's own word for reasoning; empty: it has OpenAI's."""


def convert_reasoning(params: dict[str, Any], word: Reasoning) -> dict[str, Any]:
    """The parameters with reasoning in the provider's word, which wins where the caller used it."""
    effort, thinking = params.get("reasoning_effort"), params.get("thinking")
    rest = {name: params[name] for name in params if name not in ("reasoning_effort", "thinking")}
    match word:
        case "thinking" if effort == "none":
            return {**rest, "thinking": thinking or {"type": "disabled"}}
        case "enable_thinking":
            return {**_flag(effort, thinking), **rest}
        case "reasoning" if thinking is not None:
            kept = {"reasoning_effort": effort} if effort is not None else {}
            return {"reasoning": _object(thinking), **kept, **rest}
    return params


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
