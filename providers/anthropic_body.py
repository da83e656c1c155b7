"""
The body of a Messages request: https://docs.claude.com/en/api/messages.

It is the same at Anthropic, on Vertex and on Bedrock; what differs there (address, key, where
the model and the beta flags stand) is left to the adapter that calls :func:`build_body`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import BadRequestError, UnsupportedParamsError
from .anthropic_messages import convert_messages
from .anthropic_models import traits_of
from .anthropic_schema import close_schema, is_expressible
from .anthropic_tools import (
    JSON_TOOL,
    betas_of_tools,
    convert_tool,
    convert_tool_choice,
    convert_tools,
    convert_web_search,
    json_tool,
    tools_of_history,
)
from .caching import marked, plain_control, surplus, unmark
from .params import OPENAI_PARAMS, supported_params, without_foreign_tools

if TYPE_CHECKING:
    from .anthropic_models import Traits
    from .base import Call, Target

SUPPORTED = frozenset(
    {
        "function_call",
        "functions",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "service_tier",
        "stop",
        "stream_options",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_p",
        "user",
        "web_search_options",
    }
)
"""Parameters of OpenAI's that Claude can do."""

SHAPES: dict[str, tuple[type, ...]] = {
    "functions": (list, tuple),
    "metadata": (dict,),
    "response_format": (dict,),
    "stop": (str, list, tuple),
    "thinking": (dict,),
    "tools": (list, tuple),
    "web_search_options": (dict,),
}
"""What a parameter must be for this module to read it."""

AS_THEY_ARE = frozenset({"temperature", "top_p", "thinking"})
SAMPLING = ("temperature", "top_p", "top_k")
TRANSLATED = (OPENAI_PARAMS - AS_THEY_ARE) | {"betas", "system"}
SERVICE_TIERS = {"default": "standard_only", "flex": "standard_only", "priority": "auto"}

BUDGETS = {"minimal": 1024, "low": 1024, "medium": 2048, "high": 4096, "xhigh": 8192, "max": 16384}
"""Tokens of thinking for each `reasoning_effort`; 1024 is the least that the API takes."""

EFFORTS = {"minimal": "low", "xhigh": "high"}
"""Levels to fall back to where a model does not have one of OpenAI's."""

PARAM_BETAS = {
    "context_management": "context-management-2025-06-27",
    "mcp_servers": "mcp-client-2025-04-04",
    "output_format": "structured-outputs-2025-11-13",
}
"""Parameters of Anthropic's own that need a value of the `anthropic-beta` header."""

FILES_BETA = "files-api-2025-04-14"


class Body(NamedTuple):
    """A request's body, the values of `anthropic-beta` it needs, and the parameters left out."""

    body: dict[str, Any]
    betas: set[str]
    dropped: tuple[str, ...]


def build_body(
    call: Call, target: Target, *, sampling: bool = True, structured: bool = True
) -> Body:
    """The body for a call.

    `sampling` says whether this version of the API takes `temperature`, `top_p` and `top_k`,
    `structured` whether this place binds answers to a schema where the model can.

    Raises:
        UnsupportedParamsError: a parameter that Claude cannot do, without `drop_params`.
        BadRequestError: messages, tools or values that it cannot read.
    """
    traits = traits_of(target.model)
    if not structured:
        traits = traits._replace(structured=False)
    prompt = convert_messages(call.messages, call.files)
    body: dict[str, Any] = {"model": target.model, "messages": prompt.turns}
    betas = {FILES_BETA} if _uses_uploads(call.messages) else set()
    dropped: tuple[str, ...] = ()
    system = prompt.system
    if call.params:
        check_shapes(call.params)
        params, dropped = _supported(call, target, traits, sampling)
        system = [*_system_blocks(params.get("system")), *system]
        converted, more = convert_params(params, target, traits, call.drop_params)
        body.update(converted)
        dropped += more
        betas |= betas_of_params(params)
    body.setdefault("max_tokens", traits.max_tokens)
    if "tools" not in body and (tools := tools_of_history(prompt.turns)):
        body.update(tools=tools, tool_choice={"type": "none"})
    if "tools" in body:
        betas |= betas_of_tools(body["tools"])
    if system:
        body["system"] = system
    tidy_breakpoints(body)
    if call.stream:
        body["stream"] = True
    if call.extra_body:
        body.update(call.extra_body)
    return Body(body, betas, dropped)


