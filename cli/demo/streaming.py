"""Scene 5: an answer arrives piece by piece, and what happens when it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...exceptions import StreamInterruptedError
from ...testing import Reply
from ..terminal import BAD
from .fleet import STORY
from .show import milliseconds, route_line

if TYPE_CHECKING:
    from ...router import ChatStream, Router
    from .show import Show

WORDS_BEFORE_CUT = 6


async def streaming(show: Show, router: Router) -> None:
    """A whole stream; then, where it can be scripted, two that break."""
    show.screen.heading("5  A stream arrives", "Whoever answers, the chunks have OpenAI's shape.")
    stream = await show.tell(router, "smart")
    pieces = await type_out(show, stream)
    show.record(stream.route)
    show.screen.say("\n  ", *route_line(stream.route))
    last = stream.route.attempts[-1]
    show.check(
        "it came piece by piece",
        len(pieces) > 20,
        f"{len(pieces)} pieces, the first after {milliseconds(last.first_token)}",
    )
    usage = last.usage
    show.check("its tokens were counted", usage is not None and usage.completion_tokens > 0)
    if show.fleet.upstreams:
        await unnoticed(show, router, last.deployment_id)
        await broken(show, router)


async def unnoticed(show: Show, router: Router, healthy: str) -> None:
    """A stream that fails before its first word is begun again elsewhere."""
    faulty = [
        show.fleet.upstreams[member.id] for member in show.fleet.smart if member.id != healthy
    ]
    for upstream in faulty:
        upstream.fail(529, after_chunks=0)
    show.screen.say(f"\n  All but {healthy} now fail before the first word of a stream:")
    stream = await show.tell(router, "smart")
    pieces = await type_out(show, stream, show_text=False)
    show.record(stream.route)
    show.screen.say("  ", *route_line(stream.route))
    whole = "".join(pieces) == STORY and len(stream.route.attempts) > 1
    show.check("the caller saw one whole stream", whole)
    for upstream in faulty:
        upstream.heal()


async def broken(show: Show, router: Router) -> None:
    """A stream that is cut after it has begun is an error, never an invented end."""
    for member in show.fleet.smart:
        show.fleet.upstreams[member.id].cut(WORDS_BEFORE_CUT)
    show.screen.say("\n  And one is cut in its middle:")
    stream = await show.tell(router, "smart")
    try:
        await type_out(show, stream)
    except StreamInterruptedError as error:
        show.record(error.route)
        partial = error.partial_message.content if error.partial_message is not None else ""
        show.screen.say((" ✂", BAD), "\n  ", *route_line(stream.route))
        show.check(
            "StreamInterruptedError has what had arrived",
            partial == "".join(Reply(STORY).words[:WORDS_BEFORE_CUT]),
            repr(partial),
        )
    else:
        show.check("StreamInterruptedError has what had arrived", False, "no error")


async def type_out(show: Show, stream: ChatStream, *, show_text: bool = True) -> list[str]:
    """Show a stream as it arrives; returns its pieces."""
    pieces = []
    if show_text:
        show.screen.type("  ")
    async with stream:
        async for chunk in stream:
            piece = chunk.choices[0].delta.content
            if piece:
                pieces.append(piece)
                if show_text:
                    show.screen.type(piece)
    return pieces
