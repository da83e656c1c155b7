"""Tokens: estimates that are near enough, counts that are exact, and nothing downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from polyroute import ChatCompletion, estimate_tokens, token_counter
from polyroute.exceptions import BadRequestError
from polyroute.models.tokenizers import counter_of, encoding_of
from polyroute.models.tokens import LONGEST, TokenCount
from polyroute.schemas import convert

if TYPE_CHECKING:
    from collections.abc import Iterator


class Text(NamedTuple):
    """A text of ours, and how many tokens OpenAI's tokenizers make of it."""

    o200k: int
    cl100k: int
    text: str


FILE = Path(__file__).with_name("data") / "texts.json"
TEXTS = {name: Text(**each) for name, each in json.loads(FILE.read_text("utf-8")).items()}

NEW, OLD = "gpt-4o", "gpt-4"
HERE = all(map(counter_of, ("o200k_base", "cl100k_base")))
exact = pytest.mark.skipif(not HERE, reason="needs tiktoken and its data: TIKTOKEN_CACHE_DIR")
every_text = pytest.mark.parametrize("name", TEXTS)

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the current weather in a place.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "City and country"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["place"],
        },
    },
}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """tiktoken's cache is empty."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    counter_of.cache_clear()
    yield
    counter_of.cache_clear()


class TestEstimates:
    @every_text
    def test_newer_models(self, name: str) -> None:
        """Within 15 % of what GPT-4o and its successors count, whatever the language."""
        tokens = estimate_tokens([user(TEXTS[name].text)]) - estimate_tokens([user("")])
        assert tokens == pytest.approx(TEXTS[name].o200k, rel=0.15)

    @every_text
    def test_older_models(self, name: str) -> None:
        """Within 15 % of what GPT-4 counts."""
        tokens = estimate_tokens([user(TEXTS[name].text)], model=OLD) - estimate_tokens([user("")])
        assert tokens == pytest.approx(TEXTS[name].cl100k, rel=0.15)

    def test_long_texts_are_sampled(self) -> None:
        """A long text is estimated from pieces of it, as well as from the whole."""
        text = "".join(each.text for each in TEXTS.values())
        once, times = estimate_tokens([user(text)]), 40
        assert len(text) * times > 4 * LONGEST
        assert estimate_tokens([user(text * times)]) == pytest.approx(once * times, rel=0.05)

    def test_messages_and_what_is_around_them(self) -> None:
        """Each message costs something of its own; so do names, images and tool calls."""
        one, two = estimate_tokens([user("hi")]), estimate_tokens([user("hi"), user("hi")])
        assert (one, two - one) == (8, 5)
        assert estimate_tokens([{**user("hi"), "name": "Ada"}]) > one
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10**6}}
        low = {"type": "image_url", "image_url": {"url": "u", "detail": "low"}}
        assert estimate_tokens([user([{"type": "text", "text": "hi"}, image])]) == one + 765
        assert estimate_tokens([user([{"type": "text", "text": "hi"}, low])]) == one + 85
        call = {"id": "1", "function": {"name": "get_weather", "arguments": "{}"}}
        assert estimate_tokens([{"role": "assistant", "tool_calls": [call]}]) == pytest.approx(
            17, 1
        )

    def test_tools(self) -> None:
        """Tools are weighed by their JSON, near to OpenAI's rule for them."""
        tokens = estimate_tokens([user("hi")], [TOOL]) - estimate_tokens([user("hi")])
        assert tokens == pytest.approx(55, rel=0.2)

    def test_message_objects(self) -> None:
        """Messages of earlier answers count like dictionaries."""
        message = {"role": "assistant", "content": "Hello there, how are you?"}
        answer = convert({"choices": [{"message": message}]}, ChatCompletion)
        assert estimate_tokens([answer.choices[0].message]) == estimate_tokens([message])

    def test_text_that_is_not_valid(self) -> None:
        """Half of a surrogate pair does no harm."""
        assert estimate_tokens([user("\ud83d")]) > 0

    def test_no_message(self) -> None:
        """What is no message is refused with its beginning."""
        with pytest.raises(BadRequestError, match="a message is 'hello'"):
            estimate_tokens(["hello"])


