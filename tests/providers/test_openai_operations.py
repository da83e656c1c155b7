"""OpenAI's operations beside chat: literal bytes for three providers, then a loopback."""

from __future__ import annotations

import asyncio
import email.parser
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import polyroute
from polyroute import exceptions
from polyroute.providers import Call, Target, adapter
from polyroute.providers.multipart import Upload
from polyroute.router.inputs import upload

from .recordings import recorded

if TYPE_CHECKING:
    from pathlib import Path

    from polyroute.schemas import Moderation, Speech, TextCompletion, Transcription

    from ..conftest import Fleet

pytestmark = pytest.mark.anyio

HERE = "http://127.0.0.1:1"
PATHS = {
    "moderation": "moderations",
    "speech": "audio/speech",
    "text_completion": "completions",
    "transcription": "audio/transcriptions",
}
BASES = {
    "azure": "https://x.openai.azure.com",
    "groq": "https://api.groq.com/openai/v1",
    "openai": "https://api.openai.com/v1",
}
WAV = b"RIFF\x10\0\0\0WAVEfmt \r\n--not a boundary\r\n"
VERDICT = {
    "id": "modr-1",
    "model": "omni-moderation-latest",
    "results": [
        {
            "flagged": True,
            "categories": {"self-harm/intent": False, "violence": True},
            "category_scores": {"self-harm/intent": 0.01, "violence": 0.98},
            "category_applied_input_types": {"violence": ["text"]},
            "severity": 3,
        }
    ],
}
TEXT = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "gpt-3.5-turbo-instruct",
    "choices": [
        {"text": " time", "index": 0, "logprobs": None, "finish_reason": "length", "stop_reason": 7}
    ],
    "usage": {"prompt_tokens": 4, "completion_tokens": 1, "total_tokens": 5},
}
PIECES = [
    {"id": "c", "object": "text_completion", "choices": [{"text": text, "index": 0, **more}]}
    for text, more in ((" Once", {}), (" more", {"finish_reason": "stop"}))
]
USAGE = {"id": "c", "object": "text_completion", "choices": [], "usage": TEXT["usage"]}

INPUTS: dict[str, Any] = {
    "moderation": "I will hurt you",
    "speech": "Hello there",
    "text_completion": "Once upon a",
    "transcription": Upload("a.wav", WAV, "audio/x-wav"),
}
every = pytest.mark.parametrize("operation", PATHS)
everywhere = pytest.mark.parametrize("provider", BASES)


def service(operation: Any, provider: str = "openai", **target: Any) -> Any:
    model = target.pop("model", "some-model")
    base = {"api_base": BASES["azure"], "api_version": "2024-10-21"} if provider == "azure" else {}
    return adapter(Target(provider, model, "the-key", **{**base, **target}), operation=operation)


def call(operation: Any, given: Any = None, **params: Any) -> Call:
    stream, drop = (bool(params.pop(name, False)) for name in ("stream", "drop_params"))
    asked = INPUTS[operation] if given is None else given
    return Call(
        [],
        params,
        stream=stream,
        ask_usage=True,
        drop_params=drop,
        operation=operation,
        input=asked,
    )


def built(asked: Call, provider: str = "openai") -> dict[str, Any]:
    body: dict[str, Any] = json.loads(service(asked.operation, provider).build(asked).body)
    return body


def form(asked: Call, provider: str = "openai") -> dict[str | None, list[bytes]]:
    """The fields of the form that is sent, as Python's own reader of mail finds them."""
    request = service("transcription", provider).build(asked)
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    fields: dict[str | None, list[bytes]] = {}
    for part in email.parser.BytesParser().parsebytes(head + request.body).get_payload():
        name = part.get_param("name", header="content-disposition")
        fields.setdefault(name, []).append(part.get_payload(decode=True))
    return fields


def parse(operation: Any, answer: Any, asked: Call | None = None) -> Any:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return service(operation).parse(body, asked or call(operation))


def events(*payloads: Any, end: bytes = b"data: [DONE]\n\n") -> bytes:
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in payloads) + end


