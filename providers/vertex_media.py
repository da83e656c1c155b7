"""
Instances of Vertex AI's multimodal embeddings: a text, an image and a video, or some of them.

https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-multimodal-embeddings. Inputs
that follow each other and are of different kinds share an instance, and come back in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .embeddings import Media, inputs_of, is_web_address, media_data, media_of, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .base import Call, Target

KINDS = ("text", "image", "video")
"""The order in which the vectors of one instance are given."""

Instance = dict[str, Any]


def convert_instances(call: Call, target: Target) -> list[Instance]:
    """The inputs as instances; an object is an instance as its caller wrote it.

    Raises:
        BadRequestError: one is a list of tokens.
    """
    instances: list[Instance] = []
    free = len(KINDS)  # kinds from here on fit into the last instance; none into one that is not
    for position, one in enumerate(inputs_of(call)):
        if isinstance(one, dict):
            instances.append(one)
            free = len(KINDS)
            continue
        if not isinstance(one, str):
            raise refused(target, position, one, "texts, images, videos, and objects with them")
        kind, content = convert_input(one, call)
        if KINDS.index(kind) < free:
            instances.append({})
        instances[-1][kind] = content
        free = KINDS.index(kind) + 1
    return instances


def convert_input(one: str, call: Call) -> tuple[str, Any]:
    """The kind of an input and what stands under it."""
    media = media_of(one)
    if media is None:
        return "text", one
    return media.kind, place_of(media, call)


def place_of(media: Media, call: Call) -> dict[str, str]:
    """Where an image or video is: in Google's storage, or here."""
    if media.data or is_web_address(media.url):
        return {"bytesBase64Encoded": media_data(media, call)}
    return {"gcsUri": media.url}


def vectors_of(prediction: Mapping[str, Any]) -> Iterable[list[float]]:
    """The vectors of one instance; a long video has one for each of its segments."""
    for name in ("textEmbedding", "imageEmbedding"):
        if name in prediction:
            yield prediction[name]
    for segment in prediction.get("videoEmbeddings") or ():
        yield segment["embedding"]


def billed_media(call: Call, predictions: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """What is charged for: characters that are not blank, images, seconds of video."""
    instances = [
        one if isinstance(one, dict) else dict([convert_input(one, call)])
        for one in inputs_of(call)
    ]
    ends = [
        max(segment.get("endOffsetSec") or 0 for segment in prediction["videoEmbeddings"])
        for prediction in predictions
        if prediction.get("videoEmbeddings")
    ]
    counts = {
        "character_count": sum(
            len("".join(instance.get("text", "").split())) for instance in instances
        ),
        "image_count": sum("image" in instance for instance in instances),
        "video_length_seconds": sum(ends),
    }
    return {name: count for name, count in counts.items() if count}
