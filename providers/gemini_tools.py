"""
Tools for Gemini: functions, and the tools that Google runs itself.

https://ai.google.dev/api/caching#Tool. All functions of a request stand in one
`functionDeclarations`; each of Google's own tools (`googleSearch`, `codeExecution`, …) is an
entry of its own and can be written in Google's way or as OpenAI and Anthropic write theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, UnsupportedParamsError
from .gemini_schema import camel, convert_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OWN_TOOLS: tuple[tuple[str, str], ...] = (
    ("code_execution", "codeExecution"),
    ("code_interpreter", "codeExecution"),
    ("enterprise_web_search", "enterpriseWebSearch"),
    ("google_maps", "googleMaps"),
    ("google_search_retrieval", "googleSearchRetrieval"),
    ("google_search", "googleSearch"),
    ("url_context", "urlContext"),
    ("web_fetch", "urlContext"),
    ("web_search", "googleSearch"),
)
"""How a tool's `type` begins, and Google's name for what does the same."""


def convert_tools(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tools that `tools`, `functions` and `web_search_options` ask for, in Gemini's shape.

    Raises:
        BadRequestError: one is not a tool.
        UnsupportedParamsError: one is a tool that Google does not have.
    """
    declarations: list[dict[str, Any]] = []
    own: dict[str, Any] = {}
    for tool in (*(params.get("tools") or ()), *(params.get("functions") or ())):
        function = function_of(tool)
        if function is None:
            own.update(convert_own_tool(tool))
        else:
            declarations.append(convert_function(function))
    if "web_search_options" in params:
        own.setdefault("googleSearch", {})
    declarations += own.pop("functionDeclarations", ())
    converted = [{name: options} for name, options in own.items()]
    if declarations:
        converted.append({"functionDeclarations": declarations})
    return converted


def function_of(tool: Any) -> Mapping[str, Any] | None:
    """The function that a tool is, flat or nested; None if Google is to run it.

    Raises:
        BadRequestError: it is no tool, or a function without a name.
    """
    if not isinstance(tool, dict):
        raise BadRequestError(f"a tool must be a dictionary, not {tool!r:.60}", param="tools")
    function = tool.get("function", tool)
    named = isinstance(function, dict) and isinstance(function.get("name"), str)
    kind = tool.get("type")
    if kind == "function" and not named:
        raise BadRequestError(f"a tool's function has no name: {tool!r:.80}", param="tools")
    return function if named and kind in (None, "function", "custom") else None


def convert_function(function: Mapping[str, Any]) -> dict[str, Any]:
    """A function in OpenAI's shape as a declaration; one without parameters has no schema."""
    declaration: dict[str, Any] = {"name": function["name"]}
    if function.get("description"):
        declaration["description"] = function["description"]
    schema = function.get("parameters") or function.get("input_schema")
    if isinstance(schema, dict):
        converted = convert_schema(schema)
        if converted.get("properties") or converted.get("anyOf"):
            declaration["parameters"] = converted
    return declaration


def convert_own_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    """A tool that Google runs, by its name in Google's spelling."""
    kind = tool.get("type")
    if kind is None:
        names = [name for name in tool if name != "cache_control"]
        if not names:
            raise BadRequestError('a tool is empty; write {"googleSearch": {}}', param="tools")
        return {camel(name): tool[name] for name in names}
    for start, name in OWN_TOOLS:
        if str(kind).startswith(start):
            options = tool.get(start)
            return {name: options if isinstance(options, dict) else {}}
    raise UnsupportedParamsError(
        f"Gemini has no tool of the type {kind!r}; write a function, or one of Google's own "
        'tools such as {"googleSearch": {}}',
        param="tools",
    )


def convert_tool_choice(choice: Any) -> dict[str, Any]:
    """The choice of tools as `functionCallingConfig`.

    Raises:
        BadRequestError: it is none of the known choices.
    """
    match choice:
        case "auto" | {"type": "auto"}:
            return {"mode": "AUTO"}
        case "none" | {"type": "none"}:
            return {"mode": "NONE"}
        case "required" | "any" | {"type": "required" | "any"}:
            return {"mode": "ANY"}
        case {"type": "allowed_tools", "allowed_tools": {"tools": tools, "mode": mode}}:
            # VALIDATED is the free choice that can be limited to names; AUTO cannot
            return {
                "mode": "ANY" if mode == "required" else "VALIDATED",
                "allowedFunctionNames": list(_names_of(tools)),
            }
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return {"mode": "ANY", "allowedFunctionNames": [name]}
    raise BadRequestError(
        f"tool_choice is {choice!r:.80}; it must be auto, none, required, or "
        '{"type": "function", "function": {"name": "…"}}',
        param="tool_choice",
    )


def _names_of(tools: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for tool in tools:
        function = function_of(tool)
        if function is not None:
            yield function["name"]