def decode(data: bytes, step: int = 7, **params: Any) -> tuple[Any, list[TextCompletion]]:
    decoder = service("text_completion").decoder(call("text_completion", stream=True, **params))
    out: list[TextCompletion] = []
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step], out)
    decoder.finish(out)
    return decoder, out


@every
@everywhere
def test_each_service_has_its_address_and_key(operation: str, provider: str) -> None:
    """OpenAI and Groq below their base, Azure below the deployment with the version."""
    request = service(operation, provider).build(call(operation))
    end = PATHS[operation]
    azure = f"/openai/deployments/some-model/{end}?api-version=2024-10-21"
    assert request.url == BASES[provider] + (azure if provider == "azure" else f"/{end}")
    header, value = (
        ("api-key", "the-key") if provider == "azure" else ("Authorization", "Bearer the-key")
    )
    assert request.headers[header] == value


@every
@everywhere
def test_errors_have_their_class(operation: str, provider: str) -> None:
    """A refusal says who refused and when to come back, and repeats no key."""
    body = b'{"error": {"message": "slow down, the-key", "code": "rate_limit_exceeded"}}'
    error = service(operation, provider).error(429, {"retry-after": "2"}, body)
    assert isinstance(error, exceptions.RateLimitError)
    assert (error.llm_provider, error.retry_after) == (provider, 2.0)
    assert "the-key" not in str(error)


@every
@pytest.mark.parametrize("body", [b'{"error": {"message": "no", "code": 503}}', b'{"odd": 1}', b""])
def test_an_answer_that_is_none_is_an_error(operation: str, body: bytes) -> None:
    """An error in a 200, a stranger's object, and nothing at all are no answers."""
    with pytest.raises((exceptions.ServiceUnavailableError, exceptions.APIResponseValidationError)):
        parse(operation, body)


def test_what_is_judged_goes_as_it_is() -> None:
    """Texts, lists of them, and parts with images are all OpenAI's own shapes."""
    parts = [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]
    assert built(call("moderation", parts)) == {"model": "some-model", "input": parts}
    assert built(call("moderation", ["a", "b"]))["input"] == ["a", "b"]


def test_verdicts_are_read_by_attribute_and_by_name() -> None:
    """Categories have slashes in their names; attributes do without."""
    answer: Moderation = parse("moderation", VERDICT)
    verdict = answer.results[0]
    assert verdict.flagged
    assert verdict.categories.violence
    assert not verdict["categories"]["self-harm/intent"]
    assert verdict.category_scores.self_harm_intent == 0.01
    assert verdict.category_applied_input_types is not None
    assert verdict.category_applied_input_types["violence"] == ["text"]
    assert answer.model_dump()["results"][0]["categories"] == VERDICT["results"][0]["categories"]  # type: ignore[index]
    with pytest.raises(AttributeError, match="weather"):
        _ = verdict.categories.weather


@recorded("openai/moderations-json-*.json")
def test_recorded_verdicts_are_asked_for_and_read_alike(record: dict[str, Any]) -> None:
    """What was recorded is what would be sent, and every category and score is found."""
    judge = service("moderation", model=record["model"])
    asked = call("moderation", record["request"]["body"]["input"])
    assert json.loads(judge.build(asked).body) == record["request"]["body"]
    said = json.loads(record["response"]["body"])
    answer = judge.parse(record["response"]["body"].encode(), asked)
    assert answer.model_dump(exclude_none=True) == said


@everywhere
def test_a_prompt_goes_with_its_parameters(provider: str) -> None:
    """Texts and tokens alike; usage is asked for in a stream."""
    asked = call("text_completion", [[1, 2], [3]], max_tokens=5, echo=True, stop=["."])
    prompted = {"prompt": [[1, 2], [3]], "max_tokens": 5, "echo": True, "stop": ["."]}
    assert built(asked, provider) == {"model": "some-model", **prompted}
    streamed = built(call("text_completion", stream=True), provider)
    assert streamed["stream"] is True
    assert streamed["stream_options"] == {"include_usage": True}


def test_a_continuation_is_read_with_what_is_unknown() -> None:
    """The text, why it ended, the tokens, and fields of the provider's own."""
    answer: TextCompletion = parse("text_completion", TEXT)
    choice = answer.choices[0]
    assert (choice.text, choice.finish_reason, choice.stop_reason) == (" time", "length", 7)
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    assert answer["object"] == "text_completion"
    assert answer.model_dump(exclude_none=True)["choices"][0]["text"] == " time"


