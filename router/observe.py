"""Telling whoever asked what became of a call."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..exceptions import APIError

if TYPE_CHECKING:
    from ..providers import Call
    from .options import Options

logger = logging.getLogger("polyroute")


def tell(options: Options, model: str, call: Call, outcome: Any) -> None:
    """Log the route (`verbose`) and hand the call and its outcome to `logger_fn`."""
    failed = isinstance(outcome, APIError)
    if options.verbose:
        logger.info("%s %s", "failed" if failed else "answered", outcome.route)
    if options.logger_fn is not None:
        options.logger_fn(
            {
                "model": model,
                "messages": call.messages,
                "stream": call.stream,
                "params": dict(call.params),
                "response": None if failed else outcome,
                "exception": outcome if failed else None,
                "route": outcome.route,
            }
        )
