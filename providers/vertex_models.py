"""
Models of Vertex AI by name: who made one, where it lies, and in which format it speaks.

    gemini-2.5-pro                                  publishers/google/models/…     gemini
    claude-sonnet-4-5@20250929                      publishers/anthropic/models/…  messages
    mistral-medium-3                                publishers/mistralai/models/…  mistral
    meta/llama-4-scout-17b-16e-instruct-maas        endpoints/openapi              chat
    1234567890, gemini/1234567890                   endpoints/1234567890           gemini
    openai/1234567890                               endpoints/1234567890           chat
    projects/P/locations/L/…                        the same, with its own place

https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/use-partner-models
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Format = Literal["gemini", "messages", "mistral", "chat"]

PUBLISHERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), publisher)
    for pattern, publisher in (
        (r"claude", "anthropic"),
        (r"(?:open-)?(?:mi[sx]tral|ministral|codestral|pixtral|magistral)", "mistralai"),
        (r"llama", "meta"),
        (r"deepseek", "deepseek-ai"),
        (r"qwen", "qwen"),
        (r"gpt-oss", "openai"),
        (r"kimi", "moonshotai"),
        (r"minimax", "minimaxai"),
        (r"glm-", "zai-org"),
        (r"grok", "xai"),
        (r"", "google"),
    )
)
"""Whose a model is if its name does not say; the table is read from the top."""

FORMATS: dict[str, Format] = {"anthropic": "messages", "google": "gemini", "mistralai": "mistral"}
"""Publishers with a format of their own; the others' models speak OpenAI's."""

ENDPOINT = re.compile(r"endpoints/(?P<named>[^/]+)|(?:gemini/|(?P<openai>openai/))?(?P<number>\d+)")
PLACED = re.compile(r"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/(?P<rest>.+)")


class Model(NamedTuple):
    """A model and its place.

    Attributes:
        name: what the format calls it in the body, and tells its abilities by.
        resource: what stands behind `locations/…` in its address.
        project: the project that its name says it lies in.
        location: the location likewise.
    """

    name: str
    resource: str
    format: Format
    project: str | None = None
    location: str | None = None


def read_model(name: str, base_model: str | None = None) -> Model:
    """The model of a name; `base_model` is what an endpoint serves."""
    placed = PLACED.fullmatch(name)
    if placed:
        model = read_model(placed["rest"], base_model)
        return model._replace(project=placed["project"], location=placed["location"])
    name = re.sub(r"^(?:publishers/([^/]+)/)?models/", r"\1/", name).lstrip("/")
    endpoint = ENDPOINT.fullmatch(name)
    if endpoint:
        identifier = endpoint["named"] or endpoint["number"]
        chat = endpoint["openai"] is not None or identifier == "openapi"
        return _endpoint(identifier, base_model, chat=chat)
    publisher, slash, rest = name.partition("/")
    if not slash:
        publisher, rest = _publisher(name), name
    form = FORMATS.get(publisher, "chat")
    if form == "chat" or rest.endswith("-maas"):
        return Model(f"{publisher}/{rest}", "endpoints/openapi", "chat")
    return Model(rest, f"publishers/{publisher}/models/{rest}", form)


def _publisher(name: str) -> str:
    return next(publisher for pattern, publisher in PUBLISHERS if pattern.match(name))


def _endpoint(identifier: str, base_model: str | None, *, chat: bool) -> Model:
    """A model at an endpoint of one's own: a tuned Gemini, unless something else is said."""
    served = (base_model or "").rpartition("/")[2]
    if chat or (served and not served.startswith("gemini")):
        return Model("", f"endpoints/{identifier}", "chat")
    return Model(served or identifier, f"endpoints/{identifier}", "gemini")