def test_a_stream_has_pieces_of_the_same_shape() -> None:
    """However the bytes are cut; the usage is known, and shown to who asked for it."""
    decoder, pieces = decode(events(*PIECES, USAGE))
    assert [piece.choices[0].text for piece in pieces] == [" Once", " more"]
    assert pieces[-1].choices[0].finish_reason == "stop"
    assert decoder.usage.total_tokens == 5
    _, shown = decode(events(*PIECES, USAGE), stream_options={"include_usage": True})
    assert shown[-1].usage is not None
    assert shown[-1].choices[0].text == ""


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (events(PIECES[0], end=b""), exceptions.APIResponseValidationError),
        (b"", exceptions.APIResponseValidationError),
        (json.dumps(TEXT).encode(), exceptions.APIResponseValidationError),
        (events({"error": {"message": "full", "code": 429}}), exceptions.RateLimitError),
    ],
)
def test_a_stream_that_breaks_off_is_an_error(data: bytes, kind: type[Exception]) -> None:
    """Without a finish reason or with an error inside, a stream is not whole."""
    with pytest.raises(kind):
        decode(data)


@everywhere
def test_a_recording_goes_up_in_a_form(provider: str) -> None:
    """The bytes as they are, whatever is in them, and the parameters as fields."""
    asked = call(
        "transcription",
        language="de",
        temperature=0.5,
        timestamp_granularities=["word", "segment"],
        response_format="verbose_json",
    )
    assert form(asked, provider) == {
        "model": [b"some-model"],
        "language": [b"de"],
        "temperature": [b"0.5"],
        "timestamp_granularities[]": [b"word", b"segment"],
        "response_format": [b"verbose_json"],
        "file": [WAV],
    }


def test_a_form_names_its_file_safely_and_is_the_same_every_time() -> None:
    """A name cannot break out of its quotes; equal calls have equal bytes."""
    asked = call("transcription", Upload('a"\r\nb.wav', WAV, "audio/x-wav"))
    request = service("transcription").build(asked)
    assert b'filename="a%22%0D%0Ab.wav"\r\nContent-Type: audio/x-wav\r\n\r\nRIFF' in request.body
    assert service("transcription").build(asked).body == request.body


def test_own_fields_are_laid_over_a_form() -> None:
    """`extra_body` reaches a form too."""
    asked = call("transcription")
    asked.extra_body = {"diarize": True}
    assert form(asked)["diarize"] == [b"true"]


@pytest.mark.parametrize(
    ("format", "body"),
    [("text", b"Hello.\n"), ("srt", b"1\n00:00:00 --> 00:00:01\nHello."), ("vtt", b"WEBVTT\n\nHi")],
)
def test_plain_formats_are_the_text(format: str, body: bytes) -> None:
    """What is no JSON is the text as it came."""
    heard: Transcription = parse(
        "transcription", body, call("transcription", response_format=format)
    )
    assert heard.text == body.decode()


def test_a_detailed_transcription_is_read() -> None:
    """Segments and words stay plain; the duration is what is charged."""
    words = [{"word": "Hello", "start": 0.0, "end": 0.4}]
    said = {"text": "Hello", "language": "english", "duration": 12.5, "words": words, "x_groq": {}}
    heard: Transcription = parse("transcription", said)
    assert (heard.text, heard.language, heard.duration) == ("Hello", "english", 12.5)
    assert (heard.words, heard.x_groq) == (words, {})
    assert heard.usage is not None
    assert heard.usage.seconds == 12.5


def test_tokens_of_a_recording_are_counted() -> None:
    """Models that charge by token say how many were sound."""
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
        "output_tokens": 45,
        "total_tokens": 59,
    }
    counted = parse("transcription", {"text": "Hi", "usage": usage}).usage
    assert (counted.prompt_tokens, counted.completion_tokens) == (14, 45)
    assert counted.prompt_tokens_details.audio_tokens == 14


