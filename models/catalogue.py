"""
Look-up of models: what they can do, how much they take, what they cost.

The data file is read when the first model is looked up, split into models without decoding
them, and each is decoded when it is asked for. A look-up is a few look-ups in a dictionary,
however many models there are; the answers for the names last used are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from ..exceptions import ConfigurationError, NotFoundError
from .entry import expand
from .names import spellings

DATA = Path(__file__).with_name("data") / "models.json"

REMEMBERED = 4096
"""Names whose entries are kept decoded."""


class ModelInfo(Mapping[str, Any]):
    """What is known of one model, under LiteLLM's names; fields are attributes too.

    ``info["supports_vision"]`` and every other capability is False where nobody says that the
    model has it; any other field that is not known reads as None. `in`, iteration and `get`
    see only what is known.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> Any:
        return self._fields.get(name, False if name.startswith("supports_") else None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def get(self, name: str, default: Any = None) -> Any:
        """The field if it is known, else `default`."""
        return self._fields.get(name, default)

    def __repr__(self) -> str:
        return f"ModelInfo({dict(self._fields)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return ModelInfo, (dict(self._fields),)


class _File(msgspec.Struct):
    """The data file; models stay encoded until they are asked for."""

    format: int
    generated: str
    sources: list[dict[str, Any]]
    aliases: dict[str, str]
    models: dict[str, msgspec.Raw]


class Catalogue(Mapping[str, ModelInfo]):
    """All models by any of their names; iteration yields the keys, ``provider/model``.

    Attributes:
        generated: the day on which the data was put together.
        sources: package, version, licence and number of models of each set it was made from.
    """

    def __init__(self, path: Path = DATA) -> None:
        self._path = path
        self._registered: dict[str, dict[str, Any]] = {}
        self.find = lru_cache(REMEMBERED)(self._find)

    @cached_property
    def _file(self) -> _File:
        return msgspec.json.decode(self._path.read_bytes(), type=_File)

    @property
    def generated(self) -> str:
        """The day on which the data was put together."""
        return self._file.generated

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The sets it was made from."""
        return self._file.sources

    def _find(self, model: str, provider: str | None = None) -> ModelInfo | None:
        """The entry of a model by any of its names, None if there is none."""
        file = self._file
        for spelling in spellings(model, provider):
            for key in (spelling, file.aliases.get(spelling)):
                if key in self._registered:
                    return ModelInfo(self._registered[key])
                if key in file.models:
                    return ModelInfo(expand(key, msgspec.json.decode(file.models[key])))
        return None

    def register(self, model: str, fields: Mapping[str, Any]) -> None:
        """Add a model, or lay `fields` over what is known of it."""
        provider = fields.get("litellm_provider")
        known = self.find(model, provider)
        if known is not None and "/" not in model:
            provider = known.litellm_provider
        key = next(spellings(model, provider))
        entry = {
            "litellm_provider": key.partition("/")[0],
            "mode": "chat",
            **(known or {}),
            **fields,
        }
        self._registered[key] = {**entry, "key": key}
        self.find.cache_clear()

    def __getitem__(self, model: str) -> ModelInfo:
        found = self.find(model)
        if found is None:
            raise KeyError(model)
        return found

    def __contains__(self, model: object) -> bool:
        return isinstance(model, str) and self.find(model) is not None

    def __iter__(self) -> Iterator[str]:
        yield from self._file.models
        yield from (key for key in self._registered if key not in self._file.models)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<Catalogue of {len(self)} models, {self.generated}>"


model_cost: Catalogue = Catalogue()
"""All models, read when first used."""


def get_model_info(model: str, custom_llm_provider: str | None = None) -> ModelInfo:
    """What is known of a model.

    Args:
        model: with or without its provider (``"anthropic/claude-sonnet-4-5"``), and by any of
            its usual names: with a region, a date or a version.
        custom_llm_provider: whose model it is, where the name does not say.

    Raises:
        NotFoundError: the catalogue does not know it; names those that come close.
    """
    found = model_cost.find(model, custom_llm_provider)
    if found is None:
        raise NotFoundError(_unknown(model, custom_llm_provider), model=model)
    return found


def _unknown(model: str, provider: str | None) -> str:
    wanted = next(spellings(model, provider), model)
    family = wanted.partition("/")[0] + "/"
    keys = [key for key in model_cost if key.startswith(family)] or list(model_cost)
    close = get_close_matches(wanted, keys, n=3)
    hint = f"; similar names: {', '.join(close)}" if close else ""
    return f"the catalogue has no such model{hint}. register_model() adds one"


def get_max_tokens(model: str) -> int | None:
    """The longest answer of a model in tokens, None if nobody says.

    Raises:
        NotFoundError: the catalogue does not know the model.
    """
    longest: int | None = get_model_info(model).max_tokens
    return longest


def register_model(models: Mapping[str, Mapping[str, Any]] | str | Path) -> None:
    """Add models, or correct what the catalogue says of them, for this process.

    Args:
        models: fields by model, under LiteLLM's names, or the path of a JSON file of that form:
            ``{"openai/mine": {"input_cost_per_token": 1e-6, "supports_vision": True}}``.

    Raises:
        ConfigurationError: it has another form.
    """
    if isinstance(models, str | Path):
        try:
            models = msgspec.json.decode(Path(models).read_bytes(), type=dict[str, dict[str, Any]])
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigurationError(f"{models}: {error}") from error
    for model, fields in models.items():
        if not isinstance(fields, Mapping):
            raise ConfigurationError(
                f"register_model wants fields for {model!r}, not {fields!r:.60}"
            )
        model_cost.register(model, fields)
