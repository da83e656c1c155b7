"""
Calls with more inputs than one request may have: split, asked side by side, put together again.

Each part is a call of its own, which is retried and falls back like any other. All of them share
the deadline and the route of the whole; the first that fails for good ends the others.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec.structs import replace

from ..exceptions import APIError, APIResponseValidationError
from ..providers.embeddings import inputs_of
from ..schemas import Details, EmbeddingResponse, Route, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..providers import Call
    from .deployment import Deployment
    from .engine import Engine
    from .groups import Group
    from .options import Options

MOST_AT_ONCE = 8
"""Parts of one call that are asked at the same time."""


class Whole(NamedTuple):
    """What the parts of one call share: when it began, by the clock, and its route."""

    began: float
    route: Route


def split_inputs(engine: Engine, call: Call, group: Group, options: Options) -> list[Call]:
    """The parts of a call; none if it can be asked as it is."""
    inputs = inputs_of(call)
    if len(inputs) == 1:
        return []
    size = most_inputs(engine, group, options)
    if size is None or len(inputs) <= size:
        return []
    return [
        replace(call, input=list(inputs[start : start + size]))
        for start in range(0, len(inputs), size)
    ]


def most_inputs(engine: Engine, group: Group, options: Options) -> int | None:
    """How many inputs a request may have that any deployment of the call's groups could get."""
    aliases = engine.core.policies.chain(group.name, None, options)
    groups = [group, *found(engine, aliases)]
    limits = [max_inputs(deployment) for group in groups for deployment in group.deployments]
    return min((limit for limit in limits if limit is not None), default=None)


def found(engine: Engine, aliases: Iterable[str]) -> Iterator[Group]:
    """The groups of those aliases that there are."""
    for alias in aliases:
        try:
            yield engine.core.find(alias)
        except APIError:
            continue  # it was removed; nobody will ask it


def max_inputs(deployment: Deployment) -> int | None:
    """How many inputs one request to a deployment may have; None: no limit is known."""
    said: int | None = deployment.model_info.get("max_inputs")
    if said is not None:
        return said
    try:
        limit: int | None = deployment.adapter("embedding").max_inputs
    except APIError:
        return None  # it cannot be asked at all, and will say so itself
    return limit


async def answer_parts(
    engine: Engine, parts: Sequence[Call], group: Group, options: Options
) -> EmbeddingResponse:
    """The answer to all parts, some of them at a time.

    Raises:
        APIError: one of them could not be answered; the others have been given up.
    """
    whole = Whole(engine.core.clock(), Route(group.name))
    answers: dict[int, EmbeddingResponse] = {}
    waiting = iter(enumerate(parts))

    async def work() -> None:
        for position, part in waiting:
            answer = await engine.answer(part, group, options, whole)
            answers[position] = cast("EmbeddingResponse", answer)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(MOST_AT_ONCE, len(parts))):
                workers.create_task(work())
    except BaseExceptionGroup as failed:
        error = failed.exceptions[0]
        raise error from error.__cause__
    return put_together([answers[position] for position in range(len(parts))], parts)


def put_together(answers: Sequence[EmbeddingResponse], parts: Sequence[Call]) -> EmbeddingResponse:
    """One answer from those to the parts, in the order of the inputs.

    Raises:
        APIResponseValidationError: a part has another number of vectors than inputs, so that
            nobody knows which belongs to which.
    """
    data = []
    for answer, part in zip(answers, parts, strict=True):
        if len(answer.data) != len(part.input):
            raise APIResponseValidationError(
                f"the provider gave {len(answer.data)} embeddings for {len(part.input)} inputs",
                model=answer.model,
            )
        data += answer.data
    for index, item in enumerate(data):
        item.index = index
    first = answers[0]
    whole = EmbeddingResponse(
        data=data, model=first.model, usage=total([answer.usage for answer in answers])
    )
    whole._route, whole._headers = first._route, first._headers
    return whole


def total(usages: Sequence[Usage | None]) -> Usage | None:
    """What all parts have used; None if one of them does not say."""
    known = [usage for usage in usages if usage is not None]
    if len(known) < len(usages):
        return None
    details: list[Mapping[str, Any]] = [usage.prompt_tokens_details or {} for usage in known]
    summed: dict[str, float] = {}
    for name, count in (pair for counts in details for pair in counts.items()):
        if isinstance(count, int | float):
            summed[name] = summed.get(name, 0) + count
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in known),
        completion_tokens=sum(usage.completion_tokens for usage in known),
        total_tokens=sum(usage.total_tokens for usage in known),
        prompt_tokens_details=Details(summed) if summed else None,
    )
