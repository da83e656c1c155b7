"""
Rankings on Bedrock, by a service of the agents' runtime for the rerankers of all makers.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..schemas.rerank import RerankMeta, RerankResponse, RerankUnits
from .bedrock_access import AGENT_RUNTIME, Access
from .bedrock_errors import convert_error, unreadable
from .openai_service import encode
from .params import supported_params
from .rerank import KEPT_HERE, PARAMS, chosen, convert_ranking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..exceptions import APIError
    from .base import Call, Credential, Request, Target

TAKES = KEPT_HERE | {"max_tokens_per_doc"}

MODEL_ARN = "arn:{partition}:bedrock:{region}::foundation-model/{model}"
PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("", "aws"))
"""How ARNs begin in a region, by how its name begins."""

DOCUMENTS_PER_SEARCH = 100
"""Documents of one search that is charged: https://aws.amazon.com/bedrock/pricing."""


class BedrockRerank:
    """Rankings by one model.

    Args:
        target: the model, how to reach it, and who calls.
        clock: seconds since the epoch; signatures carry the time.
    """

    credential: Credential | None = None

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.time) -> None:
        self.access: Access = Access(target, clock, AGENT_RUNTIME)
        self.credential = self.access.credential
        self.target: Target = self.access.target
        self.headers: Mapping[str, str] = target.headers

    def files(self, call: Call) -> tuple[str, ...]:
        """None: documents are text; see :meth:`Adapter.files`."""
        return ()

    def build(self, call: Call) -> Request:
        """The request, signed; see :meth:`Adapter.build`."""
        params, dropped = supported_params(call, self.target, TAKES, PARAMS)
        body = self.convert_params(params, len(call.input["documents"]))
        body["queries"] = [{"type": "TEXT", "textQuery": {"text": call.input["query"]}}]
        body["sources"] = convert_documents(call.input["documents"], params.get("rank_fields"))
        body.update(call.extra_body or {})
        headers = {**self.headers, **(call.extra_headers or {})}
        return self.access.request_to("/rerank", headers, encode(body), call, dropped)

    def convert_params(self, params: Mapping[str, Any], count: int) -> dict[str, Any]:
        """The configuration of a ranking of so many documents.

        What Bedrock does not know is told to the model.
        """
        model: dict[str, Any] = {"modelArn": self.arn(str(params.get("model_id") or ""))}
        fields = {
            name: value
            for name, value in params.items()
            if name not in KEPT_HERE and name != "model_id"
        }
        if fields:
            model["additionalModelRequestFields"] = fields
        return {
            "rerankingConfiguration": {
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": {
                    "modelConfiguration": model,
                    "numberOfResults": min(params.get("top_n") or count, count),
                },
            }
        }

    def arn(self, given: str = "") -> str:
        """The model's ARN, made from its name and the region where that is known."""
        model, region = given or self.target.model, self.access.region
        if model.startswith("arn:") or not region:
            return model
        partition = next(found for start, found in PARTITIONS if region.startswith(start))
        return MODEL_ARN.format(partition=partition, region=region, model=model)

    def parse(self, body: bytes, call: Call) -> RerankResponse:
        """The answer; see :meth:`Adapter.parse`. Bedrock counts nothing: searches are computed."""

        def refuse(body: bytes, reason: str) -> APIError:
            return unreadable(self.target, body, reason)

        answer = convert_ranking(body, call, refuse)
        searches = -(-len(call.input["documents"]) // DOCUMENTS_PER_SEARCH)
        answer.meta = RerankMeta(billed_units=RerankUnits(search_units=searches))
        return answer

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        return convert_error(self.target, status, headers, body)


def convert_documents(
    documents: Sequence[Any], fields: Sequence[str] | None
) -> list[dict[str, Any]]:
    """The documents as sources: texts, and objects as JSON."""
    sources: list[dict[str, Any]] = []
    for document in documents:
        if isinstance(document, str):
            inline: dict[str, Any] = {"type": "TEXT", "textDocument": {"text": document}}
        else:
            inline = {"type": "JSON", "jsonDocument": chosen(document, fields)}
        sources.append({"type": "INLINE", "inlineDocumentSource": inline})
    return sources
