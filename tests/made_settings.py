"""Settings in tests, written by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from xlbench.settings import KINDS, Setting

T = TypeVar("T")


def keyed(by_name: Mapping[str, T]) -> dict[Any, T]:
    """The same mapping by setting, where a key is the name of one; kinds of setting stay as they are."""
    return {name if name in KINDS else Setting.of(name): value for name, value in by_name.items()}


def named(by_setting: Mapping[Any, T]) -> dict[str, T]:
    """The same mapping by the names of settings."""
    return {str(setting): value for setting, value in by_setting.items()}


def settings_of(*names: str) -> list[Setting]:
    """The settings of these names."""
    return [Setting.of(name) for name in names]


def names_of(settings: Iterable[Setting]) -> list[str]:
    """The names of settings, or of kinds of setting."""
    return [str(setting) for setting in settings]
