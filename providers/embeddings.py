"""
What all embedders share: the inputs one by one, the parameters, vectors in either encoding.

https://platform.openai.com/docs/api-reference/embeddings/create. Who speaks OpenAI's format is in
`openai_embeddings.py`; the formats of others have modules of their own.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from array import array
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec.structs import replace

from ..exceptions import BadRequestError, ImageFetchError
from ..schemas import Embedding, EmbeddingResponse, Usage
from .params import supported_params

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .base import Call, Target

PARAMS = frozenset({"dimensions", "encoding_format", "user"})
"""Parameters that mean the same everywhere."""

MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading an answer raises if it is not what it should be."""

Vector = list[float] | str

MEDIA_URL = re.compile(r"(?:gs|https?)://\S+")
VIDEO = re.compile(
    r"data:video/|\S+\.(?:3gpp?|avi|flv|mov|mp4|mpe?g|webm|wmv)(?:\?\S*)?$", re.IGNORECASE
)


class Media(NamedTuple):
    """An input that is no text: base64 in `data`, or lying at `url`."""

    kind: Literal["image", "video"]
    data: str = ""
    url: str = ""


def media_of(one: str) -> Media | None:
    """The image or video that an input is, for models that embed them; None: a text."""
    kind: Literal["image", "video"] = "video" if VIDEO.match(one) else "image"
    if re.match(r"data:(?:image|video)/", one):
        return Media(kind, data=one.partition(",")[2])
    return Media(kind, url=one) if MEDIA_URL.fullmatch(one) else None


def urls_to_fetch(call: Call) -> list[str]:
    """The inputs that lie on the web, for models to which they must be sent as data."""
    return [one for one in inputs_of(call) if isinstance(one, str) and is_web_address(one)]


def is_web_address(one: str) -> bool:
    """Whether an input is nothing but the address of something on the web."""
    return one.startswith(("https://", "http://")) and MEDIA_URL.fullmatch(one) is not None


def media_data(media: Media, call: Call) -> str:
    """The base64 of an image or video that has been given as data, or fetched.

    Raises:
        ImageFetchError: it is neither.
    """
    if media.data:
        return media.data
    file = call.files.get(media.url)
    if file is None:
        raise ImageFetchError(f"{media.url} has not been fetched", param="input")
    return base64.b64encode(file.data).decode()


def inputs_of(call: Call) -> Sequence[Any]:
    """The inputs one by one: texts, lists of tokens, or objects that a provider defines."""
    given = call.input
    if isinstance(given, str | Mapping) or isinstance(given[0], int):
        return [given]
    inputs: Sequence[Any] = given
    return inputs


def texts_of(call: Call, target: Target) -> list[str]:
    """The inputs as texts, for those who take nothing else.

    Raises:
        BadRequestError: one is something else; says which.
    """
    inputs = inputs_of(call)
    for position, one in enumerate(inputs):
        if not isinstance(one, str):
            raise refused(target, position, one, "texts only")
    return list(inputs)


def only_one(inputs: Sequence[Any], target: Target) -> Sequence[Any]:
    """The inputs, of which there is one.

    Raises:
        BadRequestError: there are more; the Router would have split them.
    """
    if len(inputs) > 1:
        raise BadRequestError(
            f"{target.model} embeds one input a request, not {len(inputs)}",
            model=target.model,
            llm_provider=target.provider,
            param="input",
        )
    return inputs


def refused(target: Target, position: int, one: Any, taken: str) -> BadRequestError:
    """The exception for an input of a kind that the model does not take."""
    kind = "an object" if isinstance(one, Mapping) else "tokens"
    kind = "a text" if isinstance(one, str) else kind
    return BadRequestError(
        f"input[{position}] is {kind}: {target.provider}/{target.model} takes {taken}",
        model=target.model,
        llm_provider=target.provider,
        param="input",
    )


def embedding_params(
    call: Call, target: Target, supported: frozenset[str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The parameters to send, and those dropped; see :func:`supported_params`.

    Floats are what everybody gives who knows no `encoding_format`.
    """
    asked = call.params
    if "encoding_format" not in supported and asked.get("encoding_format") == "float":
        asked = {name: value for name, value in asked.items() if name != "encoding_format"}
    return supported_params(replace(call, params=asked), target, supported, PARAMS)


def wants_base64(call: Call) -> bool:
    """Whether the caller wants vectors as text."""
    return call.params.get("encoding_format") == "base64"


def decode_vector(text: str, kind: Literal["f", "b"] = "f") -> list[float]:
    """The numbers in base64: little-endian floats of 32 bits, or (`"b"`) signed bytes.

    Raises:
        ValueError: that is not what it is.
    """
    numbers: array[Any] = array(kind)
    try:
        numbers.frombytes(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    decoded: list[float] = numbers.tolist()
    return decoded


def counted(headers: Mapping[str, str], name: str) -> Usage | None:
    """Usage from the header in which a provider counts an input's tokens; None without it."""
    said = headers.get(name, "")
    tokens = int(said) if said.isdecimal() else None
    return None if tokens is None else Usage(prompt_tokens=tokens, total_tokens=tokens)


def make_answer(
    vectors: Iterable[Vector], model: str, usage: Usage | None, extra: Any = None
) -> EmbeddingResponse:
    """An answer from its vectors, which are in the order of the inputs.

    Raises:
        TypeError: something among them is no vector.
    """
    data = []
    for index, vector in enumerate(vectors):
        if not isinstance(vector, list | str) or not vector:
            raise TypeError(f"{vector!r:.40} is no vector")
        data.append(Embedding(index=index, embedding=vector))
    answer = EmbeddingResponse(data=data, model=model, usage=usage)
    answer._extra = extra
    return answer


def complete(answer: EmbeddingResponse, call: Call) -> EmbeddingResponse:
    """The answer, if it has a vector for each input.

    Raises:
        ValueError: it has fewer, and nobody could tell which inputs they belong to.
    """
    wanted, got = len(inputs_of(call)), len(answer.data)
    if got < wanted:
        raise ValueError(f"it has {got} embeddings for {wanted} inputs")
    return answer
