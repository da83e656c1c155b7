"""
JSON schemas that Claude can be bound to.

https://docs.claude.com/en/docs/build-with-claude/structured-outputs: objects list their
properties and allow no others, nothing is recursive, numbers and lengths have no limits.
"""

from __future__ import annotations

from typing import Any

LIMITS = frozenset(
    {
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "uniqueItems",
    }
)
"""Keywords that cannot be enforced; the model reads them in the description instead."""

_OPEN = frozenset({"patternProperties", "prefixItems", "if", "not", "dependentSchemas"})
_DATA = frozenset({"enum", "const", "default", "examples"})
_MAPS = frozenset({"properties", "$defs", "definitions"})
_LISTS = frozenset({"anyOf", "allOf", "oneOf"})


def is_expressible(schema: Any, root: Any = None, within: frozenset[str] = frozenset()) -> bool:
    """Whether answers can be bound to this schema: no free-form objects, no recursion."""
    if isinstance(schema, list):
        return all(is_expressible(item, root, within) for item in schema)
    if not isinstance(schema, dict):
        return True
    root = schema if root is None else root
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in within or not _is_local(reference, root):
            return False
        target = _look_up(reference, root)
        if not is_expressible(target, root, within | {reference}):
            return False
    if schema.get("additionalProperties") or not _OPEN.isdisjoint(schema):
        return False
    if _is_object(schema) and not schema.get("properties"):
        return False
    return all(
        is_expressible(value, root, within) for key, value in schema.items() if key not in _DATA
    )


def _is_object(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _is_local(reference: str, root: Any) -> bool:
    return reference.startswith("#/") and _look_up(reference, root) is not None


def _look_up(reference: str, root: Any) -> Any:
    found = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def close_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """An expressible schema as the API wants it: objects closed, limits told in words."""
    closed: dict[str, Any] = {}
    for key, value in schema.items():
        if key in LIMITS or (key == "minItems" and value not in (0, 1)):
            continue
        if key in _MAPS and isinstance(value, dict):
            closed[key] = {name: _close(item) for name, item in value.items()}
        elif key in _LISTS and isinstance(value, list):
            closed["anyOf" if key == "oneOf" else key] = [_close(item) for item in value]
        else:
            closed[key] = _close(value) if key == "items" else value
    if _is_object(schema):
        closed["additionalProperties"] = False
    limits = ", ".join(
        f"{key}: {schema[key]}" for key in schema if key not in closed and key != "oneOf"
    )
    if limits:
        closed["description"] = f"{schema.get('description', '')} ({limits})".strip()
    return closed


def _close(value: Any) -> Any:
    return close_schema(value) if isinstance(value, dict) else value
