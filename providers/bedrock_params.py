"""
Parameters for the Converse API: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.

What every model has stands in `inferenceConfig`; what only some have (`top_k`, reasoning, beta
flags, any parameter that is the model's own) goes in `additionalModelRequestFields`, in the
spelling of the model's family. Fields of Converse itself (`guardrailConfig`, …) are taken as they
are and laid over what is made here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..exceptions import BadRequestError
from .anthropic_body import BUDGETS, check_shapes, convert_limits
from .anthropic_schema import close_schema, is_expressible
from .anthropic_tools import betas_of_tools
from .bedrock_messages import convert_messages
from .bedrock_tools import (
    NO_TOOLS,
    SEARCH_TOOL,
    convert_tool_choice,
    convert_tools,
    force_json,
    tools_of,
    tools_of_history,
)
from .caching import marked, surplus
from .params import OPENAI_PARAMS, leave_out, supported_params, without_foreign_tools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .base import Call, Target
    from .bedrock_models import Family

SUPPORTED = frozenset(
    {
        "function_call",
        "functions",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "parallel_tool_calls",
        "response_format",
        "service_tier",
        "stop",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)
"""Parameters of OpenAI's that Converse can do with every model."""

CONVERSE = frozenset(
    {
        "additionalModelRequestFields",
        "additionalModelResponseFieldPaths",
        "guardrailConfig",
        "inferenceConfig",
        "outputConfig",
        "performanceConfig",
        "promptVariables",
        "requestMetadata",
        "serviceTier",
        "toolConfig",
    }
)
"""Fields of a request that a caller may write as Bedrock spells them."""

POINT = "cachePoint"
"""The block that ends what is cached."""

SAMPLING = ("temperature", "top_p", "top_k")
TRANSLATED = OPENAI_PARAMS | CONVERSE | {"betas", "model_id", "topK", "top_k"}
EFFORTS = {"minimal": "low", "low": "low", "medium": "medium"}
"""Levels of reasoning where a model has three; what is not here is high."""


class Body(NamedTuple):
    """A request's body, and the parameters left out."""

    body: dict[str, Any]
    dropped: tuple[str, ...]


def build_body(call: Call, target: Target, family: Family, betas: list[str]) -> Body:
    """The body for a call; `betas` are the flags of an `anthropic-beta` header.

    Raises:
        UnsupportedParamsError: a parameter that the model cannot do, without `drop_params`.
        BadRequestError: messages, tools or values that it cannot read.
    """
    prompt = convert_messages(call.messages, call.files, family)
    body: dict[str, Any] = {"messages": prompt.turns}
    dropped: tuple[str, ...] = ()
    if prompt.system:
        body["system"] = prompt.system
    if call.params or betas:
        check_shapes(call.params)
        params, dropped = select_params(call, target, family)
        if betas:
            params = {**params, "betas": [*flags_of(params.get("betas")), *betas]}
        converted, more = convert_params(params, target, family, drop=call.drop_params)
        body.update(converted)
        dropped += more
    if not (body.get("toolConfig") or {}).get("tools"):
        body.pop("toolConfig", None)
        if tools := tools_of_history(prompt.turns):
            body["toolConfig"] = {"tools": tools}
    limit_cache_points(body)
    if call.extra_body:
        body.update(call.extra_body)
    return Body(body, dropped)


def limit_cache_points(body: dict[str, Any]) -> None:
    """Leave out the cache points beyond those that Bedrock takes, and a second one in one place."""
    tools: list[dict[str, Any]] = []
    if config := body.get("toolConfig"):
        tools = list(config["tools"])
        body["toolConfig"] = {**config, "tools": tools}
    turns = [turn["content"] for turn in body["messages"]]
    for blocks in (tools, body.get("system", []), *turns):
        for place in reversed(marked([blocks], POINT)):
            if place.position and POINT in blocks[place.position - 1]:
                del blocks[place.position]
    head, rest = marked([tools, body.get("system", [])], POINT), marked(turns, POINT)
    for place in reversed(surplus(head, rest)):  # from the end: positions before stay right
        del place.blocks[place.position]


@lru_cache(maxsize=256)
def supported_by(family: Family) -> frozenset[str]:
    """The parameters of OpenAI's that the models of a family take."""
    supported = SUPPORTED | ({"thinking"} if family.claude else set())
    if family.effort or (family.claude and family.claude.thinking != "no"):
        supported |= {"reasoning_effort"}
    return supported | ({"web_search_options"} if family.searches else set())


