"""
JSON schema in the words that Gemini's `Schema` has.

https://ai.google.dev/api/caching#Schema is a part of OpenAPI 3: no references, no lists of
types, no `oneOf` or `allOf`, enumerations of text only, and unknown keywords are an error.
Whole JSON schemas go elsewhere (`responseJsonSchema`) and need none of this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = frozenset(
    {
        "default",
        "description",
        "example",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "nullable",
        "pattern",
        "propertyOrdering",
        "title",
    }
)
"""Keywords that mean the same in both and go as they are."""

FORMATS = {
    "STRING": frozenset({"date-time", "enum"}),
    "NUMBER": frozenset({"double", "float"}),
    "INTEGER": frozenset({"int32", "int64"}),
}
"""The formats that Gemini takes; any other is an error to it."""

ANYTHING = {"type": "OBJECT"}
"""What stands where Gemini wants a schema and there is none, or where one contains itself."""


def camel(name: str) -> str:
    """Google's spelling of a name in snake case: ``google_search`` is ``googleSearch``."""
    head, *tail = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail)


def convert_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema as Gemini's `Schema`, references replaced by what they refer to."""
    return _convert(schema, schema, ())


def _convert(schema: Any, root: Mapping[str, Any], within: tuple[str, ...]) -> dict[str, Any]:
    """One level. `within` are the references on the way here: a schema may contain itself."""
    if not isinstance(schema, dict):
        return {}
    found = _dereference(schema, root, within)
    if found is None:
        return dict(ANYTHING)
    schema, within = _join_all_of(*found, root)
    schema = _spread_types(schema)
    converted = {name: value for name, value in schema.items() if name in KEPT}
    kind = _type_of(schema)
    if kind:
        converted["type"] = kind
    converted.update(_convert_values(schema, kind))
    if kind == "ARRAY":
        converted["items"] = _convert_items(schema, root, within)
    if isinstance(schema.get("properties"), dict) and schema["properties"]:
        converted.update(_convert_properties(schema, root, within))
    variants = schema.get("anyOf") or schema.get("oneOf")
    return _with_variants(converted, variants, root, within) if variants else converted


def _dereference(
    schema: dict[str, Any], root: Mapping[str, Any], within: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """What the schema refers to, and the references followed; None if they lead in a circle."""
    while isinstance(schema.get("$ref"), str):
        reference = schema["$ref"]
        if reference in within:
            return None
        within = (*within, reference)
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        schema = {**_lookup(reference, root), **beside}
    return schema, within


def _lookup(reference: str, root: Mapping[str, Any]) -> dict[str, Any]:
    """What a reference inside the document points to; nothing where it points nowhere."""
    found: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _join_all_of(
    schema: dict[str, Any], within: tuple[str, ...], root: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The schema with its `allOf` laid under it, and the references followed for that.

    Properties and required ones add up.
    """
    parts = schema.get("allOf")
    if not isinstance(parts, list):
        return schema, within
    joined: dict[str, Any] = {}
    followed = within
    for part in (*parts, {name: value for name, value in schema.items() if name != "allOf"}):
        found = _dereference(part, root, within) if isinstance(part, dict) else None
        if found is None:
            continue
        inner, more = _join_all_of(*found, root)
        followed += tuple(reference for reference in more if reference not in followed)
        properties = {**joined.get("properties", {}), **(inner.get("properties") or {})}
        required = [*joined.get("required", ()), *(inner.get("required") or ())]
        joined = {**joined, **inner}
        if properties:
            joined["properties"] = properties
        if required:
            joined["required"] = list(dict.fromkeys(required))
    return joined, followed


def _spread_types(schema: dict[str, Any]) -> dict[str, Any]:
    """A list of types as one type, a `nullable` mark or variants."""
    types = schema.get("type")
    if not isinstance(types, list):
        return schema
    spread = {name: value for name, value in schema.items() if name != "type"}
    if "null" in types:
        spread["nullable"] = True
    types = [kind for kind in types if kind != "null"]
    if len(types) == 1:
        spread["type"] = types[0]
    elif types:
        spread["anyOf"] = [{"type": kind} for kind in types]
    return spread


def _type_of(schema: Mapping[str, Any]) -> str | None:
    """The type in Google's spelling, inferred where the schema leaves it to the reader."""
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind.upper()
    if "properties" in schema:
        return "OBJECT"
    if "items" in schema or "prefixItems" in schema:
        return "ARRAY"
    values = [*(schema.get("enum") or ()), *([schema["const"]] if "const" in schema else ())]
    if any(isinstance(value, str) for value in values):
        return "STRING"
    return None


def _convert_values(schema: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    """Format and enumeration, as far as Gemini has them."""
    converted: dict[str, Any] = {}
    if schema.get("format") in FORMATS.get(kind or "", ()):
        converted["format"] = schema["format"]
    values = [schema["const"]] if "const" in schema else schema.get("enum") or []
    if None in values:
        converted["nullable"] = True
    texts = [value for value in values if isinstance(value, str) and value]
    if texts and kind == "STRING":
        converted["enum"] = texts
    return converted


def _convert_items(
    schema: Mapping[str, Any], root: Mapping[str, Any], within: tuple[str, ...]
) -> dict[str, Any]:
    """What an array holds; a tuple holds any of its members."""
    items = schema.get("prefixItems") or schema.get("items")
    if isinstance(items, list):
        items = items[0] if len(items) == 1 else {"anyOf": items}
    return _convert(items, root, within) or dict(ANYTHING)


def _convert_properties(
    schema: Mapping[str, Any], root: Mapping[str, Any], within: tuple[str, ...]
) -> dict[str, Any]:
    """An object's properties; `required` may name only those."""
    properties = {
        name: _convert(value, root, within) for name, value in schema["properties"].items()
    }
    converted: dict[str, Any] = {"properties": properties}
    required = [name for name in schema.get("required") or () if name in properties]
    if required:
        converted["required"] = required
    return converted


def _with_variants(
    outer: dict[str, Any],
    variants: list[Any],
    root: Mapping[str, Any],
    within: tuple[str, ...],
) -> dict[str, Any]:
    """Variants under what they have in common: `anyOf` tolerates no other field beside it."""
    kept = [
        _convert(variant, root, within)
        for variant in variants
        if not (isinstance(variant, dict) and variant.get("type") == "null")
    ]
    if len(kept) < len(variants):
        outer = {**outer, "nullable": True}
    merged = [{**outer, **variant} for variant in kept]
    if len(merged) == 1:
        return merged[0]
    return {"anyOf": merged} if merged else outer
