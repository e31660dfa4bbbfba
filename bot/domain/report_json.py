"""Rebuild a report from its JSON: the inverse of ``to_json``, for a case that is shown again later.

The types of the dataclasses in ``report`` are the schema; nothing is listed twice. Times come back with the millisecond
precision that the JSON keeps. Unknown fields are ignored, so that a later program may add some.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from bot.domain.report import SCHEMA, Answer, Report
from bot.errors import CaseError


def report_from_json(document: Mapping[str, Any]) -> Report:
    """Rebuild a report; raise CaseError where the document is of another schema or damaged."""
    schema = document.get("schema")
    if schema != SCHEMA:
        raise CaseError(
            f"The stored report has the schema {schema!r}, this program reads {SCHEMA!r}: "
            "update the program, or analyze the export again."
        )
    report = _rebuild(document, Report)
    assert isinstance(report, Report)
    return report


def answer_from_json(document: Mapping[str, Any]) -> Answer:
    """Rebuild an answer to a follow-up; raise CaseError where the document is damaged."""
    answer = _rebuild(document, Answer)
    assert isinstance(answer, Answer)
    return answer


def _rebuild(document: Any, shape: type) -> object:  # noqa: ANN401 - any JSON value comes in
    try:
        return _decode(document, shape)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaseError(
            f"The stored {shape.__name__.lower()} is damaged ({error}): analyze the export again."
        ) from error


@cache
def _hints(shape: type) -> dict[str, Any]:
    return get_type_hints(shape)


def _decode(value: Any, shape: Any) -> Any:  # noqa: ANN401 - types are data here
    origin = get_origin(shape)
    if origin in (Union, types.UnionType):
        (inner,) = (part for part in get_args(shape) if part is not type(None))
        return None if value is None else _decode(value, inner)
    if origin is Literal:
        return _one_of(value, get_args(shape))
    if origin is tuple:
        return _decode_tuple(value, get_args(shape))
    if origin is dict:
        _, inner = get_args(shape)
        return {str(key): _decode(part, inner) for key, part in value.items()}
    if is_dataclass(shape) and isinstance(shape, type):
        return _decode_dataclass(value, shape)
    return _decode_plain(value, shape)


def _decode_tuple(value: Any, inner: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ANN401 - types are data here
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {type(value).__name__}")
    if len(inner) == 2 and inner[1] is Ellipsis:
        return tuple(_decode(part, inner[0]) for part in value)
    return tuple(_decode(part, each) for part, each in zip(value, inner, strict=True))


def _decode_dataclass(value: Any, shape: Any) -> Any:  # noqa: ANN401 - types are data here
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object for {shape.__name__}, found {type(value).__name__}")
    hints = _hints(shape)
    known: dict[str, Any] = {}
    for part in fields(shape):
        if part.name in value:
            known[part.name] = _decode(value[part.name], hints[part.name])
        elif part.default is MISSING and part.default_factory is MISSING:
            raise KeyError(f"{shape.__name__}.{part.name} is missing")
    return shape(**known)


def _decode_plain(value: Any, shape: Any) -> Any:  # noqa: ANN401 - types are data here
    if shape is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if shape is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(shape, type) and not isinstance(value, shape):
        raise TypeError(f"expected {shape.__name__}, found {type(value).__name__}")
    return value


def _one_of(value: Any, allowed: tuple[Any, ...]) -> Any:  # noqa: ANN401 - types are data here
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(map(repr, allowed))}")
    return value