def select_params(
    call: Call, target: Target, family: Family
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The parameters that this model takes, and those left out."""
    params, dropped = supported_params(call, target, supported_by(family))
    left_out = ["user"] if "user" in params else []  # no answer depends on it
    if call.drop_params and family.claude:
        thinks = is_thinking(params) or params.get("reasoning_effort", "none") != "none"
        if thinks or not family.claude.sampling:
            left_out += [name for name in SAMPLING if name in params]
    if not left_out:
        return params, dropped
    kept = {name: value for name, value in params.items() if name not in left_out}
    return kept, (*dropped, *left_out)


def convert_params(
    params: dict[str, Any], target: Target, family: Family, *, drop: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parameters in Bedrock's shape, and the names of those left out."""
    dropped: tuple[str, ...] = ()
    if drop:
        params, dropped = without_foreign_tools(
            params, lambda tool: convert_tools([tool], family, target.model)
        )
    body: dict[str, Any] = {}
    fields = {name: value for name, value in params.items() if name not in TRANSLATED}
    if inference := convert_inference(params):
        body["inferenceConfig"] = inference
    body.update(convert_request_fields(params))
    dropped += convert_sampling(params, target, family, fields, drop=drop)
    dropped += convert_reasoning(params, target, family, fields, drop=drop)
    config, more = convert_tool_params(params, target, family, fields, drop=drop)
    dropped += more
    if config:
        body["toolConfig"] = config
    convert_response_format(params, family, body, free=is_thinking(fields))
    if betas := beta_flags(params, fields):
        fields["anthropic_beta"] = betas
    if fields:
        body["additionalModelRequestFields"] = fields
    for name in CONVERSE & params.keys():
        given = params[name]
        both = isinstance(given, dict) and isinstance(body.get(name), dict)
        body[name] = {**body[name], **given} if both else given
    return body, dropped


def beta_flags(params: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
    """Anthropic's beta flags: the caller's under either name, and what its own tools need."""
    given = (*flags_of(params.get("anthropic_beta")), *flags_of(params.get("betas")))
    needed = sorted(betas_of_tools(fields.get("tools") or ()))
    return list(dict.fromkeys((*given, *needed)))


def flags_of(given: Any) -> list[str]:
    """Flags that may be one text or several."""
    return [given] if isinstance(given, str) else list(given or ())


def convert_inference(params: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in `inferenceConfig`."""
    converted: dict[str, Any] = {}
    limit = params.get("max_completion_tokens") or params.get("max_tokens")
    if limit:
        converted["maxTokens"] = limit
    if "temperature" in params:
        given = params["temperature"]
        # OpenAI's scale goes up to 2
        converted["temperature"] = min(given, 1) if isinstance(given, int | float) else given
    if "top_p" in params:
        converted["topP"] = params["top_p"]
    stop = params.get("stop") or ()
    stops = [text for text in ([stop] if isinstance(stop, str) else stop) if text]
    if stops:
        converted["stopSequences"] = stops
    return converted


def convert_request_fields(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of OpenAI's that have a field of their own."""
    converted: dict[str, Any] = {}
    tier = params.get("service_tier")
    if tier and tier != "auto":
        converted["serviceTier"] = {"type": tier}
    if params.get("metadata"):
        converted["requestMetadata"] = {
            str(name): str(value) for name, value in params["metadata"].items()
        }
    return converted


def convert_sampling(
    params: Mapping[str, Any],
    target: Target,
    family: Family,
    fields: dict[str, Any],
    *,
    drop: bool,
) -> tuple[str, ...]:
    """Put `top_k` where the family has it; the names of what is left out.

    Raises:
        UnsupportedParamsError: the family has none, without `drop`.
    """
    value = params.get("top_k", params.get("topK"))
    if value is None:
        return ()
    if not family.top_k:
        return leave_out({"top_k": "top_k"}, target, drop=drop)
    *around, name = family.top_k
    nested: Any = {name: value}
    for place in reversed(around):
        nested = {place: nested}
    fields.update(nested)
    return ()


def convert_reasoning(
    params: dict[str, Any],
    target: Target,
    family: Family,
    fields: dict[str, Any],
    *,
    drop: bool,
) -> tuple[str, ...]:
    """Put how much to reason where the family has it; the names of what is left out."""
    if "thinking" in params:
        fields["thinking"] = params["thinking"]
    effort = params.get("reasoning_effort")
    if effort is None or "thinking" in params:
        return ()
    if effort != "none" and effort not in BUDGETS:
        raise BadRequestError(
            f"reasoning_effort is {effort!r}; write one of none, {', '.join(BUDGETS)}",
            param="reasoning_effort",
        )
    if family.claude:
        limits, dropped = convert_limits(params, target, family.claude, drop)
        fields.update((name, limits[name]) for name in limits if name != "max_tokens")
        return dropped
    fields.update(effort_fields(family.effort, effort))
    return ()


def effort_fields(spelling: str, effort: str) -> dict[str, Any]:
    """How much to reason, in the spelling of a family other than Claude."""
    level = EFFORTS.get(effort, "high")
    match spelling:
        case "nova" if effort == "none":
            return {"reasoningConfig": {"type": "disabled"}}
        case "nova":
            return {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": level}}
        case "openai" if effort != "none":
            return {"reasoning_effort": level}
        case "qwen" if effort != "none":
            return {"reasoning_config": level}
    return {}


def is_thinking(fields: Mapping[str, Any]) -> bool:
    """Whether the model is asked to think, which forbids to force a tool on it."""
    thinking = fields.get("thinking") or {}
    return thinking.get("type") in ("enabled", "adaptive")


def convert_tool_params(
    params: Mapping[str, Any],
    target: Target,
    family: Family,
    fields: dict[str, Any],
    *,
    drop: bool,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The `toolConfig`, and the names of what is left out."""
    given = params.get("tool_choice", params.get("function_call"))
    choice = convert_tool_choice(given)
    if choice == NO_TOOLS:
        return {}, ()
    tools = convert_tools(tools_of(params), family, target.model)
    if tools.own:
        fields["tools"] = tools.own
    listed = tools.listed
    if params.get("web_search_options") is not None:
        listed.append(SEARCH_TOOL)
    if not listed:
        return {}, ()
    config: dict[str, Any] = {"tools": listed}
    dropped: tuple[str, ...] = ()
    if choice is not None:
        dropped = put_choice(config, choice, target, family, drop=drop)
    if params.get("parallel_tool_calls") is False:
        if not (family.claude and family.structured):
            return config, (
                *dropped,
                *leave_out({"parallel_tool_calls": "parallel_tool_calls"}, target, drop=drop),
            )
        fields["tool_choice"] = one_call_at_a_time(config)
    return config, dropped


def put_choice(
    config: dict[str, Any],
    choice: dict[str, Any],
    target: Target,
    family: Family,
    *,
    drop: bool,
) -> tuple[str, ...]:
    """Put the choice of tools as far as the model takes it; the names of what is left out.

    Where no single tool can be forced, it is the only one that is offered.
    """
    if "auto" in choice or not family.forces.isdisjoint(choice):
        config["toolChoice"] = choice
        return ()
    if "any" not in family.forces:
        return leave_out({"tool_choice": "tool_choice"}, target, drop=drop)
    name = choice["tool"]["name"]
    config["tools"] = [
        tool for tool in config["tools"] if (tool.get("toolSpec") or {}).get("name") == name
    ]
    config["toolChoice"] = {"any": {}}
    return ()


def one_call_at_a_time(config: Mapping[str, Any]) -> dict[str, Any]:
    """Claude's own choice of tools, for Converse cannot say this."""
    kind, fields = next(iter((config.get("toolChoice") or {"auto": {}}).items()))
    return {"type": kind, **fields, "disable_parallel_tool_use": True}


def convert_response_format(
    params: Mapping[str, Any], family: Family, body: dict[str, Any], *, free: bool
) -> None:
    """Bind the answer to a schema: natively, or by a tool that takes the answer."""
    wanted = params.get("response_format") or {}
    if wanted.get("type") not in ("json_object", "json_schema"):
        return
    described = wanted.get("json_schema") or {}
    schema = described.get("schema")
    claude = family.claude is not None
    if not schema or not family.structured or (claude and not is_expressible(schema)):
        body["toolConfig"] = force_json(body.get("toolConfig", {}), schema, family, free=free)
        return
    text = msgspec.json.encode(close_schema(schema) if claude else schema).decode()
    definition = {"schema": text}
    for name in ("name", "description"):
        if described.get(name):
            definition[name] = described[name]
    structure = {"jsonSchema": definition}
    body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
