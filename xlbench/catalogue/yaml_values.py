"""Typed access to what YAML gives, with errors that say where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from xlbench.errors import TaskError, UnknownNameError, shown

T = TypeVar("T")


def mapping(value: Any, keys: Sequence[str], where: str, *, optional: Sequence[str] = ()) -> dict[str, Any]:
    """A mapping with these keys, and no others but optional ones."""
    record = typed(value, dict, where)
    for key in record:
        if key not in (*keys, *optional):
            name = key if isinstance(key, str) else shown(key)
            raise TaskError(f"{where} has an unknown key: {UnknownNameError('key', name, [*keys, *optional])}")
    for key in keys:
        if key not in record:
            raise TaskError(f"{where} lacks the key {key!r}; expected {', '.join(keys)}.")
    return record


def typed(value: Any, kind: type[T], where: str) -> T:
    """A value of this type; an integer is one that counts."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TaskError(f"{where} is {shown(value)}; expected {_KIND_NAMES[kind]}.")
    if isinstance(value, int) and not 0 <= value <= _MOST:
        raise TaskError(f"{where} is {shown(value)}; expected 0 to {_MOST:,}.")
    return value


_KIND_NAMES: dict[type, str] = {dict: "a mapping", list: "a list", str: "text", int: "an integer"}
_MOST = 2**31 - 1


def names(value: Any, where: str, *, known: Sequence[str] | None) -> tuple[str, ...]:
    """A list of names, each once."""
    items = tuple(typed(item, str, f"{where}, item {i + 1},") for i, item in enumerate(typed(value, list, where)))
    if not items or len(set(items)) != len(items):
        raise TaskError(f"{where} is {list(items)}; expected at least one name, none twice.")
    for item in items if known is not None else ():
        one_of(item, known or (), where)
    return items


def one_of(value: Any, known: Sequence[str], where: str) -> str:
    """A name that is known."""
    name = typed(value, str, where)
    if name not in known:
        raise TaskError(f"{where} has an unknown value: {UnknownNameError('name', name, known)}")
    return name


def by_language(value: Any, languages: Sequence[str], where: str, convert: Callable[[Any, str], T]) -> dict[str, T]:
    """A mapping with just these languages, its values converted."""
    record = mapping(value, languages, where)
    return {language: convert(record[language], f"{where}, {language!r},") for language in languages}
