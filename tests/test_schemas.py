"""Answers: typed objects that are mappings too, lose nothing, and go everywhere."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from typing import Any

import msgspec
import pydantic
import pytest

from polyroute.providers import Call, Target, adapter
from polyroute.providers.messages import normalise_messages
from polyroute.schemas import (
    Attempt,
    ChatCompletion,
    ChatCompletionChunk,
    Choice,
    Delta,
    Details,
    Function,
    Message,
    Record,
    Route,
    ToolCall,
    Usage,
    convert,
    request_id,
)

BODY: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 5,
    "model": "m",
    "provider": "Friendly",
    "choices": [
        {
            "index": 0,
            "native_finish_reason": "STOP",
            "message": {
                "role": "assistant",
                "content": "Hello!",
                "mood": {"sunny": True},
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1, "odd_tokens": 7},
        "queue_time": 0.5,
    },
}


@pytest.fixture
def answer() -> ChatCompletion:
    """An answer as a provider sent it, with fields that nobody knows."""
    openai = adapter(Target("openai", "m", "key"))
    return openai.parse(json.dumps(BODY).encode(), Call([]))


class TestReading:
    def test_attributes_and_items(self, answer: ChatCompletion) -> None:
        """Every field can be read in both ways, however deep."""
        assert answer.choices[0].message.content == "Hello!"
        assert answer["choices"][0]["message"]["content"] == "Hello!"
        assert answer.get("id") == answer.id == "chatcmpl-1"

    def test_unknown_fields_are_kept(self, answer: ChatCompletion) -> None:
        """What OpenAI does not define is there at every level, in both ways."""
        choice = answer.choices[0]
        assert (answer.provider, answer["provider"]) == ("Friendly", "Friendly")
        assert choice.native_finish_reason == "STOP"
        assert choice.message.mood == {"sunny": True}
        assert answer.usage.queue_time == 0.5
        assert choice.message.provider_specific_fields == {"mood": {"sunny": True}}
        assert answer.provider_specific_fields == {"provider": "Friendly"}

    def test_is_a_mapping_in_behaviour(self, answer: ChatCompletion) -> None:
        """keys, items, values, len, iteration and dict() agree."""
        message = answer.choices[0].message
        assert dict(message) == dict(message.items())
        assert list(message) == message.keys() == [name for name, _ in message.items()]
        assert len(message) == len(message.values())
        assert {**message}["content"] == "Hello!"

    def test_unknown_fields_may_be_odd(self) -> None:
        """Numbers beyond a double and broken UTF-8 in fields nobody declared lose no others."""
        body = (
            json.dumps({**BODY, "odd": 0, "plain": 1})
            .encode()
            .replace(b'"odd": 0', b'"odd": 1e999')
        )
        answer = adapter(Target("openai", "m", "key")).parse(body, Call([]))
        assert (answer.odd, answer.plain) == (float("inf"), 1)

    def test_absent_is_a_key_error(self, answer: ChatCompletion) -> None:
        """A name that is nowhere is a KeyError, an AttributeError, or the default."""
        with pytest.raises(KeyError, match="nothing"):
            answer["nothing"]
        with pytest.raises(AttributeError, match="'ChatCompletion' object has no attribute"):
            answer.nothing  # noqa: B018
        assert answer.get("nothing", 7) == 7
        assert "nothing" not in answer

    @pytest.mark.parametrize("name", ["nothing", "_nothing", "__fields_set__", "model_fields_set"])
    def test_hasattr(self, answer: ChatCompletion, name: str) -> None:
        """hasattr says no without an exception of another kind."""
        for record in (answer, answer.choices[0], answer.choices[0].message, answer.usage):
            assert not hasattr(record, name)

    def test_own_fields_are_hidden(self, answer: ChatCompletion) -> None:
        """polyroute's own notes on an answer are none of its fields."""
        answer._route = Route("smart")
        answer._headers = {"x-request-id": "r"}
        assert not [name for name in answer if name.startswith("_") or "polyroute" in name]
        assert (answer.route.alias, answer.request_id) == ("smart", "r")
        assert answer.response_headers == {"x-request-id": "r"}

    @pytest.mark.parametrize("odd", ["_route", "_extra", "polyroute:route"])
    def test_provider_cannot_set_them(self, odd: str) -> None:
        """A provider that sends fields of these names does not reach polyroute's own."""
        body = json.dumps({**BODY, odd: "mine"}).encode()
        answer = adapter(Target("openai", "m", "key")).parse(body, Call([]))
        assert odd == "polyroute:route" or answer.route.attempts == []
        assert answer.choices[0].message.content == "Hello!"

    def test_fields_can_be_set(self, answer: ChatCompletion) -> None:
        """Callers may change what they got, in both ways, but not invent fields."""
        message = answer.choices[0].message
        message.content = "Bye"
        message["role"] = "user"
        assert (message["content"], message.role) == ("Bye", "user")
        with pytest.raises(KeyError):
            message["invented"] = 1

    def test_mapping_patterns_use_attributes(self, answer: ChatCompletion) -> None:
        """Records match class patterns; they are no registered Mapping, so numbers stay numbers."""
        match answer.choices[0]:
            case Choice(finish_reason="stop", message=Message(content=text)):
                assert text == "Hello!"
            case _:
                pytest.fail("did not match")
        assert not isinstance(answer, Mapping)

    def test_repr_shows_what_is_there(self, answer: ChatCompletion) -> None:
        """A repr names the class and the fields that are set."""
        assert repr(answer.usage).startswith("Usage(prompt_tokens=3")
        assert "refusal" not in repr(answer)


