"""Conversations cut to what a model can take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

from ..exceptions import BadRequestError
from .catalogue import get_model_info
from .tokens import PER_ANSWER, message_counter, plain_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

RESULTS = frozenset({"function", "tool"})
RULES = frozenset({"developer", "system"})
CUT = " … "
"""Stands where a text was shortened."""


class _Turn(NamedTuple):
    """Messages that only make sense together: a tool's results and the call they answer."""

    places: list[int]
    tokens: float


@overload
def trim_messages(
    messages: Iterable[Any],
    model: str | None = None,
    trim_ratio: float = 0.75,
    *,
    return_response_tokens: Literal[False] = False,
    max_tokens: int | None = None,
) -> list[Any]: ...


@overload
def trim_messages(
    messages: Iterable[Any],
    model: str | None = None,
    trim_ratio: float = 0.75,
    *,
    return_response_tokens: Literal[True],
    max_tokens: int | None = None,
) -> tuple[list[Any], int]: ...


def trim_messages(
    messages: Iterable[Any],
    model: str | None = None,
    trim_ratio: float = 0.75,
    *,
    return_response_tokens: bool = False,
    max_tokens: int | None = None,
) -> list[Any] | tuple[list[Any], int]:
    """The messages, without the oldest ones that do not fit.

    System messages are kept, and of the others the newest, without a gap. Tool calls stay with
    their results. If not even the last message fits, its text is shortened in the middle. The
    caller's messages are not changed. Tokens are counted as :func:`token_counter` does.

    Args:
        messages: OpenAI-shaped messages.
        model: whose limit holds, and whose tokens are counted.
        trim_ratio: how much of the model's limit may be used; no part of `max_tokens`.
        return_response_tokens: return also how many tokens are left below the limit.
        max_tokens: the limit, instead of the model's.

    Raises:
        BadRequestError: what must stay does not fit, or there is no limit.
        NotFoundError: the model is not known, and there is no `max_tokens`.
    """
    limit = max_tokens if max_tokens is not None else _limit_of(model) * trim_ratio
    count = message_counter(model or "")
    kept = list(messages)
    sizes = [count(plain_message(message)) for message in kept]
    total = PER_ANSWER + sum(sizes)
    if total > limit:
        kept, total = _trim(kept, sizes, limit, count)
    return (kept, int(limit - total)) if return_response_tokens else kept


def _limit_of(model: str | None) -> int:
    if model is None:
        raise BadRequestError("trim_messages wants a model or max_tokens", param="max_tokens")
    info = get_model_info(model)
    limit: int | None = info.max_input_tokens or info.max_tokens
    if limit is None:
        raise BadRequestError(
            "the catalogue does not know how much this model takes; pass max_tokens",
            model=model,
            param="max_tokens",
        )
    return limit


def _trim(
    messages: list[Any], sizes: Sequence[float], limit: float, count: Callable[[Any], float]
) -> tuple[list[Any], float]:
    """The messages that stay, and their tokens."""
    rules = [place for place, message in enumerate(messages) if _role(message) in RULES]
    total = PER_ANSWER + sum(sizes[place] for place in rules)
    turns = _turns(messages, sizes)
    staying: list[int] = []
    for turn in reversed(turns):
        if total + turn.tokens > limit:
            break
        staying += turn.places
        total += turn.tokens
    if staying or not turns:
        if total > limit:
            raise _too_long(total, limit)
        return [messages[place] for place in sorted(rules + staying)], total
    last = [messages[place] for place in turns[-1].places]
    shortened, tokens = _shorten(last, limit - total, count)
    return [messages[place] for place in rules] + shortened, total + tokens


def _turns(messages: Sequence[Any], sizes: Sequence[float]) -> list[_Turn]:
    """All but the system messages, in order."""
    turns: list[_Turn] = []
    for place, message in enumerate(messages):
        role = _role(message)
        if role in RULES:
            continue
        if role in RESULTS and turns:
            last = turns.pop()
            turns.append(_Turn([*last.places, place], last.tokens + sizes[place]))
        else:
            turns.append(_Turn([place], sizes[place]))
    return turns


def _shorten(
    messages: list[Any], room: float, count: Callable[[Any], float]
) -> tuple[list[Any], float]:
    """The messages with the longest of their texts cut, and their tokens.

    Raises:
        BadRequestError: they do not fit even without that text.
    """
    plain = [dict(plain_message(message)) for message in messages]
    texts = [content if isinstance(content := message.get("content"), str) else ""
             for message in plain]  # fmt: skip
    place = max(range(len(texts)), key=lambda at: len(texts[at]))
    longest, others = texts[place], sum(map(count, plain)) - count(plain[place])
    if not longest:
        raise _too_long(others + count(plain[place]), room)
    fits, beyond = -1, len(longest)
    while beyond - fits > 1:  # halving: the most characters that fit
        middle = (fits + beyond) // 2
        plain[place]["content"] = _cut(longest, middle)
        if others + count(plain[place]) <= room:
            fits = middle
        else:
            beyond = middle
    if fits < 0:
        raise _too_long(others + count({**plain[place], "content": ""}), room)
    plain[place]["content"] = _cut(longest, fits)
    return plain, others + count(plain[place])


def _cut(text: str, characters: int) -> str:
    """So many characters of a text, half from its beginning and half from its end."""
    if not characters:
        return ""
    head, tail = text[: (characters + 1) // 2], text[len(text) - characters // 2 :]
    return head + CUT + tail


def _role(message: Any) -> str:
    role: str = plain_message(message).get("role") or ""
    return role


def _too_long(tokens: float, limit: float) -> BadRequestError:
    return BadRequestError(
        f"what must stay of the messages has {round(tokens)} tokens, the limit leaves "
        f"{max(int(limit), 0)}; shorten the system messages or raise max_tokens",
        param="max_tokens",
    )
