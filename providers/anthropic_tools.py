"""
Tools for Claude: https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview.

Functions become tools with an `input_schema`; Anthropic's own tools (`computer_…`,
`web_search_…`) are taken flat, as Anthropic writes them, or wrapped as OpenAI writes functions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError, UnsupportedParamsError
from .anthropic_schema import close_schema, is_expressible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .anthropic_models import Traits

JSON_TOOL = "json_tool_call"
"""The tool whose input is the answer, where a model cannot be bound to a schema."""

WEB_SEARCH = "web_search_20250305"
SEARCHES = {"low": 1, "medium": 5, "high": 10}
"""How many searches OpenAI's `search_context_size` allows."""

OWN_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"computer_\d"), "computer"),
    (re.compile(r"bash_\d"), "bash"),
    (re.compile(r"text_editor_(?:20241022|20250124)"), "str_replace_editor"),
    (re.compile(r"text_editor_\d"), "str_replace_based_edit_tool"),
    (re.compile(r"web_search_\d"), "web_search"),
    (re.compile(r"web_fetch_\d"), "web_fetch"),
    (re.compile(r"code_execution_\d"), "code_execution"),
    (re.compile(r"memory_\d"), "memory"),
    (re.compile(r"tool_search_tool_regex"), "tool_search_tool_regex"),
    (re.compile(r"tool_search_tool_bm25"), "tool_search_tool_bm25"),
)
"""Anthropic's own tools: each has one name, which the API wants repeated."""

TOOL_BETAS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?:computer|bash|text_editor)_20241022"), "computer-use-2024-10-22"),
    (re.compile(r"computer_20250124"), "computer-use-2025-01-24"),
    (re.compile(r"computer_20251124"), "computer-use-2025-11-24"),
    (re.compile(r"code_execution_20250522"), "code-execution-2025-05-22"),
    (re.compile(r"mcp_toolset"), "mcp-client-2025-11-20"),
    (re.compile(r"advisor_20260301"), "advisor-tool-2026-03-01"),
)
"""Tools that are asked for together with a value of the `anthropic-beta` header."""


def convert_tools(tools: Iterable[Mapping[str, Any]], traits: Traits) -> list[dict[str, Any]]:
    """The tools in Anthropic's shape.

    Raises:
        UnsupportedParamsError: one is neither a function nor a tool of Anthropic's.
    """
    return [convert_tool(tool, traits) for tool in tools]


def convert_tool(tool: Mapping[str, Any], traits: Traits) -> dict[str, Any]:
    """One tool in Anthropic's shape; see :func:`convert_tools`."""
    kind = tool.get("type") or "custom"
    function = tool.get("function")
    if kind == "function" and isinstance(function, dict):
        return convert_function({**tool, **function}, traits)
    if "input_schema" in tool:
        return dict(tool)
    if kind == "function" and "name" in tool:
        return convert_function(tool, traits)
    if kind in ("web_search", "web_search_preview"):
        return convert_web_search(dict(tool))
    if kind in ("custom", "function"):
        raise UnsupportedParamsError(
            f"a tool has neither a function nor an input_schema: {tool!r:.80}", param="tools"
        )
    own = {name: value for name, value in tool.items() if name != "function"}
    if isinstance(function, dict):
        own.update(function.get("parameters") or {})
        own.update({name: value for name, value in function.items() if name != "parameters"})
    name = next((name for pattern, name in OWN_NAMES if pattern.match(kind)), None)
    if name is not None:
        own.setdefault("name", name)
    return own


def convert_function(function: Mapping[str, Any], traits: Traits) -> dict[str, Any]:
    """A function in OpenAI's shape as a tool."""
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    if "type" not in schema:
        schema = {"type": "object", **schema}
    tool = {"name": function.get("name"), "input_schema": schema}
    for name in ("description", "cache_control"):
        if function.get(name):
            tool[name] = function[name]
    if function.get("strict") and traits.structured and is_expressible(schema):
        tool.update(strict=True, input_schema=close_schema(schema))
    return tool


def convert_web_search(options: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's `web_search_options` as Anthropic's tool for searching the web."""
    tool: dict[str, Any] = {"type": WEB_SEARCH, "name": "web_search"}
    limit = SEARCHES.get(options.get("search_context_size") or "")
    if limit:
        tool["max_uses"] = limit
    place = options.get("user_location")
    if isinstance(place, dict):
        tool["user_location"] = {"type": "approximate", **place.get("approximate", place)}
    return tool


def json_tool(schema: dict[str, Any] | None) -> dict[str, Any]:
    """The tool that takes the answer; without a schema it takes any object."""
    return {
        "name": JSON_TOOL,
        "description": "Give the answer to the user by calling this tool with it.",
        "input_schema": schema or {"type": "object", "additionalProperties": True},
    }


def convert_tool_choice(choice: Any, parallel: bool | None) -> dict[str, Any] | None:
    """The choice of tools in Anthropic's shape; None leaves it to the API.

    Raises:
        BadRequestError: it is none of the known choices.
    """
    match choice:
        case None if parallel is None:
            return None
        case None | "auto" | {"type": "auto"}:
            converted: dict[str, Any] = {"type": "auto"}
        case "none" | {"type": "none"}:
            return {"type": "none"}
        case "required" | "any" | {"type": "any"}:
            converted = {"type": "any"}
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            converted = {"type": "tool", "name": name}
        case _:
            raise BadRequestError(
                f"tool_choice {choice!r:.80} is unknown; write 'auto', 'none', 'required' or "
                '{"type": "function", "function": {"name": "…"}}',
                param="tool_choice",
            )
    if parallel is not None:
        converted["disable_parallel_tool_use"] = not parallel
    elif isinstance(choice, dict) and "disable_parallel_tool_use" in choice:
        converted["disable_parallel_tool_use"] = choice["disable_parallel_tool_use"]
    return converted


def tools_of_history(turns: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tools for a conversation that has used some but offers none any more.

    The API refuses tool calls in messages without a list of tools.
    """
    names = {
        block["name"]: None
        for turn in turns
        for block in turn["content"]
        if block.get("type") == "tool_use"
    }
    return [{"name": name, "input_schema": {"type": "object"}} for name in names]


def betas_of_tools(tools: Iterable[dict[str, Any]]) -> set[str]:
    """Values of the `anthropic-beta` header that these tools need."""
    return {
        beta
        for tool in tools
        for pattern, beta in TOOL_BETAS
        if pattern.match(tool.get("type") or "")
    }