class TestDumps:
    def test_model_dump_is_plain_and_complete(self, answer: ChatCompletion) -> None:
        """A dump has plain containers only and loses nothing that came."""

        def contained(part: Any, whole: Any) -> bool:
            if isinstance(part, dict):
                assert type(whole) is dict
                return all(contained(item, whole[name]) for name, item in part.items())
            if isinstance(part, list):
                return all(contained(one, other) for one, other in zip(part, whole, strict=True))
            return part == whole

        assert contained(BODY, answer.model_dump())
        assert answer.to_dict() == answer.model_dump(mode="json")

    def test_exclude_none(self, answer: ChatCompletion) -> None:
        """exclude_none leaves out what is not set, at every level."""
        assert "refusal" in answer.model_dump()["choices"][0]["message"]
        assert "null" not in json.dumps(answer.model_dump(exclude_none=True))

    def test_json(self, answer: ChatCompletion) -> None:
        """The JSON text is the dump."""
        assert json.loads(answer.model_dump_json()) == answer.model_dump()
        assert json.loads(answer.json(indent=2, exclude_none=True)) == answer.model_dump(
            exclude_none=True
        )

    @pytest.mark.parametrize("way", ["pickle", "copy", "deepcopy"])
    def test_survives(self, answer: ChatCompletion, way: str) -> None:
        """Answers cross process borders with route, headers and unknown fields."""
        ways = {
            "pickle": lambda it: pickle.loads(pickle.dumps(it)),  # noqa: S301
            "copy": copy.copy,
            "deepcopy": copy.deepcopy,
        }
        answer._route = Route("smart", [Attempt("d", "smart", "first", 0.0, 0.0)])
        answer._headers = {"x": "y"}
        again = ways[way](answer)
        assert again.model_dump() == answer.model_dump()
        assert again.route.attempts[0].deployment_id == "d"
        assert again.usage.prompt_tokens_details.cached_tokens == 1

    def test_equal_answers(self) -> None:
        """Records with equal fields are equal."""
        assert Message(content="a") == Message(content="a") != Message(content="b")

    def test_back_into_messages(self, answer: ChatCompletion) -> None:
        """A message of an answer can be put into the next call as it is."""
        (plain,) = normalise_messages([answer.choices[0].message])
        assert plain["role"] == "assistant"
        assert plain["tool_calls"][0]["function"] == {"name": "f", "arguments": "{}"}
        assert "refusal" not in plain
        assert type(plain["tool_calls"][0]) is dict

    def test_msgspec_encodes_them(self, answer: ChatCompletion) -> None:
        """Who uses msgspec or orjson on a dump gets OpenAI's JSON."""
        dumped = msgspec.json.encode(answer.model_dump(exclude_none=True))
        assert json.loads(dumped)["usage"]["prompt_tokens_details"]["odd_tokens"] == 7


class TestPydantic:
    def test_validates_from_a_dictionary(self) -> None:
        """pydantic builds an answer from what a dump gives."""
        built = pydantic.TypeAdapter(ChatCompletion).validate_python(BODY)
        assert built.choices[0].message.tool_calls[0].function.name == "f"
        assert pydantic.TypeAdapter(ChatCompletion).validate_json(json.dumps(BODY)) == built

    def test_round_trip_loses_nothing(self, answer: ChatCompletion) -> None:
        """What was dumped and validated again has the unknown fields still."""
        built = pydantic.TypeAdapter(ChatCompletion).validate_python(answer.model_dump())
        assert built.model_dump() == answer.model_dump()

    def test_takes_instances_as_they_are(self, answer: ChatCompletion) -> None:
        """An answer in a model's field is that object, not a copy."""

        class Stored(pydantic.BaseModel):
            answer: ChatCompletion
            messages: list[Message] = []

        stored = Stored(answer=answer, messages=[answer.choices[0].message])
        assert stored.answer is answer
        dumped = stored.model_dump()
        assert dumped["answer"]["provider"] == "Friendly"
        assert json.loads(stored.model_dump_json())["messages"][0]["content"] == "Hello!"

    @pytest.mark.parametrize("value", [5, "text", {"choices": "none"}, {}, None])
    def test_wrong_shape_is_pydantics_error(self, value: Any) -> None:
        """What is no answer is a pydantic.ValidationError: FastAPI makes a 422 of it."""
        with pytest.raises(pydantic.ValidationError):
            pydantic.TypeAdapter(ChatCompletion).validate_python(value)

    def test_fastapi_can_return_it(self, answer: ChatCompletion) -> None:
        """A response model has a schema and serialises to plain JSON, as FastAPI does it."""
        typed = pydantic.TypeAdapter(ChatCompletion)
        assert typed.json_schema(mode="serialization")["type"] == "object"
        assert typed.json_schema(mode="validation")["type"] == "object"
        plain = typed.dump_python(answer, mode="json")
        assert json.loads(json.dumps(plain)) == answer.model_dump()

    def test_jsonable_without_a_model(self, answer: ChatCompletion) -> None:
        """FastAPI's jsonable_encoder falls back to dict(): that works at every level."""

        def jsonable(value: Any) -> Any:
            if value is None or isinstance(value, str | int | float):
                return value
            if isinstance(value, list):
                return [jsonable(item) for item in value]
            return {name: jsonable(item) for name, item in dict(value).items()}

        assert jsonable(answer) == answer.model_dump()

    def test_routes_are_plain_structs(self) -> None:
        """A route can be written as JSON by msgspec."""
        route = Route("smart", [Attempt("d", "smart", "first", 0.0, 0.0)])
        assert json.loads(msgspec.json.encode(route))["attempts"][0]["deployment_id"] == "d"


