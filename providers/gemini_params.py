"""
Parameters for Gemini: most of OpenAI's have a place in `generationConfig`.

https://ai.google.dev/api/generate-content#generationconfig; thinking is described at
https://ai.google.dev/gemini-api/docs/thinking. Google's own parameters are taken in its
spelling (`topK`) and in Python's (`top_k`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, UnsupportedParamsError
from .gemini_schema import camel, convert_schema
from .gemini_tools import convert_tool_choice, convert_tools
from .params import leave_out, supported_params, without_foreign_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Call, Target

SUPPORTED = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "modalities",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "stream_options",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
        "web_search_options",
    }
)

RENAMED = {
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "max_completion_tokens": "maxOutputTokens",
    "max_tokens": "maxOutputTokens",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
    "temperature": "temperature",
    "top_logprobs": "logprobs",
    "top_p": "topP",
}
"""OpenAI's parameters that are numbers in both."""

GENERATION_FIELDS = frozenset(
    {
        "audioTimestamp",
        "candidateCount",
        "enableAffectiveDialog",
        "enableEnhancedCivicAnswers",
        "frequencyPenalty",
        "imageConfig",
        "maxOutputTokens",
        "mediaResolution",
        "modelSelectionConfig",
        "presencePenalty",
        "responseJsonSchema",
        "responseLogprobs",
        "responseMimeType",
        "responseModalities",
        "responseSchema",
        "routingConfig",
        "speechConfig",
        "stopSequences",
        "thinkingConfig",
        "topK",
        "topP",
        "translationConfig",
    }
)
"""Google's own parameters that belong into `generationConfig`; the others stand beside it."""

FIRST_GENERATION = re.compile(r"(?:models/)?gemini-(?:1\.|pro(?:$|-vision))")
"""Models that know only Gemini's own kind of schema."""
NOT_THINKING = re.compile(
    r"(?:models/)?(?:gemini-(?:1\.|2\.0(?!.*think)|pro(?:$|-vision))|gemma|learnlm)"
)
THINKS_IN_LEVELS = re.compile(r"(?:models/)?gemini-(?:[3-9]|\d\d)")
"""Gemini 3 and later: levels of thinking in place of budgets, signatures that must come back."""

BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576}
"""Tokens of thinking, as Google's own OpenAI endpoint translates an effort."""
LEAST_BUDGET_OF_PRO = 128
"""Gemini 2.5 Pro cannot stop thinking."""
LEVELS = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
}
LEVELS_OF_PRO = {**LEVELS, "none": "low", "minimal": "low"}
"""Pro models know no `minimal`."""

SERVICE_TIERS = {"default": "standard"}
"""OpenAI's names of tiers that Google calls otherwise; `auto` is what Google does unasked."""


def convert_params(call: Call, target: Target) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The body's fields beside the conversation, and the names of parameters left out.

    Raises:
        BadRequestError: a parameter has a value that says nothing.
        UnsupportedParamsError: one asks for what Gemini cannot do, without `drop_params`.
    """
    supported = SUPPORTED
    if NOT_THINKING.match(target.model):
        supported = supported - {"reasoning_effort", "thinking"}
    params, dropped = supported_params(call, target, supported)
    if call.drop_params:
        params, more = without_foreign_tools(params, lambda tool: convert_tools({"tools": [tool]}))
        dropped += more
    if "user" in params:
        dropped += ("user",)  # no answer depends on it, so it is no reason to refuse
    if params.get("parallel_tool_calls") is False:
        refused = {"parallel_tool_calls": "parallel_tool_calls=False"}
        dropped += leave_out(refused, target, drop=call.drop_params)
    body = convert_native(params)
    config = {**convert_generation(params, target.model), **body.pop("generationConfig", {})}
    if config:
        body["generationConfig"] = config
    tools = convert_tools(params)
    if tools:
        body["tools"] = tools
    choice = params.get("tool_choice", params.get("function_call"))
    if choice is not None and any("functionDeclarations" in tool for tool in tools):
        chosen = {"functionCallingConfig": convert_tool_choice(choice)}
        body["toolConfig"] = {**chosen, **body.get("toolConfig", {})}
    tier = params.get("service_tier")
    if tier is not None and tier != "auto":
        body["serviceTier"] = SERVICE_TIERS.get(tier, tier)
    return body, dropped


def convert_native(params: Mapping[str, Any]) -> dict[str, Any]:
    """Google's own parameters in its spelling, each where it belongs."""
    body: dict[str, Any] = {}
    config: dict[str, Any] = {}
    for name, value in params.items():
        if name in SUPPORTED:
            continue
        googles = camel(name)
        if googles == "generationConfig" and isinstance(value, dict):
            config.update({camel(field): inner for field, inner in value.items()})
        elif googles in GENERATION_FIELDS:
            config[googles] = value
        else:
            body[googles] = value
    if config:
        body["generationConfig"] = config
    return body