@everywhere
def test_a_text_is_spoken_with_a_voice(provider: str) -> None:
    """The words, the voice and the format in one body."""
    asked = call("speech", voice="alloy", response_format="wav", speed=1.5)
    assert built(asked, provider) == {
        "model": "some-model",
        "input": "Hello there",
        "voice": "alloy",
        "response_format": "wav",
        "speed": 1.5,
    }


def test_sound_is_bytes_that_go_to_a_file(tmp_path: Path) -> None:
    """All at once, in pieces, or into a file under either name."""
    said: Speech = parse("speech", WAV)
    assert said.content == said.read() == WAV == b"".join(said.iter_bytes(5))
    assert [len(piece) for piece in said.iter_bytes(30)] == [30, len(WAV) - 30]
    for write in (said.stream_to_file, said.write_to_file):
        file = tmp_path / write.__name__
        write(file)
        assert file.read_bytes() == WAV
    assert "RIFF" not in repr(said)


@pytest.mark.parametrize(
    ("operation", "name"),
    [("transcription", "stream"), ("speech", "stream_format"), ("speech", "stream")],
)
def test_what_cannot_be_streamed_is_refused_or_dropped(operation: Any, name: str) -> None:
    """Sound and its text are answered whole; asking otherwise is told."""
    asked = call(operation)
    asked.params[name] = "sse"
    with pytest.raises(exceptions.UnsupportedParamsError, match=name):
        service(operation).build(asked)
    asked.drop_params = True
    assert service(operation).build(asked).dropped == (name,)


def test_who_has_none_of_it_says_so() -> None:
    """A provider of chat only is told apart."""
    with pytest.raises(exceptions.UnsupportedParamsError, match=r"deepseek has no speech.*openai"):
        service("speech", "deepseek")
    with pytest.raises(exceptions.UnsupportedParamsError, match="anthropic has no text completion"):
        service("text_completion", "anthropic")


async def test_a_file_is_given_in_any_way(tmp_path: Path) -> None:
    """Paths, open files, bytes and tuples of these give the same bytes under a telling name."""
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"ID3 sound")
    with path.open("rb") as opened:
        assert await upload(opened) == ("talk.mp3", b"ID3 sound", "audio/mpeg")
    assert await upload(path) == await upload(str(path)) == ("talk.mp3", b"ID3 sound", "audio/mpeg")
    assert (await upload(WAV)).name == "audio.wav"
    assert (await upload(io.BytesIO(b"\0\0\0 ftypM4A"))).name == "audio.m4a"
    assert await upload(("x.wav", path, "audio/own")) == ("x.wav", b"ID3 sound", "audio/own")
    assert await upload(("x", b"1")) == ("x", b"1", "application/octet-stream")


@pytest.mark.parametrize(
    ("file", "match"),
    [
        ("/no/such/file.wav", "cannot be read"),
        (b"", "empty"),
        (io.StringIO("text"), "rb"),
        (3, "path"),
        (("a.wav",), "tuple"),
    ],
)
async def test_what_is_no_file_is_refused(file: Any, match: str) -> None:
    """Nobody is asked about a file that cannot be had."""
    with pytest.raises(exceptions.BadRequestError, match=match):
        await polyroute.atranscription("whisper-1", file, api_key="k", api_base=HERE)


@pytest.mark.parametrize(
    "asked",
    [
        lambda: polyroute.amoderation([], api_key="k", api_base=HERE),
        lambda: polyroute.amoderation([1], api_key="k", api_base=HERE),
        lambda: polyroute.aspeech("tts-1", " ", api_key="k", api_base=HERE),
        lambda: polyroute.atext_completion("davinci-002", [], api_key="k", api_base=HERE),
        lambda: polyroute.atext_completion("davinci-002", {"a": 1}, api_key="k", api_base=HERE),
        lambda: polyroute.amoderation("a", mock_response="no text fits", api_key="k"),
    ],
)
async def test_what_makes_no_sense_is_refused_at_once(asked: Any) -> None:
    """Empty and strange inputs do not reach a provider."""
    with pytest.raises(exceptions.BadRequestError):
        await asked()


async def served(fleet: Fleet, body: bytes, kind: str = "application/json") -> Any:
    return await fleet.raw(fleet.http(body, Content_Length=str(len(body)), Content_Type=kind))


