"""
Tools for the Converse API.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html

Functions become `toolSpec`s. Tools of Anthropic's own (`computer_…`) have no place there: they
go to the model as they are, in `additionalModelRequestFields`. Tools in Bedrock's own shape
(`toolSpec`, `systemTool`, `cachePoint`) are taken as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..exceptions import BadRequestError, UnsupportedParamsError
from .anthropic_schema import close_schema, is_expressible
from .anthropic_tools import JSON_TOOL, convert_tool, json_tool
from .bedrock_messages import cache_point, convert_tool_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .bedrock_models import Family

NATIVE = frozenset({"cachePoint", "systemTool", "toolSpec"})
SEARCH_TOOL = {"systemTool": {"name": "nova_grounding"}}
"""Nova's own search of the web."""

NO_TOOLS: dict[str, Any] = {}
"""The choice that Converse has no word for: the tools are left out."""


class Tools(NamedTuple):
    """Tools in Bedrock's shape, and those that go to the model around it."""

    listed: list[dict[str, Any]]
    own: list[dict[str, Any]]


def tools_of(params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The caller's tools, those in OpenAI's old `functions` too."""
    functions = ({"type": "function", "function": old} for old in params.get("functions") or ())
    return [*(params.get("tools") or ()), *functions]


def convert_tools(tools: Iterable[Mapping[str, Any]], family: Family, model: str) -> Tools:
    """The tools as Bedrock wants them.

    Raises:
        UnsupportedParamsError: one is neither a function nor a tool that this model knows.
    """
    converted = Tools([], [])
    for tool in tools:
        kind = tool.get("type") or "function"
        function = tool.get("function")
        if not NATIVE.isdisjoint(tool):
            converted.listed.append(dict(tool))
        elif kind == "function" or "input_schema" in tool:
            merged = {**tool, **(function if isinstance(function, dict) else {})}
            converted.listed.append(convert_function(merged, family))
            converted.listed.extend(cache_point(merged, family, "tools"))
        elif family.claude:
            converted.own.append(convert_tool(tool, family.claude))
        else:
            raise UnsupportedParamsError(
                f"a tool is neither a function nor one that this model knows: {tool!r:.80}",
                model=model,
                llm_provider="bedrock",
                param="tools",
            )
    return converted


def convert_function(function: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """A function, in OpenAI's or Anthropic's shape, as a tool.

    Raises:
        UnsupportedParamsError: it has no name: it may be another provider's own.
    """
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise UnsupportedParamsError(f"a tool has no name: {function!r:.80}", param="tools")
    schema = function.get("parameters") or function.get("input_schema") or {"properties": {}}
    if "type" not in schema:
        schema = {"type": "object", **schema}
    spec: dict[str, Any] = {"name": convert_tool_name(name), "inputSchema": {"json": schema}}
    if (function.get("description") or "").strip():
        spec["description"] = function["description"]
    if function.get("strict") and family.structured and is_expressible(schema):
        spec.update(strict=True, inputSchema={"json": close_schema(schema)})
    return {"toolSpec": spec}


def convert_tool_choice(choice: Any) -> dict[str, Any] | None:
    """The choice of tools in Bedrock's shape; None leaves it to the API.

    Raises:
        BadRequestError: it is none of the known choices.
    """
    match choice:
        case None:
            return None
        case "none" | {"type": "none"}:
            return NO_TOOLS
        case "auto" | {"type": "auto"}:
            return {"auto": {}}
        case "required" | "any" | {"type": "any"}:
            return {"any": {}}
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return {"tool": {"name": convert_tool_name(name)}}
    raise BadRequestError(
        f"tool_choice {choice!r:.80} is unknown; write 'auto', 'none', 'required' or "
        '{"type": "function", "function": {"name": "…"}}',
        param="tool_choice",
    )


def force_json(
    config: dict[str, Any], schema: dict[str, Any] | None, family: Family, *, free: bool
) -> dict[str, Any]:
    """The tools with one that takes the answer, which the model must call if it can be made to.

    `free` leaves the choice to the model: reasoning and forced tools exclude each other.
    """
    tool = json_tool(schema)
    others = config.get("tools") or []
    tools = [*others, convert_function({**tool, "parameters": tool["input_schema"]}, family)]
    if free or not family.forces:
        return {"tools": tools}
    if others or "tool" not in family.forces:
        return {"tools": tools, "toolChoice": {"any": {}}}
    return {"tools": tools, "toolChoice": {"tool": {"name": JSON_TOOL}}}


def tools_of_history(turns: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tools for a conversation that has used some but offers none any more.

    The API refuses calls and results of tools without a list of tools.
    """
    names: dict[str, None] = {}
    used = False
    for turn in turns:
        for block in turn["content"]:
            used = used or "toolResult" in block
            if "toolUse" in block:
                names[block["toolUse"]["name"]] = None
    if used and not names:
        names["unnamed"] = None
    schema = {"json": {"type": "object", "properties": {}}}
    return [{"toolSpec": {"name": name, "inputSchema": schema}} for name in names]


def original_names(params: Mapping[str, Any]) -> dict[str, str]:
    """The caller's names of tools by the names that Bedrock knows, where these differ."""
    names = ((tool.get("function") or tool).get("name") for tool in tools_of(params))
    return {
        convert_tool_name(name): name
        for name in names
        if isinstance(name, str) and convert_tool_name(name) != name
    }
