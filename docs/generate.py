"""
The tables of the documentation that follow from the code.

    uv run python docs/generate.py            write them between their markers
    uv run python docs/generate.py --check    exit 1 if one of them is stale

A page holds a table between ``<!-- generated: NAME -->`` and ``<!-- end -->``. Nothing here depends
on the environment: parameters that a provider refuses are found by asking its adapter.
"""

# ruff: noqa: INP001  a script, not a part of the package

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyroute import Router, exceptions
from polyroute.exceptions import BY_STATUS, APIError, BadRequestError, UnsupportedParamsError
from polyroute.providers import (
    Call,
    Compatible,
    File,
    Target,
    adapter,
    aws_credentials,
    azure_access,
)
from polyroute.providers.catalog import COMPATIBLE, NO_KEY
from polyroute.providers.google_credentials import GoogleToken
from polyroute.providers.params import OPENAI_PARAMS
from polyroute.providers.registry import ALIASES, MODULES
from polyroute.router.config import NOT_ENFORCED
from polyroute.router.options import NOT_YET, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
MARKED = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

ELSEWHERE = {True: "at once", False: "no"}
AGAIN = {True: "after a pause", False: "never"}
FALLBACK = {
    "always": "yes",
    "context_window": "yes",
    "content_policy": "yes",
    "on_request": "only with `fallback_on_bad_request`",
    "never": "no",
}
HEALTH = {
    "failure": "counts",
    "rate_limit": "rests as long as the provider says",
    "rest": "rests for a minute",
    "untouched": "untouched",
}

