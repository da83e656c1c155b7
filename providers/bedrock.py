"""
Amazon Bedrock's Converse API, which speaks one format for the models of all makers.

https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html

    bedrock.py            the adapter;  bedrock_access.py  the address, who signs
    bedrock_models.py     names of models, what each family can do
    bedrock_params.py     parameters: `build_body`;  bedrock_tools.py  `convert_tools`
    bedrock_messages.py   `convert_messages`;  bedrock_media.py  images, documents, video, audio
    bedrock_answer.py     `parse_answer`, `convert_usage`, FINISH_REASONS
    bedrock_invoke.py     Claude in Anthropic's format, as ``bedrock/invoke/…`` asks
    bedrock_stream.py     `ConverseDecoder`;  aws_events.py  the frames of its streams
    bedrock_errors.py     names of errors and their classes
    aws_credentials.py    keys, roles, tokens;  aws_signing.py  signatures
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .bedrock_access import Access, betas_of, without_betas
from .bedrock_answer import parse_answer
from .bedrock_errors import convert_error
from .bedrock_invoke import InvokeAdapter
from .bedrock_media import urls_to_fetch
from .bedrock_models import family_of
from .bedrock_params import build_body
from .bedrock_stream import ConverseDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Request, Target
    from .bedrock_models import Family


class BedrockAdapter:
    """Converse and ConverseStream for one target.

    Args:
        target: the model, how to reach it, and who calls.
        clock: seconds since the epoch; signatures carry the time.
    """

    credential: Credential | None = None

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.time) -> None:
        self.access: Access = Access(target, clock)
        self.credential = self.access.credential
        self.target: Target = self.access.target
        self.family: Family = family_of(self.access.family)
        self.headers: dict[str, str] = without_betas(target.headers)
        self.betas: list[str] = betas_of(target.headers)

    def files(self, call: Call) -> tuple[str, ...]:
        """URLs that must be fetched: Bedrock opens none but S3's."""
        return urls_to_fetch(call.messages)

    def build(self, call: Call) -> Request:
        """The request, signed; see :meth:`Adapter.build`."""
        extra = call.extra_headers or {}
        betas = [*self.betas, *betas_of(extra)]
        body, dropped = build_body(call, self.target, self.family, betas)
        headers = {**self.headers, **without_betas(extra)}
        method = "converse-stream" if call.stream else "converse"
        return self.access.request(method, headers, body, call, dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion:
        """The answer; see :meth:`Adapter.parse`."""
        return parse_answer(body, call, self.target)

    def decoder(self, call: Call) -> ConverseDecoder:
        """A decoder for one stream; see :class:`Decoder`."""
        return ConverseDecoder(self.target, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


def make_adapter(target: Target) -> BedrockAdapter | InvokeAdapter:
    """The adapter for a target: InvokeModel if its name says so, else Converse."""
    _, invoke, model = target.model.partition("invoke/")
    if invoke and target.model.startswith(invoke):
        return InvokeAdapter(replace(target, model=model))
    return BedrockAdapter(target)
