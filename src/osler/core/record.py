"""Frozen dataclasses from JSON and back: cards, recipes, plans. Types are checked, nothing is evaluated."""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, TypeVar, Union

T = TypeVar("T")


def to_plain(record: Any) -> dict[str, Any]:
    """The record as plain values that JSON can hold (tuples become lists there)."""
    plain: dict[str, Any] = asdict(record)
    return plain


def from_plain(kind: type[T], value: Any, *, where: str = "") -> T:
    """The record of `kind` that `value` (parsed JSON) describes.

    Raises ValueError naming the field that is missing, unknown or of the wrong type.

    >>> from osler.core.quantity import Quantity
    >>> from_plain(Quantity, {"value": 3, "unit": "mm"})
    Quantity(value=3.0, unit='mm', low=None, high=None)
    """
    made: T = _convert(kind, value, where or kind.__name__)
    return made


def _convert(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind, value, where)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return tuple(_convert(Any, item, where) for item in value) if isinstance(value, list | tuple) else value
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(next(a for a in arguments if a is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{where} should be a list")
        inner = arguments[0] if len(arguments) == 2 and arguments[1] is ... else None
        kinds = [inner] * len(value) if inner is not None else list(arguments)
        if len(kinds) != len(value):
            raise ValueError(f"{where} should have {len(kinds)} items, not {len(value)}")
        return tuple(
            _convert(k, item, f"{where}[{i}]") for i, (k, item) in enumerate(zip(kinds, value, strict=True))
        )
    if origin in (dict, Mapping):
        if not isinstance(value, dict):
            raise ValueError(f"{where} should be an object")
        return {str(k): _convert(arguments[1], item, f"{where}.{k}") for k, item in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind in (int, float) and isinstance(value, bool)):
        raise ValueError(f"{where} should be {kind.__name__}, not {type(value).__name__}")
    return value


def _record(kind: type[Any], value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where} should be an object")
    hints = typing.get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    for name in value:
        if name not in known:
            raise ValueError(f"{where} has an unknown field '{name}'")
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{where} lacks '{name}'")
    return kind(**{name: _convert(hints[name], item, f"{where}.{name}") for name, item in value.items()})
