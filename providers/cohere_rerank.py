"""Cohere's own rankings, version 2: https://docs.cohere.com/reference/rerank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalog import Compatible
from .cohere import BASE_ENV, HOST, KEY_ENV, service_url
from .cohere_answer import convert_error
from .rerank import RerankAdapter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from .base import Target

COHERE = Compatible(base_url=HOST, key_env=KEY_ENV, base_env=BASE_ENV)


class CohereRerank(RerankAdapter):
    """Rankings by one of Cohere's models."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, COHERE)
        self.url: str = service_url(COHERE.base(target), "/rerank")

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)
