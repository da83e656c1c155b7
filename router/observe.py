"""Telling whoever asked what became of a call."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from ..exceptions import APIError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..providers import Call
    from .options import Options

logger: logging.Logger = logging.getLogger("polyroute")

T = TypeVar("T")


async def told(answer: Awaitable[T], model: str, call: Call, options: Options) -> T:
    """Await an answer and tell about it, whether it came or not."""
    try:
        outcome = await answer
    except APIError as error:
        _tell(error, model, call, options)
        raise
    _tell(outcome, model, call, options)
    return outcome


def _tell(outcome: Any, model: str, call: Call, options: Options) -> None:
    """Log the route (`verbose`) and hand the call and its outcome to `logger_fn`.

    A `logger_fn` that fails is logged: the answer is there, and paid for.
    """
    failed = isinstance(outcome, APIError)
    if options.verbose:
        _say(f"{'failed' if failed else 'answered'} {outcome.route}")
    if options.logger_fn is None:
        return
    about = {
        "model": model,
        "messages": call.messages,
        "stream": call.stream,
        "params": dict(call.params),
        "response": None if failed else outcome,
        "exception": outcome if failed else None,
        "route": outcome.route,
    }
    try:
        options.logger_fn(about)
    except Exception:
        logger.exception("logger_fn failed on a call of %s", model)


def _say(text: str) -> None:
    """Log a line; a program that has set up no logging at all sees it on standard error."""
    if logger.hasHandlers():
        logger.info("%s", text)
    else:
        print(f"polyroute: {text}", file=sys.stderr)