async def test_a_router_serves_every_operation(fleet: Fleet) -> None:
    """One alias each, the answer on its route, the content type of sound from its header."""
    answers: dict[str, tuple[bytes, str]] = {
        "openai/omni-moderation-latest": (json.dumps(VERDICT).encode(), "application/json"),
        "openai/tts-1": (WAV, "audio/wav"),
        "openai/gpt-3.5-turbo-instruct": (json.dumps(TEXT).encode(), "application/json"),
        "groq/whisper-large-v3": (b'{"text": "Hi", "duration": 60.0}', "application/json"),
    }
    servers = {model: await served(fleet, *answer) for model, answer in answers.items()}
    router = await fleet.router(
        {model: [server.deployment(model, model=model)] for model, server in servers.items()}
    )
    verdict = await router.amoderation("I will hurt you", "openai/omni-moderation-latest")
    said = await router.aspeech("openai/tts-1", "Hello there", "alloy")
    text = await router.atext_completion("openai/gpt-3.5-turbo-instruct", "Once upon a")
    heard = await router.atranscription("groq/whisper-large-v3", ("a.wav", WAV))
    assert (verdict.results[0].flagged, text.choices[0].text, heard.text) == (True, " time", "Hi")
    assert (said.content, said.content_type) == (WAV, "audio/wav")
    assert [server.heads[0].split(b" ")[1].decode() for server in servers.values()] == [
        f"/v1/{path}" for path in PATHS.values()
    ]
    costs = [answer.route.cost for answer in (said, text, heard)]
    assert costs == pytest.approx([11 * 15e-6, 4 * 1.5e-6 + 2e-6, 60 * 3.083e-05])


async def test_text_is_streamed_by_a_router(fleet: Fleet) -> None:
    """The pieces come as they are; usage and route are complete at the end."""
    server = await served(fleet, events(*PIECES, USAGE), "text/event-stream")
    model = "openai/gpt-3.5-turbo-instruct"
    router = await fleet.router({"base": [server.deployment("base", model=model)]})
    stream = await router.atext_completion("base", "Once", stream=True)
    pieces: list[Any] = [piece async for piece in stream]
    assert "".join(piece.choices[0].text for piece in pieces) == " Once more"
    assert stream.route.attempts[0].usage is not None
    assert stream.route.cost == pytest.approx(4 * 1.5e-6 + 2e-6)


async def test_text_that_breaks_off_is_handed_over(fleet: Fleet) -> None:
    """What had arrived of a stream goes with the error."""
    server = await served(fleet, events(PIECES[0], end=b""), "text/event-stream")
    router = await fleet.router({"base": [server.deployment("base")]}, num_retries=0)
    stream = await router.atext_completion("base", "Once", stream=True)
    with pytest.raises(exceptions.StreamInterruptedError) as caught:
        _ = [piece async for piece in stream]
    assert caught.value.partial_message is not None
    assert caught.value.partial_message.content == " Once"


async def test_the_synchronous_twins_answer_too(fleet: Fleet) -> None:
    """Each function of the package has a twin that needs no loop of one's own."""
    verdict = await served(fleet, json.dumps(VERDICT).encode())
    sound = await served(fleet, WAV, "audio/wav")
    heard = await served(fleet, b'{"text": "Hi"}')
    text = await served(fleet, json.dumps(TEXT).encode())
    stream = await served(fleet, events(*PIECES), "text/event-stream")

    def ask() -> list[Any]:
        def reach(server: Any) -> dict[str, Any]:
            return {"api_key": "k", "api_base": server.base_url}

        pieces = polyroute.text_completion("davinci-002", "Once", stream=True, **reach(stream))
        return [
            polyroute.moderation("I will hurt you", **reach(verdict)).results[0].flagged,
            polyroute.speech("tts-1", "Hello", "alloy", **reach(sound)).content,
            polyroute.transcription("whisper-1", WAV, **reach(heard)).text,
            polyroute.text_completion("davinci-002", "Once", **reach(text)).choices[0].text,
            "".join(piece.choices[0].text for piece in pieces),  # type: ignore[attr-defined]
        ]

    assert await asyncio.to_thread(ask) == [True, WAV, "Hi", " time", " Once more"]
