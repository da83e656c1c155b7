"""
Replicate: predictions, to be created and then asked for until they have ended.

https://replicate.com/docs/topics/predictions/create-a-prediction. A language model there takes a
`prompt` and a `system_prompt` and gives pieces of text. A stream is what each look has found
new: Replicate's own streams do not count tokens.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..exceptions import BadRequestError, UnsupportedParamsError
from .base import Pending, Request
from .catalog import find_key, from_environment
from .errors import make_error, read_error, retry_after
from .messages import TEXTS, THOUGHTS, parts_of, text_of
from .openai_service import encode
from .params import supported_params
from .replicate_answer import (
    UNFINISHED,
    PredictionDecoder,
    body_retry_after,
    convert_completion,
    read_prediction,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..exceptions import APIError
    from ..schemas import ChatCompletion
    from .base import Call, Credential, Target

HOST = "https://api.replicate.com"
KEY_ENV = ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN")
BASE_ENV = ("REPLICATE_API_BASE",)

PAUSE = 0.5
"""Seconds between two looks at a prediction, as Replicate's own clients have it."""

SUPPORTED = frozenset(
    {
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "presence_penalty",
        "seed",
        "stop",
        "stream_options",
        "temperature",
        "top_p",
    }
)
OPENAI_SUPPORTED = SUPPORTED | {"reasoning_effort", "verbosity"}
"""What OpenAI's own models take there."""

SPEAKERS = {"assistant": "Assistant", "user": "User"}
"""Who speaks, in the transcript that a conversation becomes."""


class ReplicateAdapter:
    """Predictions of one language model."""

    credential: Credential | None = None
    version: str | None

    def __init__(self, target: Target) -> None:
        key = find_key(target, KEY_ENV)
        self.target: Target = replace(target, api_key=key)
        base = (target.api_base or from_environment(BASE_ENV) or HOST).rstrip("/")
        path, self.version = address(target)
        self.version_url: str = f"{base.removesuffix('/v1')}/v1"
        self.url: str = f"{self.version_url}/{path}"
        self.headers: dict[str, str] = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
            **target.headers,
        }
        self._is_openai = target.model.startswith("openai/")

    def files(self, call: Call) -> tuple[str, ...]:
        """None: messages are text only."""
        return ()

    def build(self, call: Call) -> Request:
        """The request; see :meth:`Adapter.build`. Parameters of the model's own are its inputs."""
        supported = OPENAI_SUPPORTED if self._is_openai else SUPPORTED
        params, dropped = supported_params(call, self.target, supported)
        limit = "max_completion_tokens" if self._is_openai else "max_tokens"
        body: dict[str, Any] = {
            "input": {**convert_messages(call.messages), **convert_params(params, limit)}
        }
        if self.version:
            body["version"] = self.version
        body.update(call.extra_body or {})
        headers = {**self.headers, **call.extra_headers} if call.extra_headers else self.headers
        return Request(self.url, headers, encode(body), dropped)

    def parse(self, body: bytes, call: Call) -> ChatCompletion | Pending:
        """The answer, or how to ask for it again; see :meth:`Adapter.parse`."""
        prediction = read_prediction(body, self.target)
        if prediction["status"] in UNFINISHED:
            return self.ask_again(prediction)
        return convert_completion(prediction, self.target)

    def ask_again(self, prediction: Mapping[str, Any]) -> Pending:
        """How to see what has become of a prediction; the key goes nowhere else than before."""
        url = f"{self.version_url}/predictions/{quote(str(prediction['id']), safe='')}"
        headers = {name: self.headers[name] for name in self.headers if name != "Content-Type"}
        return Pending(Request(url, headers, b"", method="GET"), PAUSE)

    def decoder(self, call: Call) -> PredictionDecoder:
        """A decoder for one prediction; see :class:`Decoder`."""
        return PredictionDecoder(self, call)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> APIError:
        """The exception for an error answer; see :meth:`Adapter.error`."""
        error = make_error(self.target, status, headers, body, details=read_error(body))
        if retry_after(headers) is None:
            error.retry_after = body_retry_after(body)
        return error


def address(target: Target) -> tuple[str, str | None]:
    """The path of a model's predictions, and the version that the body must name.

    ``owner/name`` is an official model, ``owner/name:version`` or a version alone any other,
    ``deployments/owner/name`` a deployment of one's own.

    Raises:
        BadRequestError: the name says not whose model it is.
    """
    model = target.model
    name, colon, version = model.partition(":")
    owner, slash, _name = name.rpartition("/")
    if colon:
        return "predictions", version
    if not slash and len(model) == 64:
        return "predictions", model
    if not slash and name.startswith(("llama-", "meta-llama-")):
        return f"models/meta/{name}/predictions", None
    if not slash:
        raise BadRequestError(
            f"{model!r} does not say whose model it is; write replicate/OWNER/{model}",
            model=model,
            llm_provider=target.provider,
            param="model",
        )
    if owner.startswith("deployments/"):
        return f"{name}/predictions", None
    return f"models/{name}/predictions", None


def convert_messages(messages: list[dict[str, Any]]) -> dict[str, str]:
    """`system_prompt` and `prompt`: what the user said or, of more, a transcript.

    Raises:
        UnsupportedParamsError: a message holds more than text.
    """
    system, turns = [], []
    for position, message in enumerate(messages):
        place = f"messages[{position}]"
        role = message["role"]
        kinds = [part["type"] for part in parts_of(message)]
        parts = [kind for kind in kinds if kind not in TEXTS | THOUGHTS]
        if message.get("tool_calls") or role in ("tool", "function") or parts:
            raise UnsupportedParamsError(
                f"{place} holds {parts[0] if parts else 'a call of a tool'}; Replicate's language "
                "models take text (pass images as the model's own input, e.g. image_input=[…])",
                param=place,
            )
        if role in SPEAKERS:
            turns.append((role, text_of(message)))
        else:
            system.append(text_of(message))
    prompt = convert_turns(turns)
    return {"prompt": prompt, **({"system_prompt": "\n\n".join(system)} if system else {})}


def convert_turns(turns: list[tuple[str, str]]) -> str:
    """One text from what was said; the model goes on where it ends."""
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    lines = [f"{SPEAKERS[role]}: {text}" for role, text in turns]
    if not turns or turns[-1][0] == "user":
        lines.append(f"{SPEAKERS['assistant']}:")
    return "\n\n".join(lines)


def convert_params(params: Mapping[str, Any], limit: str) -> dict[str, Any]:
    """Inputs of the model; `limit` is its name for the most tokens."""
    converted: dict[str, Any] = {}
    for name, value in params.items():
        match name:
            case "stream_options":
                pass
            case "max_tokens" | "max_completion_tokens":
                converted[limit] = value
            case "stop":
                stops = [value] if isinstance(value, str) else value
                converted["stop_sequences"] = ",".join(stops)
            case _:
                converted[name] = value
    return converted
