"""
The base of every shape: a msgspec Struct that can also be read as a mapping.

Records are decoded straight from the bytes of the wire. Fields that a class does not declare
are not lost: the record keeps the bytes and looks into them when somebody asks.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


def private(name: str) -> Any:
    """A Struct field that no provider's JSON can set: its wire name is nobody else's."""
    return msgspec.field(default=None, name=f"polyroute:{name}")


class Unread(NamedTuple):
    """The bytes that hold a record's unknown fields, and where in them: for records in a list."""

    raw: bytes
    path: tuple[str | int, ...]


class Record(msgspec.Struct, kw_only=True, gc=False):
    """A typed object that is also a mapping.

    ``record.field``, ``record["field"]``, ``record.get("field", default)``, ``"field" in record``,
    ``dict(record)`` and ``model_dump()`` see the same fields: the declared ones and whatever
    else the provider sent. Fields whose name starts with an underscore are polyroute's own.
    """

    _path: ClassVar[tuple[str | int, ...] | None] = None
    """Where this record stands in the bytes of its answer; None: that depends on the answer."""

    def _extras(self) -> dict[str, Any]:
        """The fields that the provider sent and this class does not declare."""
        kept = getattr(self, "_extra", None)
        if type(kept) is bytes and self._path is not None:
            kept = self._extra = _undeclared(kept, self._path, type(self).__struct_fields__)
        elif type(kept) is Unread:
            kept = self._extra = _undeclared(*kept, type(self).__struct_fields__)
        return kept if kept is not None else {}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            extras = self._extras()
            if name in extras:
                return extras[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def keys(self) -> list[str]:
        """The names of all fields, declared first."""
        declared = [name for name in self.__struct_fields__ if name[0] != "_"]
        return declared + [name for name in self._extras() if name not in declared]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, name: object) -> bool:
        return name in self.keys()

    def __getitem__(self, name: str) -> Any:
        if isinstance(name, str) and name in self.keys():
            return getattr(self, name)
        raise KeyError(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self.__struct_fields__ and name[0] != "_":
            setattr(self, name, value)
        else:
            raise KeyError(f"{type(self).__name__} has no field {name!r}")

    def get(self, name: str, default: Any = None) -> Any:
        """The field's value, or `default` if there is no such field."""
        return self[name] if name in self else default

    def items(self) -> list[tuple[str, Any]]:
        """Pairs of name and value, as of a mapping."""
        return [(name, getattr(self, name)) for name in self.keys()]

    def values(self) -> list[Any]:
        """The values of all fields, as of a mapping."""
        return [getattr(self, name) for name in self.keys()]

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] = "python",
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Plain dictionaries and lists, unknown fields included.

        `mode` is accepted for pydantic's callers: every value is JSON's own either way.
        """
        return {
            name: _plain(value, exclude_none)
            for name, value in self.items()
            if not (exclude_none and value is None)
        }

    def model_dump_json(self, *, indent: int | None = None, exclude_none: bool = False) -> str:
        """The dump as JSON text."""
        text = msgspec.json.encode(self.model_dump(exclude_none=exclude_none))
        return (text if indent is None else msgspec.json.format(text, indent=indent)).decode()

    to_dict = model_dump
    json = model_dump_json

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.items() if value is not None)
        return f"{type(self).__name__}({shown})"

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """Let pydantic (and so FastAPI) validate from a dictionary and serialise to one."""
        from pydantic_core import core_schema  # noqa: PLC0415  only pydantic itself calls this

        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else convert(value, cls),
            json_schema_input_schema=core_schema.dict_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.model_dump(), return_schema=core_schema.dict_schema()
            ),
        )


def _undeclared(
    raw: bytes, path: tuple[str | int, ...], declared: tuple[str, ...]
) -> dict[str, Any]:
    """The fields at `path` of a JSON document that are not `declared`, none if there is no path."""
    try:
        found: Any = msgspec.json.decode(raw)
    except (UnicodeDecodeError, msgspec.DecodeError):  # what was skipped may be no clean JSON
        found = json.loads(raw.decode("utf-8", "replace"))  # and numbers beyond a double infinite
    try:
        for step in path:
            found = found[step]
        return {name: value for name, value in found.items() if name not in declared}
    except (AttributeError, IndexError, KeyError, TypeError):
        return {}


def _plain(value: Any, exclude_none: bool) -> Any:
    if isinstance(value, Record):
        return value.model_dump(exclude_none=exclude_none)
    if isinstance(value, dict):
        return {key: _plain(item, exclude_none) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, exclude_none) for item in value]
    return value


class Details(dict[str, Any]):
    """Counts inside `Usage`: a dictionary whose entries can be read as attributes too.

    The usual names (`cached_tokens`, `reasoning_tokens`, `audio_tokens`, …) read as None
    where the provider sent nothing.
    """

    _usual = frozenset(
        {
            "accepted_prediction_tokens",
            "audio_tokens",
            "cache_creation_tokens",
            "cached_tokens",
            "image_tokens",
            "reasoning_tokens",
            "rejected_prediction_tokens",
            "text_tokens",
            "video_tokens",
        }
    )

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name in self._usual:
            return None
        raise AttributeError(f"no {name!r} among these token counts: {sorted(self)}")

    def model_dump(self) -> dict[str, Any]:
        """A plain dictionary."""
        return dict(self)


def decode_details(kind: type, value: Any) -> Any:
    """msgspec's hook for the types it does not know: dictionaries that can do more."""
    if type(value) is dict and issubclass(kind, dict):
        return kind(value)
    raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")


def convert(value: Any, kind: type[T]) -> T:
    """Build a record from plain dictionaries; fields that it does not declare are kept.

    Raises:
        msgspec.ValidationError: `value` does not have the record's shape.
    """
    built = msgspec.convert(value, kind, dec_hook=decode_details)
    _keep_undeclared(built, value)
    return built


def _keep_undeclared(built: Any, value: Any) -> None:
    """Give every record in `built` the fields of `value` that its class does not declare."""
    if isinstance(built, Record) and isinstance(value, dict):
        declared = built.__struct_fields__
        if "_extra" in declared:
            extra = {name: item for name, item in value.items() if name not in declared}
            if extra:
                built._extra = extra
        for name in declared:
            if name in value:
                _keep_undeclared(getattr(built, name), value[name])
    elif isinstance(built, list) and isinstance(value, list):
        for inner, item in zip(built, value, strict=True):
            _keep_undeclared(inner, item)
