"""Talk to a model: prompts from the terminal or standard input, answers as they arrive."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from ..exceptions import APIError, ConfigurationError, StreamInterruptedError
from ..router import Router

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

WELCOME = "Talking to {model}. An empty line is ignored; Ctrl-D or Ctrl-C ends."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("model", metavar="MODEL", help="for example anthropic/claude-sonnet-4-5")
    parser.add_argument("--system", metavar="TEXT", help="instructions for the model")
    parser.add_argument(
        "--api-base", metavar="URL", help="for example of a server of your own (hosted_vllm/NAME)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Talk until the prompts end; 1 if nobody was at the terminal and an answer was missing."""
    entry = {
        "model_name": arguments.model,
        "params": {"model": arguments.model, "api_base": arguments.api_base},
    }
    try:
        router = Router(model_list=[entry], disable_cooldowns=True)
    except ConfigurationError as error:
        raise ConfigurationError(str(error).partition(": ")[2]) from error
    chat = Chat(router, arguments.model, arguments.system)
    interactive = sys.stdin.isatty()
    if interactive:
        print(WELCOME.format(model=arguments.model))
    failed = 0
    with asyncio.Runner() as runner:
        try:
            for prompt in prompts(interactive):
                failed += not runner.run(chat.ask(prompt))
        except KeyboardInterrupt:
            print()
        finally:
            runner.run(chat.router.aclose())
    return int(bool(failed) and not interactive)


def prompts(interactive: bool) -> Iterator[str]:
    """Lines that say something, until the input ends."""
    while True:
        try:
            line = input("\n> " if interactive else "").strip()
        except EOFError:
            if interactive:
                print()
            return
        if line:
            yield line


class Chat:
    """A conversation; what could not be answered leaves no trace in it."""

    def __init__(self, router: Router, model: str, system: str | None) -> None:
        self.router = router
        self._model = model
        self._messages: list[dict[str, Any]] = (
            [{"role": "system", "content": system}] if system else []
        )

    async def ask(self, prompt: str) -> bool:
        """Show the answer to a prompt as it arrives; False if there was none."""
        question = {"role": "user", "content": prompt}
        pieces: list[str] = []
        try:
            finish = await self._show([*self._messages, question], pieces)
        except APIError as error:
            if pieces:
                print()
            print(f"{name(error)}: {one_line(error)}", file=sys.stderr, flush=True)
            return False
        print()
        if finish not in (None, "stop"):
            print(f"(ended with {finish})", file=sys.stderr, flush=True)
        self._messages += [question, {"role": "assistant", "content": "".join(pieces)}]
        return True

    async def _show(self, messages: list[dict[str, Any]], pieces: list[str]) -> str | None:
        """Print the pieces of an answer and collect them; returns why it ended."""
        finish = None
        async with await self.router.acompletion(self._model, messages, stream=True) as stream:
            async for chunk in stream:
                choice = chunk.choices[0]
                finish = choice.finish_reason or finish
                if choice.delta.content:
                    pieces.append(choice.delta.content)
                    print(choice.delta.content, end="", flush=True)
        return finish


def name(error: APIError) -> str:
    """The kind of an error as a reader would say it."""
    if isinstance(error, StreamInterruptedError):
        return "the answer broke off"
    return type(error).__name__


def one_line(error: APIError) -> str:
    """The message on a single line."""
    return " ".join(str(error).split())
