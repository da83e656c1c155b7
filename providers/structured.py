"""Structured output: what callers write as `response_format`, as plain JSON schema."""

from __future__ import annotations

from typing import Any

from ..exceptions import BadRequestError


def normalise_response_format(response_format: Any) -> dict[str, Any]:
    """A dictionary in OpenAI's shape, from one or from a pydantic class.

    A class becomes a strict `json_schema`, as the official SDK makes it: every property is
    required and no other is allowed.

    Raises:
        BadRequestError: it is neither; says what would do.
    """
    if isinstance(response_format, dict) and isinstance(response_format.get("type"), str):
        return response_format
    make_schema = getattr(response_format, "model_json_schema", None)
    if isinstance(response_format, type) and callable(make_schema):
        return {
            "type": "json_schema",
            "json_schema": {
                "name": response_format.__name__,
                "strict": True,
                "schema": _strict(make_schema()),
            },
        }
    raise BadRequestError(
        f"response_format is {response_format!r:.80}; pass a pydantic model class or a dictionary "
        'like {"type": "json_object"}',
        param="response_format",
    )


def _strict(schema: Any) -> Any:
    """The schema as OpenAI's strict mode wants it."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _strict(value) for name, value in schema.items()}
    if strict.get("type") == "object" and isinstance(strict.get("properties"), dict):
        strict["additionalProperties"] = strict.get("additionalProperties", False)
        strict["required"] = list(strict["properties"])
    if "default" in strict and strict["default"] is None:
        del strict["default"]
    return strict