TOOL = {"name": "look_up", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": TOOL}]
SAMPLES: dict[str, dict[str, Any]] = {
    "audio": {"audio": {"voice": "alloy", "format": "wav"}, "modalities": ["text", "audio"]},
    "frequency_penalty": {"frequency_penalty": 0.5},
    "function_call": {"functions": [TOOL], "function_call": "auto"},
    "functions": {"functions": [TOOL]},
    "logit_bias": {"logit_bias": {"50256": -100}},
    "logprobs": {"logprobs": True},
    "max_completion_tokens": {"max_completion_tokens": 100},
    "max_tokens": {"max_tokens": 100},
    "metadata": {"metadata": {"user_id": "somebody"}},
    "modalities": {"modalities": ["text", "audio"]},
    "n": {"n": 2},
    "parallel_tool_calls": {"tools": TOOLS, "parallel_tool_calls": False},
    "prediction": {"prediction": {"type": "content", "content": "Hello"}},
    "presence_penalty": {"presence_penalty": 0.5},
    "reasoning_effort": {"reasoning_effort": "low"},
    "response_format": {"response_format": {"type": "json_object"}},
    "seed": {"seed": 7},
    "service_tier": {"service_tier": "auto"},
    "stop": {"stop": ["END"]},
    "store": {"store": True},
    "stream_options": {"stream_options": {"include_usage": True}},
    "temperature": {"temperature": 0.5},
    "thinking": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "tool_choice": {"tools": TOOLS, "tool_choice": "required"},
    "tools": {"tools": TOOLS},
    "top_logprobs": {"logprobs": True, "top_logprobs": 2},
    "top_p": {"top_p": 0.5},
    "user": {"user": "somebody"},
    "verbosity": {"verbosity": "low"},
    "web_search_options": {"web_search_options": {}},
}
"""A call for every parameter of OpenAI's, with a value that means something."""

MEDIA: dict[str, dict[str, Any]] = {
    "images": {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    "documents": {
        "type": "file",
        "file": {"file_data": "data:application/pdf;base64,JVBERi0xLjQ=", "filename": "a.pdf"},
    },
    "audio": {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    "video": {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}},
}
"""A part of a message for every kind of content beside text."""

MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "azure": "gpt-4.1",
    "bedrock": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "cohere": "command-a-reasoning-08-2025",
    "gemini": "gemini-2.5-flash",
    "mistral": "magistral-medium-latest",
    "openai": "gpt-4.1",
    "perplexity": "sonar-pro",
    "replicate": "meta/meta-llama-3-70b-instruct",
    "vertex_ai": "gemini-2.5-flash",
    "xai": "grok-4",
}
"""The model that a provider is asked about; what others refuse may differ."""

SETTINGS = {
    "bedrock": {
        "aws_access_key_id": "id",
        "aws_secret_access_key": "secret",
        "aws_region_name": "us-east-1",
    },
    "vertex_ai": {"vertex_project": "project", "vertex_location": "us-central1"},
}

KEYS: dict[str, Sequence[str]] = {
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "azure": (*azure_access.KEY_ENV, *azure_access.TOKEN_ENV),
    "bedrock": (*aws_credentials.BEARER_ENV, "AWS_ACCESS_KEY_ID"),
    "vertex_ai": ("GOOGLE_APPLICATION_CREDENTIALS",),
}
"""Where a module's keys are more than one list of variables."""

BASES = {
    "azure": "`api_base`, `AZURE_API_BASE`",
    "bedrock": "of the region (`AWS_REGION_NAME`, …)",
    "vertex_ai": "of project and location (`VERTEXAI_PROJECT`, `VERTEXAI_LOCATION`)",
}

QUIRKS = {
    "anthropic": "[page](anthropic.md): thinking, prompt caching, its own tools",
    "azure": "[page](azure.md): deployments in the place of models, versions, Entra tokens",
    "bedrock": "[page](bedrock.md): Converse, signatures or bearer token, binary streams",
    "cohere": "[page](cohere.md): version 2, citations, thinking by budget",
    "deepseek": "a message with `prefix` goes to `/beta`",
    "gemini": "[page](gemini.md): schemas rewritten, thought signatures, Google's own tools",
    "huggingface": "`huggingface/provider/org/model`; an `api_base` is a TGI server or endpoint",
    "mistral": "[page](mistral.md): unknown fields refused, nine-character tool-call ids",
    "ollama": "[page](ollama.md): native `/api/chat`; OpenAI's format if `api_base` ends in `/v1`",
    "perplexity": "`citations` kept, each pointer an annotation",
    "replicate": "[page](replicate.md): a prompt instead of messages, predictions, tokens counted",
    "vertex_ai": "[page](vertex.md): Gemini, Claude, Mistral, Llama and others behind one token",
    "xai": "[page](xai.md): searches (`web_search_options`, its own tools) go to `/responses`",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def code(names: Iterable[str]) -> str:
    """Names as code, one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def error_classes(kind: type[APIError] = APIError) -> list[type[APIError]]:
    """A class of error and all below it, in the order of the tree."""
    return [kind, *(below for child in kind.__subclasses__() for below in error_classes(child))]


def policy(kind: type[APIError]) -> tuple[str, str, str, str]:
    """What the Router makes of an error, in words."""
    if kind is exceptions.StreamInterruptedError:  # it is the reader's, not the engine's
        return ELSEWHERE[False], AGAIN[False], FALLBACK["never"], HEALTH[kind.health]
    return (
        ELSEWHERE[kind.elsewhere],
        AGAIN[kind.again],
        FALLBACK[kind.fallback],
        HEALTH[kind.health],
    )


POLICY = ("another deployment", "the same one again", "fallback groups", "deployment's health")


def errors() -> str:
    """One row for each class."""
    return table(
        ("error", "status", *POLICY),
        (
            (f"`{kind.__name__}`", ", ".join(statuses(kind)) or "none", *policy(kind))
            for kind in error_classes()[1:]
        ),
    )


def statuses(kind: type[APIError]) -> list[str]:
    """The HTTP statuses that lead to this class by themselves."""
    return [str(status) for status, leads_to in BY_STATUS.items() if leads_to is kind]


def decisions() -> str:
    """One row for each policy."""
    groups: dict[tuple[str, ...], list[type[APIError]]] = {}
    for kind in error_classes()[1:]:
        if kind is not exceptions.StreamInterruptedError:
            groups.setdefault(policy(kind), []).append(kind)
    return table(
        ("error", *POLICY),
        ((code(kind.__name__ for kind in kinds), *words) for words, kinds in groups.items()),
    )


def tree() -> str:
    """The tree as the module draws it."""
    drawn = (exceptions.__doc__ or "").split("\n\n")[1]
    return f"```text\n{inspect.cleandoc(drawn)}\n```\n"


def providers() -> str:
    """One row for each provider that has chat."""
    names = sorted({*MODULES["chat"], *COMPATIBLE})
    return table(
        ("prefix", "key", "base URL", "reads", "parameters refused", "more"),
        (
            (
                prefixes(name),
                keys(name),
                base(name),
                reads(name),
                code(refused(name)) or "none",
                quirks(name),
            )
            for name in names
        ),
    )


def prefixes(name: str) -> str:
    """The prefix and its other spellings."""
    return code([f"{name}/", *(f"{other}/" for other, it in ALIASES.items() if it == name)])


def row_of(name: str) -> Compatible | None:
    """The row of a provider, its module's if it has a module."""
    if name not in MODULES["chat"]:
        return COMPATIBLE[name]
    rows = vars(module_of(name)).values()
    return next((row for row in rows if isinstance(row, Compatible)), None)


def module_of(name: str) -> Any:
    """The module of a provider with a format of its own."""
    return import_module(MODULES["chat"][name][0], "polyroute.providers")


def keys(name: str) -> str:
    """The variables that may hold the key."""
    if name in KEYS:
        return code(KEYS[name])
    row = row_of(name)
    found = code(row.key_env if row else module_of(name).KEY_ENV)
    return f"{found} (or none)" if row and row.placeholder_key else found


def base(name: str) -> str:
    """The address, or where it is said."""
    if name in BASES:
        return BASES[name]
    row = row_of(name)
    if row is None:
        module = module_of(name)
        return str(getattr(module, "HOST", "") or module.BASE_URL)
    return row.base_url or code(["api_base", *row.base_env])


def translator_of(name: str) -> tuple[Any, Any]:
    """The adapter of a provider for some model, and the secret that its calls need."""
    settings = SETTINGS.get(name, {})
    own_address = name not in SETTINGS and name != "replicate"
    base_url = "https://127.0.0.1/v1" if own_address and row_of(name) else None
    model = MODELS.get(name, "some-model")
    target = Target(name, model, "key", base_url if name != "ollama" else None, settings=settings)
    translator = adapter(target)
    return translator, GoogleToken("token", None, None) if translator.credential else None


def refused(name: str) -> list[str]:
    """The parameters of OpenAI's that an adapter does not take."""
    translator, secret = translator_of(name)
    return [param for param in sorted(OPENAI_PARAMS) if not takes(translator, param, secret)]


def reads(name: str) -> str:
    """What an adapter takes beside text."""
    if name in COMPATIBLE and COMPATIBLE[name].media is None:
        return "what the server reads"
    translator, secret = translator_of(name)
    return ", ".join(kind for kind in MEDIA if opens(translator, kind, secret)) or "text only"


def opens(translator: Any, kind: str, secret: Any) -> bool:
    """Whether an adapter takes content of a kind."""
    call = Call([{"role": "user", "content": [MEDIA[kind]]}], secret=secret)
    try:
        call.files = dict.fromkeys(translator.files(call), File(b"", "application/pdf"))
        translator.build(call)
    except BadRequestError:
        return False
    return True


def takes(translator: Any, param: str, secret: Any) -> bool:
    """Whether a parameter is taken; a wrong value would be another error."""
    messages = [{"role": "user", "content": "Hello"}]
    call = Call(messages, dict(SAMPLES[param]), stream=param == "stream_options", secret=secret)
    try:
        translator.build(call)
    except UnsupportedParamsError as error:
        return param not in str(error)
    except BadRequestError:
        return True
    return True


def quirks(name: str) -> str:
    """What else is to be known."""
    said = [QUIRKS[name]] if name in QUIRKS else []
    if name not in COMPATIBLE:
        return "; ".join(said)
    row = COMPATIBLE[name]
    if row.rename:
        said.append(", ".join(f"`{ours}` → `{theirs}`" for ours, theirs in row.rename.items()))
    if row.message_keys:
        said.append(f"messages may have {code(sorted(row.message_keys))}")
    if row.reasoning == "both":
        said.append("`thinking` goes as it is")
    elif row.reasoning:
        said.append(f"reasons by `{row.reasoning}`")
    if row.efforts:
        levels = ", ".join(f"`{ours}` → `{theirs}`" for ours, theirs in row.efforts.items())
        said.append(f"effort {levels}")
    if row.model_prefix:
        said.append(f"names begin with `{row.model_prefix}`")
    if not row.strict_tools:
        said.append("`strict` of tools left out")
    if row.placeholder_key == NO_KEY:
        said.append("a server of one's own")
    return "; ".join(said)


def arguments(text: str | None, head: str) -> dict[str, str]:
    """The descriptions in a section of a docstring."""
    _, _, section = inspect.cleandoc(text or "").partition(f"{head}:\n")
    section = re.split(r"\n\n", section)[0]
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: re.sub(r"``([^`]*)``", r"`\1`", " ".join(said.split())) for name, said in found}


def settings() -> str:
    """What a Router takes."""
    said = arguments(Router.__doc__, "Args")
    signature = inspect.signature(Router)
    return table(
        ("setting", "default", "meaning"),
        (
            (f"`{name}`", default_of(name, parameter.default), said[name])
            for name, parameter in signature.parameters.items()
        ),
    )


def default_of(name: str, value: Any) -> str:
    """A default, as it would be written."""
    return "`time.monotonic`" if name == "clock" else f"`{value!r}`"


def options() -> str:
    """What one call takes."""
    return table(
        ("option", "meaning"),
        ((f"`{name}`", said) for name, said in arguments(Options.__doc__, "Attributes").items()),
    )


def later() -> str:
    """What is refused because it is not there yet."""
    return (
        f"In `litellm_params`: {code(sorted(NOT_ENFORCED))}.\n\n"
        f"Of a call: {code(sorted(NOT_YET))}.\n"
    )


def figures() -> str:
    """The main figures of the page on performance: machine, command and the first table."""
    page = (ROOT / "docs/performance.md").read_text("utf-8")
    found = re.search(r"^## Figures\n\n((?:(?!\|).*\n)+(?:\|.*\n)+)", page, re.MULTILINE)
    return found[1] if found else ""


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (decisions, errors, figures, later, options, providers, settings, tree)
}


def pages() -> list[Path]:
    """The pages that may hold generated parts."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def renew(text: str) -> str:
    """A page with its generated parts as they should be."""
    return MARKED.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n{found[3]}", text)


def stale() -> dict[Path, str]:
    """The pages that are not as they should be, with what they should say."""
    texts = {page: page.read_text("utf-8") for page in pages()}
    return {page: made for page, text in texts.items() if (made := renew(text)) != text}


def main() -> int:
    """Write what is stale, or only say so."""
    check = "--check" in sys.argv[1:]
    found = stale()
    for page, text in found.items():
        print(f"{'stale' if check else 'written'}: {page.relative_to(ROOT)}")
        if not check:
            page.write_text(text, "utf-8")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
