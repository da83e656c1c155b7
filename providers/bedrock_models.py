"""
Models on Bedrock: how they are named, and what each family can do.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html

A name may carry how it is called and where, in front of Bedrock's own name of the model:

    anthropic.claude-3-5-sonnet-20241022-v2:0        a model
    us.anthropic.claude-sonnet-4-5-20250929-v1:0     …served by several regions
    eu-west-1/amazon.nova-pro-v1:0                   …in this region
    converse/meta.llama3-1-70b-instruct-v1:0         …by the Converse API, as without the word
    invoke/anthropic.claude-sonnet-4-5-20250929-v1:0  …by InvokeModel: Claude only
    arn:aws:bedrock:us-east-1:123456789012:…         an inference profile, an imported model, …
    anthropic.claude-sonnet-4-5/arn:aws:bedrock:…    …and what it leads to, which no ARN tells
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from ..exceptions import BadRequestError
from .anthropic_models import Traits, traits_of

OTHER_APIS = frozenset({"agent", "agentcore", "async_invoke", "invoke", "mantle"})
"""Prefixes of names that ask for another of Bedrock's APIs than Converse."""

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d+")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z]+:([a-z0-9-]*):")
_FORCED = frozenset({"any", "tool"})
_ALL = frozenset({"messages", "tools"})


class Name(NamedTuple):
    """A model's name, taken apart.

    Attributes:
        model: Bedrock's own name or ARN.
        region: the region that the name says, None if it says none.
        family: what the family is looked up by: the name, or what stands before an ARN.
    """

    model: str
    region: str | None
    family: str


class Family(NamedTuple):
    """What the models of one family can do, as far as it differs.

    Attributes:
        top_k: where `top_k` goes below `additionalModelRequestFields`; empty: not taken.
        effort: how reasoning is asked for; empty: it cannot be.
        claude: what this Claude can do; None for other families.
        forces: the choices of tools besides `auto`.
        caches: which parts of a request may have cache points.
        structured: answers and tool inputs can be bound to a JSON schema.
        system: there is a system prompt.
        status: results of tools can be marked as errors.
        searches: it has a tool of its own to search the web.
    """

    top_k: tuple[str, ...] = ("top_k",)
    effort: Literal["", "nova", "openai", "qwen"] = ""
    claude: Traits | None = None
    forces: frozenset[str] = _FORCED
    caches: frozenset[str] = frozenset()
    structured: bool = False
    system: bool = True
    status: bool = False
    searches: bool = False


_CLAUDE = Family(claude=traits_of("claude"), caches=_ALL, status=True)
_NOVA = Family(("inferenceConfig", "topK"), caches=frozenset({"messages"}), status=True)
_OPEN = Family(structured=True)
_PLAIN = Family(forces=frozenset())

FAMILIES: tuple[tuple[re.Pattern[str], Family], ...] = tuple(
    (re.compile(pattern), family)
    for pattern, family in (
        (
            r"claude-(?:instant|v?[12]\b|3-(?:opus|sonnet|haiku)|3-5-sonnet-20240620)",
            _CLAUDE._replace(caches=frozenset()),
        ),
        (r"(?:opus|sonnet|haiku)-4-[56]\b", _CLAUDE._replace(structured=True)),
        (r"anthropic|claude", _CLAUDE),
        (r"nova-2", _NOVA._replace(effort="nova", searches=True)),
        (r"nova", _NOVA),
        (r"gpt-oss", _OPEN._replace(top_k=(), effort="openai")),
        (r"openai", _OPEN._replace(top_k=())),
        (r"qwen", _OPEN._replace(effort="qwen")),
        (r"deepseek[._-]r1", _PLAIN._replace(top_k=())),
        (r"deepseek|gemma|minimax|moonshot|kimi|nemotron|nvidia|zai|glm", _OPEN),
        (r"magistral|ministral|voxtral|devstral|mistral-large-3", _OPEN),
        (r"mistral-7b|mixtral", _PLAIN._replace(system=False)),
        (r"mistral|pixtral", Family(forces=frozenset({"any"}))),
        (r"meta\.|llama|ai21|jamba|writer|palmyra", _PLAIN._replace(top_k=())),
        (r"command-r", _PLAIN._replace(top_k=("k",))),
        (r"cohere", _PLAIN._replace(top_k=("k",), system=False)),
        (r"titan", _PLAIN._replace(top_k=(), system=False)),
        (r"", _CLAUDE),
    )
)
"""Patterns of names and their families, read from the top. The unknown is taken for a Claude:
the ARN of an inference profile does not tell where it leads, and most lead there."""


@lru_cache(maxsize=256)
def family_of(name: str) -> Family:
    """The family of a model by its name, with or without the regions before it."""
    lowered = name.lower()
    family = next(family for pattern, family in FAMILIES if pattern.search(lowered))
    return family if family.claude is None else family._replace(claude=traits_of(lowered))


def parse_name(name: str) -> Name:
    """A model's name taken apart.

    Raises:
        BadRequestError: it asks for an API that is not spoken here.
    """
    region = None
    rest = name.removeprefix("converse/")
    first, slash, after = rest.partition("/")
    if slash and first in OTHER_APIS:
        raise BadRequestError(
            f"{first}/ in the model's name asks for an API of Bedrock's that polyroute does not "
            f"call this model by: write bedrock/{after}",
            model=name,
            llm_provider="bedrock",
        )
    if slash and _REGION.fullmatch(first):
        region, rest = first, after
    before, arn, tail = rest.partition("arn:")
    if not arn:
        return Name(rest, region, rest)
    arn += tail
    found = _ARN.match(arn)
    return Name(arn, region or (found[1] if found and found[1] else None), before or tail)
