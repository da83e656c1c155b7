"""
Prompts kept outside the code: `prompt_id`, `prompt_variables` and `prompt_version` of a call.

    PromptStore      gives a Prompt for an id and a version; anything with `get` will do
    FolderPrompts    the one that comes along: a folder of text files
    Prompt           messages with places for variables, and defaults for the call

A template is rendered strictly: each ``{{name}}`` must be given, and nothing else. Templates hold
no code, and what is put in is never read as a template.

A file ``greeting.prompt`` (or a version of it, ``greeting.v2.prompt``) looks like this; the part
between the first two lines of dashes may be missing, and so may be the names of roles, where all
of it is the user's::

    ---
    model: smart
    temperature: 0.2
    ---
    --- system
    You are brief.
    --- user
    Greet {{name}}.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ..exceptions import BadRequestError, ConfigurationError

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Iterable

SUFFIX = ".prompt"
PROMPT_OPTIONS = frozenset({"prompt_id", "prompt_variables", "prompt_version"})

PLACE = re.compile(r"\\\{\{|\{\{\s*(?P<name>[A-Za-z_]\w*)\s*\}\}|\{\{")
"""A variable; a backslash before two braces makes them ordinary, and anything else is wrong."""

_FENCE = "---"
_ROLE = re.compile(r"---[ \t]*(system|developer|user|assistant)[ \t]*")
_SETTING = re.compile(r"(?P<name>[A-Za-z_]\w*)[ \t]*:[ \t]*(?P<value>.*)")
_ID = re.compile(r"\w[\w.-]*(?:/\w[\w.-]*)*")
_VERSION = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A template of one or more messages.

    Attributes:
        messages: dictionaries with `role` and `content`; a content may hold ``{{name}}``.
        model: asked where the call names none.
        params: defaults for the call, such as `temperature`.
    """

    messages: tuple[Mapping[str, str], ...]
    model: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def variables(self) -> frozenset[str]:
        """The names that must be given."""
        contents = (message["content"] for message in self.messages)
        found = (place["name"] for content in contents for place in PLACE.finditer(content))
        return frozenset(name for name in found if name)

    def render(self, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The messages with every variable in its place.

        Raises:
            BadRequestError: one is missing, is not in the template, or is no text or number;
                names it.
        """
        missing = sorted(self.variables - variables.keys())
        unknown = sorted(variables.keys() - self.variables)
        if missing or unknown:
            problems = [f"{name} is missing" for name in missing]
            problems += [f"{name} is not in the prompt" for name in unknown]
            raise BadRequestError(
                f"prompt_variables: {', '.join(problems)}", param="prompt_variables"
            )
        texts = {name: _text(name, value) for name, value in variables.items()}
        return [
            {**message, "content": _fill(message["content"], texts)} for message in self.messages
        ]


class PromptStore(Protocol):
    """Where prompts come from. `get` may be a coroutine function."""

    def get(self, prompt_id: str, version: str | int | None) -> Prompt | Awaitable[Prompt]:
        """The prompt with this id; without a version the current one.

        Raises:
            BadRequestError: there is none.
        """
        ...


class FolderPrompts:
    """A folder of templates; a file that changes is read again.

    Without a version the current one is meant: the file without a version in its name, else the
    one with the highest.

    Args:
        folder: where the files are; ids with slashes lead into folders below it.

    Raises:
        ConfigurationError: there is no such folder.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder: Path = Path(folder)
        if not self.folder.is_dir():
            raise ConfigurationError(f"there is no folder {str(self.folder)!r} with prompts")
        self._read: dict[Path, tuple[int, Prompt]] = {}

    def get(self, prompt_id: str, version: str | int | None = None) -> Prompt:
        """The prompt with this id; see :meth:`PromptStore.get`.

        Raises:
            BadRequestError: there is none; lists the versions or prompts that there are.
            ConfigurationError: its file is wrong; says where.
        """
        path = self._find(prompt_id, version)
        changed = path.stat().st_mtime_ns
        known = self._read.get(path)
        if known is None or known[0] != changed:
            known = self._read[path] = (changed, read_prompt(path.read_text("utf-8"), str(path)))
        return known[1]

    def _find(self, prompt_id: str, version: str | int | None) -> Path:
        if not isinstance(prompt_id, str) or not _ID.fullmatch(prompt_id):
            raise BadRequestError(
                f"prompt_id is {prompt_id!r:.60}; it must be a name like 'support/greeting'",
                param="prompt_id",
            )
        path = self.folder / f"{prompt_id}{SUFFIX}"
        if version is None and path.is_file():
            return path
        versions = {
            found.name[len(path.stem) + 2 : -len(SUFFIX)]: found
            for found in path.parent.glob(f"{path.stem}.v*{SUFFIX}")
        }
        if version is None and versions:
            return versions[max(versions, key=_as_number)]
        wanted = str(version).removeprefix("v")
        if version is not None and _VERSION.fullmatch(wanted) and wanted in versions:
            return versions[wanted]
        if versions:
            there = f"version {version}; there are {', '.join(sorted(versions, key=_as_number))}"
            raise BadRequestError(f"{prompt_id!r} has no {there}", param="prompt_version")
        if path.is_file():
            raise BadRequestError(f"{prompt_id!r} has no versions", param="prompt_version")
        known = sorted(
            str(found.relative_to(self.folder)).removesuffix(SUFFIX)
            for found in self.folder.rglob(f"*{SUFFIX}")
        )
        raise BadRequestError(
            f"no prompt {prompt_id!r} in {str(self.folder)!r}; there are: "
            f"{', '.join(known[:20]) or 'none'}",
            param="prompt_id",
        )


def read_prompt(text: str, name: str = "the prompt") -> Prompt:
    """The prompt that a text says; `name` stands in errors.

    Raises:
        ConfigurationError: it is malformed; names the line.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    params: dict[str, Any] = {}
    start = 0
    if lines and lines[0].rstrip() == _FENCE:
        end = next((at for at in range(1, len(lines)) if lines[at].rstrip() == _FENCE), None)
        if end is None:
            raise ConfigurationError(f"{name}: the settings do not end with a line {_FENCE}")
        params = dict(_setting(lines[at], at, name) for at in range(1, end) if lines[at].strip())
        start = end + 1
    messages = _messages(lines[start:])
    for message in messages:
        for place in PLACE.finditer(message["content"]):
            if place[0] == "{{":
                near = message["content"][place.start() : place.start() + 40]
                raise ConfigurationError(
                    f"{name}: {near!r} is no variable; write {{{{name}}}}, or \\{{{{ for two braces"
                )
    if not messages:
        raise ConfigurationError(f"{name} says nothing")
    model, _ = params.pop("model", None), params.pop("description", None)
    return Prompt(messages, model, params)


def _setting(line: str, position: int, name: str) -> tuple[str, Any]:
    found = _SETTING.fullmatch(line.strip())
    if found is None:
        raise ConfigurationError(f"{name}: line {position + 1} is {line!r:.60}, not 'name: value'")
    try:
        return found["name"], json.loads(found["value"])
    except ValueError:
        return found["name"], found["value"]


def _messages(lines: Iterable[str]) -> tuple[dict[str, str], ...]:
    """The messages; what stands before the first role is the user's."""
    parts: list[tuple[str, list[str]]] = [("user", [])]
    for line in lines:
        if role := _ROLE.fullmatch(line):
            parts.append((role[1], []))
        else:
            parts[-1][1].append(line)
    texts = ((role, "\n".join(part).strip()) for role, part in parts)
    return tuple({"role": role, "content": text} for role, text in texts if text)


def _fill(content: str, texts: Mapping[str, str]) -> str:
    return PLACE.sub(lambda place: texts[place["name"]] if place["name"] else "{{", content)


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadRequestError(
            f"prompt_variables: {name} must be a text or a number, not {type(value).__name__}",
            param="prompt_variables",
        )
    return str(value)


def _as_number(version: str) -> tuple[list[int], str]:
    return [int(part) for part in re.findall(r"\d+", version)], version


class Filled(NamedTuple):
    """What a call becomes with its prompt."""

    model: str
    messages: Any
    params: dict[str, Any]


async def fill(
    store: PromptStore | None, model: str, messages: Any, params: dict[str, Any]
) -> Filled:
    """Put the prompt that a call names before its messages, and its defaults under its parameters.

    Raises:
        BadRequestError: there is no store, no such prompt, or the variables do not fit.
    """
    given = {name: params[name] for name in sorted(PROMPT_OPTIONS) if params.get(name) is not None}
    kept = {name: value for name, value in params.items() if name not in PROMPT_OPTIONS}
    if "prompt_id" not in given:
        if given:
            raise BadRequestError(f"{', '.join(given)} without prompt_id", param="prompt_id")
        return Filled(model, messages, kept)
    if store is None:
        raise BadRequestError(
            "prompt_id needs a store of prompts: set polyroute.prompts or Router(prompts=…), for "
            'example to FolderPrompts("prompts/")',
            param="prompt_id",
        )
    variables = given.get("prompt_variables", {})
    if not isinstance(variables, Mapping):
        raise BadRequestError("prompt_variables must be a dictionary", param="prompt_variables")
    found = store.get(given["prompt_id"], given.get("prompt_version"))
    prompt: Prompt = (await found) if inspect.isawaitable(found) else found
    said = {name: value for name, value in kept.items() if value is not None}
    return Filled(
        model or prompt.model or model,
        [*prompt.render(variables), *(messages or ())],
        {**prompt.params, **said},
    )