class TestEncodings:
    @pytest.mark.parametrize(
        ("model", "encoding"),
        [
            ("gpt-4o-mini", "o200k_base"),
            ("azure/gpt-4.1", "o200k_base"),
            ("openrouter/openai/gpt-5-nano", "o200k_base"),
            ("o3-mini", "o200k_base"),
            ("ft:gpt-4o-2024-08-06:org::id", "o200k_base"),
            ("gpt-4-turbo", "cl100k_base"),
            ("gpt-3.5-turbo-0125", "cl100k_base"),
            ("text-embedding-3-small", "cl100k_base"),
            ("claude-sonnet-4-5", None),
            ("ollama/gpt-4all", None),
            ("", None),
        ],
    )
    def test_of_models(self, model: str, encoding: str | None) -> None:
        """OpenAI's models have one of two encodings, whoever serves them; others none."""
        assert encoding_of(model) == encoding

    @exact
    @every_text
    def test_exact(self, name: str) -> None:
        """With tiktoken and its data every token is counted."""
        text = TEXTS[name]
        counts = token_counter(NEW, text.text), token_counter(OLD, text=[text.text])
        assert counts == (text.o200k, text.cl100k)
        assert not any(count.is_estimate for count in counts)

    @exact
    def test_exact_messages(self) -> None:
        """Messages of text are counted by OpenAI's rule; what it does not say is an estimate."""
        messages = [{"role": "system", "content": "Be brief."}, {**user("hi"), "name": "Ada"}]
        count = token_counter(NEW, messages=messages)
        # 3 for the answer; 4 + "Be brief." 3; 4 + "hi" 1 + 1 for the name + "Ada" 1
        assert (count, count.is_estimate) == (3 + 4 + 3 + 4 + 1 + 1 + 1, False)
        assert token_counter(NEW, messages=messages, tools=[TOOL]).is_estimate
        assert token_counter(NEW, messages=[user([{"type": "image_url"}])]).is_estimate

    @exact
    def test_special_tokens_are_text(self) -> None:
        """What looks like a control token is counted as the text that it is."""
        assert token_counter(NEW, "<|endoftext|>") > 1

    @pytest.mark.usefixtures("no_data")
    def test_nothing_is_downloaded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the data there is an estimate that says so, and no connection."""

        def refuse(*_: Any, **__: Any) -> Any:
            raise AssertionError("somebody is asked")

        monkeypatch.setattr("socket.getaddrinfo", refuse)
        count = token_counter(NEW, TEXTS["prose"].text)
        assert count.is_estimate
        assert count == pytest.approx(TEXTS["prose"].o200k, rel=0.15)

    @pytest.mark.usefixtures("no_data")
    def test_damaged_data_is_not_used(self, tmp_path: Path) -> None:
        """A file that is not whole is as good as none: tiktoken would fetch it anew."""
        (tmp_path / "fb374d419588a4632f3f557e76b4b70aebbca790").write_bytes(b"IQ== 0\n")
        assert token_counter(NEW, "Hello").is_estimate

    @pytest.mark.parametrize("given", [{}, {"text": "a", "messages": []}])
    def test_text_or_messages(self, given: dict[str, Any]) -> None:
        """One of the two must be given, and only one."""
        with pytest.raises(BadRequestError, match="either text= or messages="):
            token_counter(NEW, **given)

    def test_other_models(self) -> None:
        """Of models that are not OpenAI's nobody has the tokenizer."""
        count = token_counter("claude-sonnet-4-5", messages=[user("Hello")], tools=[TOOL])
        assert isinstance(count, TokenCount)
        assert count.is_estimate
        assert count > token_counter("claude-sonnet-4-5", messages=[user("Hello")])