def tidy_breakpoints(body: dict[str, Any]) -> None:
    """Bring breakpoints into Anthropic's shape, and leave out those beyond the limit."""
    head = marked([body.get("tools", []), body.get("system", [])])
    rest = marked(turn["content"] for turn in body["messages"])
    for blocks, position in (*head, *rest):
        control = plain_control(blocks[position]["cache_control"])
        blocks[position] = {**blocks[position], "cache_control": control}
    for place in surplus(head, rest):
        unmark(place)


def check_shapes(params: dict[str, Any]) -> None:
    """Refuse parameters of a shape that this module cannot read.

    Raises:
        BadRequestError: names the first that is wrong.
    """
    for name, kinds in SHAPES.items():
        if name in params and not isinstance(params[name], kinds):
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise BadRequestError(f"{name} is {params[name]!r:.60}, not a {expected}", param=name)
    for name in ("tools", "functions"):
        if not all(isinstance(tool, dict) for tool in params.get(name, ())):
            raise BadRequestError(f"{name} must be a list of dictionaries", param=name)


def _supported(
    call: Call, target: Target, traits: Traits, sampling: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The parameters that this model takes in this version of the API, and those left out."""
    supported = SUPPORTED if traits.thinking != "no" else SUPPORTED - {"reasoning_effort"}
    params, dropped = supported_params(call, target, supported)
    given = tuple(name for name in SAMPLING if name in params)
    if not given or (sampling and not call.drop_params):
        return params, dropped
    if not sampling and not call.drop_params:
        raise UnsupportedParamsError(
            f"this version of Anthropic's API takes no {', '.join(given)}; leave it out, pass "
            "drop_params=True, or use api_version='2023-06-01'",
            model=target.model,
            llm_provider=target.provider,
            param=given[0],
        )
    if sampling and traits.sampling and not _thinks(params):
        return params, dropped
    return {name: value for name, value in params.items() if name not in given}, dropped + given


def _thinks(params: dict[str, Any]) -> bool:
    thinking = params.get("thinking") or {}
    effort = params.get("reasoning_effort", "none")
    return thinking.get("type") in ("enabled", "adaptive") or effort != "none"


def _system_blocks(system: Any) -> list[dict[str, Any]]:
    """The `system` parameter, which is Anthropic's own, as blocks."""
    if isinstance(system, str):
        return [{"type": "text", "text": system}] if system.strip() else []
    return list(system or ())


def convert_params(
    params: dict[str, Any], target: Target, traits: Traits, drop: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Parameters in Anthropic's shape, and the names of those left out."""
    dropped: tuple[str, ...] = ()
    if drop:
        params, dropped = without_foreign_tools(params, lambda tool: convert_tool(tool, traits))
    body = {name: value for name, value in params.items() if name not in TRANSLATED}
    if isinstance(body.get("temperature"), int | float):
        body["temperature"] = min(body["temperature"], 1)  # OpenAI's scale goes up to 2
    if "stop" in params:
        stops = [params["stop"]] if isinstance(params["stop"], str) else list(params["stop"])
        kept = [stop for stop in stops if not (drop and stop.isspace())]
        dropped += ("stop",) if len(kept) < len(stops) else ()
        if kept:
            body["stop_sequences"] = kept
    user = params.get("user") or (params.get("metadata") or {}).get("user_id")
    if user and "@" in str(user):
        dropped += ("user",)  # the API refuses addresses of people
    elif user:
        body["metadata"] = {"user_id": str(user)}
    if "service_tier" in params:
        tier = params["service_tier"]
        body["service_tier"] = SERVICE_TIERS.get(tier, tier)
    limits, more = convert_limits(params, target, traits, drop)
    body.update(limits)
    dropped += more
    body.update(convert_tool_params(params, traits))
    convert_response_format(params, traits, body)
    return body, dropped


def convert_limits(
    params: dict[str, Any], target: Target, traits: Traits, drop: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`max_tokens`, and thinking within it.

    Raises:
        BadRequestError: an unknown `reasoning_effort`.
        UnsupportedParamsError: a limit that leaves no room for thinking, without `drop`.
    """
    limit = params.get("max_completion_tokens") or params.get("max_tokens")
    effort = params.get("reasoning_effort")
    if effort is None or "thinking" in params:
        budget = (params.get("thinking") or {}).get("budget_tokens") or 0
        return {"max_tokens": limit or max(traits.max_tokens, budget + 1024)}, ()
    if effort != "none" and effort not in BUDGETS:
        raise BadRequestError(
            f"reasoning_effort is {effort!r}; write one of none, {', '.join(BUDGETS)}",
            param="reasoning_effort",
        )
    converted: dict[str, Any] = {"max_tokens": limit or traits.max_tokens}
    if traits.thinking == "effort":
        return {**converted, **_think_by_effort(effort, params, traits)}, ()
    if effort == "none":
        return converted, ()
    budget = min(BUDGETS[effort], converted["max_tokens"] - 1)
    if budget >= BUDGETS["minimal"]:
        return {**converted, "thinking": {"type": "enabled", "budget_tokens": budget}}, ()
    if drop:
        return converted, ("reasoning_effort",)
    raise UnsupportedParamsError(
        f"thinking takes {BUDGETS['minimal']} tokens at least, and max_tokens is {limit}; "
        "raise it, leave reasoning_effort out, or pass drop_params=True",
        model=target.model,
        llm_provider=target.provider,
        param="reasoning_effort",
    )


def _think_by_effort(effort: str, params: dict[str, Any], traits: Traits) -> dict[str, Any]:
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    level = effort if effort in traits.efforts else EFFORTS.get(effort, effort)
    thinking = {"type": "adaptive"}
    if not traits.sampling:
        thinking["display"] = "summarized"  # the models without sampling hide it otherwise
    config = {"effort": level, **(params.get("output_config") or {})}
    return {"thinking": thinking, "output_config": config}


def convert_tool_params(params: dict[str, Any], traits: Traits) -> dict[str, Any]:
    """`tools` and `tool_choice` from OpenAI's parameters, today's and the old ones."""
    tools = convert_tools(params.get("tools") or (), traits)
    tools += convert_tools(
        ({"type": "function", "function": function} for function in params.get("functions") or ()),
        traits,
    )
    if params.get("web_search_options") is not None:
        tools.append(convert_web_search(params["web_search_options"]))
    if not tools:
        return {}
    parallel = params.get("parallel_tool_calls")
    if params.get("functions"):
        parallel = False
    choice = convert_tool_choice(params.get("tool_choice", params.get("function_call")), parallel)
    return {"tools": tools, "tool_choice": choice} if choice else {"tools": tools}


def convert_response_format(params: dict[str, Any], traits: Traits, body: dict[str, Any]) -> None:
    """Bind the answer to a schema: natively, or by a tool that takes the answer."""
    wanted = params.get("response_format") or {}
    if wanted.get("type") not in ("json_object", "json_schema"):
        return
    schema = (wanted.get("json_schema") or {}).get("schema")
    if schema and traits.structured and is_expressible(schema):
        form = {"type": "json_schema", "schema": close_schema(schema)}
        body["output_config"] = {**body.get("output_config", {}), "format": form}
        return
    others = body.get("tools")
    body["tools"] = [*(others or ()), json_tool(schema)]
    if (body.get("thinking") or {}).get("type") in ("enabled", "adaptive"):
        body.pop("tool_choice", None)  # thinking and forced tools exclude each other
    elif others and body.get("tool_choice") != {"type": "none"}:
        body["tool_choice"] = {"type": "any"}
    else:
        body["tool_choice"] = {"type": "tool", "name": JSON_TOOL}


def betas_of_params(params: dict[str, Any]) -> set[str]:
    """Values of the `anthropic-beta` header: the caller's `betas`, and what parameters need."""
    given = params.get("betas") or ()
    needed = {beta for name, beta in PARAM_BETAS.items() if name in params}
    return needed | ({given} if isinstance(given, str) else set(given))


def _uses_uploads(messages: list[dict[str, Any]]) -> bool:
    """Whether a message points to an uploaded file by its id."""
    return any(
        _is_upload(part)
        for message in messages
        if isinstance(message.get("content"), list | tuple)
        for part in message["content"]
    )


def _is_upload(part: dict[str, Any]) -> bool:
    file_id = (part.get("file") or {}).get("file_id") if part["type"] == "file" else None
    if isinstance(file_id, str):
        return not file_id.startswith(("http:", "https:", "data:"))
    return isinstance(part.get("source"), dict) and part["source"].get("type") == "file"