class TestDetails:
    def test_usual_counts_are_none(self) -> None:
        """The usual names read as None where the provider sent nothing."""
        details = Details(cached_tokens=5)
        assert (details.cached_tokens, details.reasoning_tokens) == (5, None)
        assert "reasoning_tokens" not in details

    def test_unusual_counts_are_errors(self) -> None:
        """A misspelt name is an AttributeError that shows what there is."""
        with pytest.raises(AttributeError, match="cached_tokens"):
            Details(cached_tokens=5).cached_toknes  # noqa: B018
        assert not hasattr(Details(), "__fields__")

    def test_survives(self) -> None:
        """Details stay what they are through copies and pickles."""
        details = Details(cached_tokens=5)
        pickled = pickle.loads(pickle.dumps(details))  # noqa: S301  our own bytes
        for again in (copy.copy(details), copy.deepcopy(details), pickled):
            assert (type(again), again.cached_tokens) == (Details, 5)

    def test_decoded_inside_usage(self) -> None:
        """Usage built from a dictionary has its details typed."""
        usage = convert({"prompt_tokens_details": {"cached_tokens": 2}}, Usage)
        assert usage.prompt_tokens_details.cached_tokens == 2
        assert usage.model_dump()["prompt_tokens_details"] == {"cached_tokens": 2}


class TestBuilding:
    def test_defaults(self) -> None:
        """A chunk's delta and a tool call need no more than what they say."""
        assert Delta().content is None
        assert ToolCall(function=Function(name="f")).type == "function"
        assert ChatCompletionChunk(choices=[]).object == "chat.completion.chunk"

    @pytest.mark.parametrize(
        "name", ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id"]
    )
    def test_request_id_under_any_name(self, name: str) -> None:
        """The provider's id of a request is found under whichever header it comes."""
        assert request_id({"content-type": "x", name: "r-1"}) == "r-1"
        assert request_id({}) is None

    def test_every_record_names_only_json_types(self) -> None:
        """No record declares a name that its mapping methods already use."""

        def records(kind: type[Record]) -> set[type[Record]]:
            return {kind}.union(*map(records, kind.__subclasses__()))

        methods = {name for name in vars(Record) if not name.startswith("_")}
        clashes = {name for kind in records(Record) for name in kind.__struct_fields__} & methods
        assert clashes == set()


class TestRoute:
    def test_served_by(self) -> None:
        """The deployment of the answer is the last one that did not fail."""
        one = Attempt("one", "smart", "first", 0.0, 0.0, outcome="failed")
        two = Attempt("two", "smart", "sibling", 0.0, 0.0, outcome="ok")
        assert Route("smart", [one, two]).served_by == "two"
        assert Route("smart", [one]).served_by is None
        assert Route("smart").served_by is None

    def test_cost_adds_up(self) -> None:
        """All attempts that cost something are paid for."""
        one = Attempt("one", "smart", "first", 0.0, 0.0, cost=0.5)
        two = Attempt("two", "smart", "retry", 0.0, 0.0, cost=0.25)
        assert Route("smart", [one, two]).cost == 0.75
        assert Route("smart", []).cost is None

    def test_unknown_price_of_the_answer(self) -> None:
        """If the answer's own price is unknown, so is the whole, whatever failed before it."""
        one = Attempt("one", "smart", "first", 0.0, 0.0, outcome="interrupted", cost=0.5)
        two = Attempt("two", "smart", "retry", 0.0, 0.0, outcome="ok")
        assert Route("smart", [one, two]).cost is None

    def test_empty_route_reads(self) -> None:
        """A route without attempts says so."""
        assert str(Route("smart")) == "smart: no attempt"
