"""Search in two steps: vectors find candidates, a ranking model puts them in order.

The loopback's vectors know nothing of meaning; its ranking counts words in common.
"""

from __future__ import annotations

import asyncio

from polyroute import Router
from polyroute.testing import Upstream

LIBRARY = [
    "A router decides where a call goes.",
    "Bread wants flour, water, salt and time.",
    "When one of the deployments fails, the router asks a sibling.",
    "The tide follows the moon.",
    "A retry after a pause may succeed where the first call failed.",
]
QUESTION = "What does the router do when one of them fails?"


def closeness(one: list[float], other: list[float]) -> float:
    """The cosine of two vectors."""
    lengths = sum(x * x for x in one) ** 0.5 * sum(y * y for y in other) ** 0.5
    return sum(x * y for x, y in zip(one, other, strict=True)) / lengths


async def main() -> None:
    async with Upstream() as upstream:
        models = {"vectors": "openai/text-embedding-3-small", "judge": "hosted_vllm/reranker"}
        reach = {"api_base": upstream.base_url, "api_key": "loopback-key"}
        entries = [
            {"model_name": alias, "litellm_params": {"model": model, **reach}}
            for alias, model in models.items()
        ]
        router = Router(model_list=entries)
        embedded = await router.aembedding("vectors", [QUESTION, *LIBRARY], dimensions=128)
        asked, *known = [item.embedding for item in embedded.data]
        near = sorted(LIBRARY, key=lambda text: -closeness(asked, known[LIBRARY.index(text)]))
        ranked = await router.arerank("judge", QUESTION, near[:4], top_n=2)
        for result in ranked.results:
            print(f"{result.relevance_score:.2f}  {result.document.text}")
        await router.aclose()


if __name__ == "__main__":
    asyncio.run(main())
