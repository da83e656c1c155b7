"""
OpenAI's speech and transcription, from the server's side.

https://platform.openai.com/docs/api-reference/audio. Whatever is played to the upstream, it hears
the text that it is told to answer; what it says is a second of silence.
"""

from __future__ import annotations

import email.parser
import io
import wave
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reply import Question, Reply

HEARING, SPEAKING = "/audio/transcriptions", "/audio/speech"
RATE = 8000
"""Samples of a second."""


def hearing_problem(question: Question) -> str | None:
    """What OpenAI would refuse about a form, None if nothing."""
    return None if question.body.get("file") else "Missing required parameter: 'file'."


def transcription(reply: Reply, question: Question) -> dict[str, Any] | bytes:
    """The body of what was heard, which took a second."""
    match question.body.get("response_format", "json"):
        case "json":
            return {"text": reply.text, "usage": {"type": "duration", "seconds": 1}}
        case "verbose_json":
            return {"text": reply.text, "language": "english", "duration": 1.0, "segments": []}
        case _:
            return reply.text.encode()


def speaking_problem(question: Question) -> str | None:
    """What OpenAI would refuse about the body, None if nothing."""
    missing = [name for name in ("input", "voice") if not question.body.get(name)]
    return f"Missing required parameter: {missing[0]!r}." if missing else None


def speech(_reply: Reply, _question: Question) -> bytes:
    """A second of silence."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(bytes(2 * RATE))
    return sound.getvalue()


def read_form(content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of a form: text, and bytes where there is a file."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields: dict[str, Any] = {}
    for part in email.parser.BytesParser().parsebytes(head + body).walk():
        name = part.get_param("name", header="content-disposition")
        if name is not None:
            content = part.get_payload(decode=True)
            is_text = part.get_filename() is None and isinstance(content, bytes)
            fields[str(name)] = content.decode() if is_text else content  # type: ignore[union-attr]
    return fields
