"""
What can be called beside chat: embeddings, rankings, images, speech and the rest.

The Router and the single models share these methods. Each checks its input, makes a `Call` of
its operation and hands it to the same engine; the synchronous twins run on the background loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ..exceptions import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from ..providers import Call


class Operations(ABC):
    """The calls that are answered whole."""

    @abstractmethod
    def _operate(self, model: str, call: Call, keywords: Mapping[str, Any]) -> Awaitable[Any]:
        """Begin to answer one call; `keywords` are its parameters and options."""


def text(value: Any, name: str) -> str:
    """A text that must be there.

    Raises:
        BadRequestError: it is empty, or something else.
    """
    if not isinstance(value, str) or not value.strip():
        raise BadRequestError(f"{name} must be a text that is not empty", param=name)
    return value
