"""Verdicts on content in OpenAI's format: https://platform.openai.com/docs/api-reference/moderations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..schemas import decode_details
from ..schemas.moderation import Moderation
from .azure import AzureService
from .openai_service import OpenAIService

if TYPE_CHECKING:
    from .base import Call, Request

_decode = msgspec.json.Decoder(Moderation, dec_hook=decode_details).decode


class OpenAIModeration(OpenAIService):
    """Verdicts by one model."""

    path = "/moderations"

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`."""
        return self.request({"model": self.model, "input": call.input, **call.params}, call)

    def parse(self, body: bytes, call: Call) -> Moderation:
        """The answer; see :meth:`Adapter.parse`."""
        try:
            answer = _decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self.unreadable(body, str(error)) from error
        answer._extra = body
        answer.model = answer.model or self.target.model
        return answer


class AzureModeration(AzureService, OpenAIModeration):
    """The same at a deployment of Azure's."""
