"""What an upstream says, before a wire format has put it into words of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call of a tool that the scripted model asks for."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer.

    Attributes:
        text: what the model says; streams deliver it word by word.
        tools: tools it calls.
        truncated: whether it stops for its token limit instead of its end.
        prompt_tokens: reported usage; None counts the words of the request.
        completion_tokens: reported usage; None counts the words of the answer.
    """

    text: str = ""
    tools: Sequence[ToolUse] = ()
    truncated: bool = False
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    @property
    def words(self) -> list[str]:
        """The text in pieces as a stream delivers it; joined they are the text."""
        return re.findall(r"\s*\S+\s*\Z|\s*\S+", self.text) or ([self.text] if self.text else [])

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer, by word where no number is scripted."""
        if self.completion_tokens is not None:
            return self.completion_tokens
        return len(self.words) + sum(len(as_json(tool.arguments).split()) for tool in self.tools)

    def input_tokens(self, body: Mapping[str, Any]) -> int:
        """Tokens of the request, by word where no number is scripted."""
        if self.prompt_tokens is not None:
            return self.prompt_tokens
        return len(as_json(body).split())


Answer = str | Reply | Callable[[dict[str, Any]], "str | Reply"]
"""Text, a scripted reply, or a function from the request's body to either."""


class Question(NamedTuple):
    """What a request asks for, read by its format; `path` tells services apart."""

    number: int
    model: str
    stream: bool
    body: dict[str, Any]
    path: str = ""


class Event(NamedTuple):
    """Bytes of one event of a stream; `content` tells what the reader was waiting for."""

    data: bytes
    content: bool = False


class Format(Protocol):
    """One wire format, as its provider's server speaks it."""

    provider: str
    """The provider's prefix in model names."""
    base_path: str
    """What clients of this format expect at the end of their base URL."""
    request_id: str
    """The header that carries the request's id."""

    def question(self, number: int, path: str, body: dict[str, Any]) -> Question | None:
        """What is asked, None if nothing is served at this path."""
        ...

    def problem(self, question: Question) -> str | None:
        """What this provider would refuse about the body, None if nothing."""
        ...

    def whole(self, reply: Reply, question: Question) -> dict[str, Any] | bytes:
        """The body of a whole answer; bytes are sound or plain text."""
        ...

    def events(self, reply: Reply, question: Question) -> Iterator[Event]:
        """The events of a streamed answer."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]:
        """The body of an error answer."""
        ...

    def error_event(self, status: int, message: str) -> bytes:
        """An error in the middle of a stream."""
        ...


def as_json(value: Any) -> str:
    """JSON text in the spacing that splits into words."""
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)


def halves(text: str) -> tuple[str, str]:
    """The text in two pieces, so that readers have something to put together."""
    middle = len(text) // 2
    return text[:middle], text[middle:]