def convert_generation(params: Mapping[str, Any], model: str) -> dict[str, Any]:
    """OpenAI's parameters as `generationConfig`."""
    config = {RENAMED[name]: value for name, value in params.items() if name in RENAMED}
    if "max_completion_tokens" in params:
        config["maxOutputTokens"] = params["max_completion_tokens"]
    if "stop" in params:
        stop = params["stop"]
        config["stopSequences"] = [stop] if isinstance(stop, str) else list(stop)
    if "response_format" in params:
        config.update(convert_response_format(params["response_format"], model))
    if "modalities" in params:
        config["responseModalities"] = [str(kind).upper() for kind in params["modalities"]]
    if "audio" in params:
        config["speechConfig"] = convert_voice(params["audio"])
    thinking = convert_thinking(params, model)
    if thinking:
        config["thinkingConfig"] = thinking
    return config


def convert_response_format(response_format: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What the answer must look like, with the schema in the form that the model knows.

    Raises:
        BadRequestError: the format is none of OpenAI's.
    """
    match response_format:
        case {"type": "text"}:
            return {}
        case {"type": "json_object", "response_schema": schema}:
            pass
        case {"type": "json_object"}:
            schema = None
        case {"type": "json_schema", "json_schema": {"schema": schema}}:
            pass
        case _:
            raise BadRequestError(
                f"response_format is {response_format!r:.80}; its type must be text, json_object, "
                "or json_schema with a schema",
                param="response_format",
            )
    config: dict[str, Any] = {"responseMimeType": "application/json"}
    if schema and FIRST_GENERATION.match(model):
        config["responseSchema"] = convert_schema(schema)
    elif schema:
        config["responseJsonSchema"] = schema
    return config


def convert_voice(audio: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's `audio` as `speechConfig`. Gemini speaks in one encoding.

    Raises:
        UnsupportedParamsError: another encoding is asked for.
    """
    encoding = audio.get("format", "pcm16")
    if encoding != "pcm16":
        raise UnsupportedParamsError(
            f"Gemini answers with pcm16 audio, not {encoding}; set audio.format to pcm16",
            param="audio",
        )
    if not audio.get("voice"):
        return {}
    return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": audio["voice"]}}}


def convert_thinking(params: Mapping[str, Any], model: str) -> dict[str, Any]:
    """`thinking` (Anthropic's shape) or `reasoning_effort` as `thinkingConfig`."""
    thinking = params.get("thinking")
    if isinstance(thinking, dict):
        if thinking.get("type") == "disabled":
            return convert_effort("none", model)
        budget = thinking.get("budget_tokens")
        config: dict[str, Any] = {"includeThoughts": budget != 0}
        if budget is not None:
            config["thinkingBudget"] = budget
        return config
    effort = params.get("reasoning_effort")
    if isinstance(effort, dict):
        effort = effort.get("effort")
    return {} if effort is None else convert_effort(effort, model)


def convert_effort(effort: Any, model: str) -> dict[str, Any]:
    """An effort as a level of thinking, or as a budget for models before Gemini 3.

    Raises:
        BadRequestError: there is no such effort.
    """
    if not isinstance(effort, str) or effort not in BUDGETS:
        raise BadRequestError(
            f"reasoning_effort is {effort!r}; it must be one of {', '.join(BUDGETS)}",
            param="reasoning_effort",
        )
    config: dict[str, Any] = {"includeThoughts": effort != "none"}
    if THINKS_IN_LEVELS.match(model):
        config["thinkingLevel"] = (LEVELS_OF_PRO if "-pro" in model else LEVELS)[effort]
    elif effort == "none" and "-pro" in model:
        config["thinkingBudget"] = LEAST_BUDGET_OF_PRO
    else:
        config["thinkingBudget"] = BUDGETS[effort]
    return config
