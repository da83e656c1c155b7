"""
What can be called beside chat: embeddings, rankings, images, speech and the rest.

The Router and the single models share these methods. Each checks its input, makes a `Call` of
its operation and hands it to the same engine; the synchronous twins run on the background loop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, overload

from ..providers import Call
from . import inputs
from .stream import ChatStream
from .sync import SyncStream, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from ..schemas import (
        EmbeddingResponse,
        ImageResponse,
        Moderation,
        RerankResponse,
        Speech,
        TextCompletion,
        Transcription,
    )

MODERATOR = "omni-moderation-latest"
"""Who judges if nobody is named."""


class Operations(ABC):
    """The calls beside chat; all but text completions are answered whole."""

    @abstractmethod
    def _operate(self, model: str, call: Call, keywords: Mapping[str, Any]) -> Awaitable[Any]:
        """Begin to answer one call; `keywords` are its parameters and options."""

    async def aembedding(self, model: str, input: Any, **params: Any) -> EmbeddingResponse:
        """Turn texts into vectors.

        More inputs than a provider takes in one request are split, asked side by side and put
        together again; should a part fail for good, the call fails.

        Args:
            model: an alias, or ``"provider/model"`` without a Router.
            input: a text, a list of tokens, or a list of texts or of lists of tokens; for models
                that embed images, their URLs are texts too.
            params: `dimensions`, `encoding_format` (``"base64"`` leaves the vectors as text),
                `user`, `input_type`, a provider's own parameters, and the options of
                :class:`Options`.

        Raises:
            BadRequestError: the input is empty, or nothing that can be embedded.
            APIError: nobody could answer; the class says why, `route` what was tried.
        """
        call = Call([], operation="embedding", input=inputs.embedded(input))
        answer: EmbeddingResponse = await self._operate(model, call, params)
        return answer

    def embedding(self, model: str, input: Any, **params: Any) -> EmbeddingResponse:
        """The synchronous twin of :meth:`aembedding`."""
        return run(self.aembedding(model, input, **params))

    async def arerank(
        self, model: str, query: str, documents: Iterable[Any], **params: Any
    ) -> RerankResponse:
        """Rank documents by how well they answer a query, best first.

        Args:
            model: an alias, or ``"provider/model"`` without a Router.
            query: what is looked for.
            documents: texts, or objects with named fields such as `title` and `text`.
            params: `top_n` (how many are returned), `rank_fields` (of the objects, which count),
                `return_documents` (False leaves out the texts), `max_tokens_per_doc`, and
                whatever else the provider or :class:`Options` know.

        Raises:
            APIError: there is no ranking; the class says why.
        """
        given = inputs.ranking(query, documents, params.get("top_n"))
        call = Call([], operation="rerank", input=given)
        answer: RerankResponse = await self._operate(model, call, params)
        return answer

    def rerank(
        self, model: str, query: str, documents: Iterable[Any], **params: Any
    ) -> RerankResponse:
        """The synchronous twin of :meth:`arerank`."""
        return run(self.arerank(model, query, documents, **params))

    @overload
    async def atext_completion(
        self, model: str, prompt: Any, *, stream: Literal[False] | None = False, **params: Any
    ) -> TextCompletion: ...

    @overload
    async def atext_completion(
        self, model: str, prompt: Any, *, stream: Literal[True], **params: Any
    ) -> ChatStream: ...

    @overload
    async def atext_completion(
        self, model: str, prompt: Any, *, stream: bool | None, **params: Any
    ) -> TextCompletion | ChatStream: ...

    async def atext_completion(
        self, model: str, prompt: Any, *, stream: bool | None = False, **params: Any
    ) -> TextCompletion | ChatStream:
        """Continue a text, as models did before there was chat.

        Args:
            model: an alias, or ``"provider/model"`` without a Router.
            prompt: a text, a list of tokens, or a list of either.
            stream: True returns a stream, whose chunks have the shape of whole answers.
            params: `max_tokens`, `suffix`, `echo` and the other parameters of OpenAI's, and
                the options of :class:`Options`.

        Raises:
            APIError: there is no answer; the class says why.
        """
        return await self.continue_text(model, prompt, bool(stream), params)

    @overload
    def text_completion(
        self, model: str, prompt: Any, *, stream: Literal[False] | None = False, **params: Any
    ) -> TextCompletion: ...

    @overload
    def text_completion(
        self, model: str, prompt: Any, *, stream: Literal[True], **params: Any
    ) -> SyncStream: ...

    @overload
    def text_completion(
        self, model: str, prompt: Any, *, stream: bool | None, **params: Any
    ) -> TextCompletion | SyncStream: ...

    def text_completion(
        self, model: str, prompt: Any, *, stream: bool | None = False, **params: Any
    ) -> TextCompletion | SyncStream:
        """The synchronous twin of :meth:`atext_completion`; a stream is an ordinary iterator."""
        answer = run(self.continue_text(model, prompt, bool(stream), params))
        return SyncStream(answer) if isinstance(answer, ChatStream) else answer

    async def continue_text(
        self, model: str, prompt: Any, stream: bool, keywords: Mapping[str, Any]
    ) -> TextCompletion | ChatStream:
        """What `atext_completion` does, whatever `stream` is."""
        call = Call([], operation="text_completion", input=inputs.prompt(prompt), stream=stream)
        call.ask_usage = True
        answer: TextCompletion | ChatStream = await self._operate(model, call, keywords)
        return answer

    async def aimage_generation(self, prompt: str, model: str, **params: Any) -> ImageResponse:
        """Draw images.

        Args:
            prompt: what is to be seen.
            model: an alias, or ``"provider/model"`` without a Router.
            params: `n`, `size` (``"1024x1024"``), `quality`, `style`, `response_format` (url or
                b64_json), `background`, `output_format`, `user`, whatever else the model takes,
                and the options of :class:`Options`.

        Raises:
            APIError: there is no image; the class says why.
        """
        call = Call([], operation="image", input=inputs.text(prompt, "prompt"))
        answer: ImageResponse = await self._operate(model, call, params)
        return answer

    def image_generation(self, prompt: str, model: str, **params: Any) -> ImageResponse:
        """The synchronous twin of :meth:`aimage_generation`."""
        return run(self.aimage_generation(prompt, model, **params))

    async def amoderation(self, input: Any, model: str = MODERATOR, **params: Any) -> Moderation:
        """Judge whether content is objectionable.

        Args:
            input: a text, a list of texts (a verdict each), or a list of parts with text and
                images (one verdict).
            model: an alias, or ``"provider/model"`` without a Router.
            params: the options of :class:`Options`.

        Raises:
            APIError: there is no verdict; the class says why.
        """
        call = Call([], operation="moderation", input=inputs.judged(input))
        answer: Moderation = await self._operate(model, call, params)
        return answer

    def moderation(self, input: Any, model: str = MODERATOR, **params: Any) -> Moderation:
        """The synchronous twin of :meth:`amoderation`."""
        return run(self.amoderation(input, model, **params))

    async def atranscription(self, model: str, file: Any, **params: Any) -> Transcription:
        """Write down what is said in a recording.

        Args:
            model: an alias, or ``"provider/model"`` without a Router.
            file: a path, an open file, bytes, or a tuple of name, content and media type. It is
                read once, before anybody is asked, however often the call is tried.
            params: `language`, `prompt`, `temperature`, `timestamp_granularities`,
                `response_format` (json, text, srt, verbose_json or vtt), and the options of
                :class:`Options`.

        Raises:
            APIError: there is no text; the class says why.
        """
        call = Call([], operation="transcription", input=await inputs.upload(file))
        answer: Transcription = await self._operate(model, call, params)
        return answer

    def transcription(self, model: str, file: Any, **params: Any) -> Transcription:
        """The synchronous twin of :meth:`atranscription`."""
        return run(self.atranscription(model, file, **params))

    async def aspeech(
        self, model: str, input: str, voice: str | Mapping[str, Any] | None = None, **params: Any
    ) -> Speech:
        """Say a text aloud.

        Args:
            model: an alias, or ``"provider/model"`` without a Router.
            input: what is said.
            voice: whose voice says it, by the provider's name for it.
            params: `instructions`, `response_format` (mp3, wav, …), `speed`, and the options of
                :class:`Options`.

        Raises:
            APIError: there is no sound; the class says why.
        """
        call = Call([], operation="speech", input=inputs.text(input, "input"))
        answer: Speech = await self._operate(model, call, {"voice": voice, **params})
        return answer

    def speech(
        self, model: str, input: str, voice: str | Mapping[str, Any] | None = None, **params: Any
    ) -> Speech:
        """The synchronous twin of :meth:`aspeech`."""
        return run(self.aspeech(model, input, voice, **params))
