"""
xAI's images: OpenAI's format, with what they have cost.

https://docs.x.ai/docs/guides/image-generations. Sizes are shapes there (`aspect_ratio`), and the
usage is a price in ticks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .openai_images import OpenAIImages
from .xai import XAI

if TYPE_CHECKING:
    from ..schemas import ImageResponse
    from .base import Call, Target

TICKS = 10**10
"""So many are a US dollar."""


class XAIImages(OpenAIImages):
    """Images of one Grok model."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, XAI)

    def parse(self, body: bytes, call: Call) -> ImageResponse:
        """The answer, its price in dollars as `usage.cost`; see :meth:`Adapter.parse`."""
        answer = super().parse(body, call)
        ticks = answer.usage.get("cost_in_usd_ticks")
        if ticks is not None:
            answer.usage._extra = {**answer.usage._extras(), "cost": ticks / TICKS}
        return answer
