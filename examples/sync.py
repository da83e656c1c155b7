"""Without `async`: scripts, threads, streams as ordinary iterators."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from polyroute import Router
from polyroute.testing import Upstream


def ask(router: Router, question: str) -> str:
    """One answer's text."""
    answer = router.completion("smart", [{"role": "user", "content": question}])
    return str(answer.choices[0].message.content)


def main() -> None:
    with (
        Upstream("openai", answer="Yes.", latency=0.05) as one,
        Upstream("anthropic", answer="No.", latency=0.05) as two,
    ):
        router = Router(
            model_list=[one.deployment("smart"), two.deployment("smart")],
            routing_strategy="least-busy",
        )
        print(ask(router, "Is it raining?"))

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda number: ask(router, f"Is {number} even?"), range(8)))
        print(*answers)

        question = [{"role": "user", "content": "Speak slowly."}]
        with router.completion("smart", question, stream=True) as stream:
            for chunk in stream:
                print(chunk.choices[0].delta.content or "", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
