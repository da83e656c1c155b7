"""Forms with a file, as browsers send them: https://www.rfc-editor.org/rfc/rfc7578."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Upload(NamedTuple):
    """A file to be sent: its name, bytes and media type."""

    name: str
    data: bytes
    media_type: str

    def __repr__(self) -> str:
        return f"Upload({self.name!r}, {len(self.data)} bytes, {self.media_type!r})"


def encode_form(fields: Mapping[str, Any], file: Upload) -> tuple[bytes, str]:
    """The body and its content type; the same for the same form.

    A list is sent as a field for each of its items, with `[]` behind the name.
    """
    digest = hashlib.sha256(file.data)
    pairs = list(_pairs(fields))
    for name, value in pairs:
        digest.update(f"{name}\0{value}\0".encode())
    boundary = digest.hexdigest()[:32]  # stands in its own text by chance only
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        f"\r\n\r\n{value}\r\n".encode()
        for name, value in pairs
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        f'filename="{_quoted(file.name)}"\r\nContent-Type: {file.media_type}\r\n\r\n'
    )
    body = b"".join([*parts, head.encode(), file.data, f"\r\n--{boundary}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={boundary}"


def _pairs(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, list | tuple):
            for item in value:
                yield f"{name}[]", _text(item)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    """A value of a form: text as it is, all else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _quoted(name: str) -> str:
    """A name inside quotes, escaped as HTML's forms do it."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
