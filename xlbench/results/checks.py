"""Checks of a result's JSON: the types of its values, and that its parts agree."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from xlbench.measures.values import summarise
from xlbench.settings import kind_of

ROUNDING = 1e-9
_MATRICES = {"first_language", "one_target"}


def fault(record: Mapping[str, Any]) -> str | None:
    """What is wrong with a result's record, which has all its keys; None if nothing is."""
    for name, kind in _TYPES.items():
        # A bool is an int to Python.
        if not isinstance(record[name], kind) or isinstance(record[name], bool):
            return f"{name!r} is {record[name]!r:.60}; expected {kind.__name__}."
    for key in ("name", "revision", "adapter", "arguments"):
        if key not in record["model"]:
            return f"'model' has no {key!r}; expected name, revision, adapter, arguments."
    transform = record["model"].get("transform", {"method": "", "fit_on": ""})
    if not isinstance(transform, dict) or {key for key in transform if isinstance(transform[key], str)} != {
        "method",
        "fit_on",
    }:
        return f"'transform' of 'model' is {transform!r:.60}; expected method and fit_on."
    if not isinstance(record["model"]["arguments"], dict):
        return f"'arguments' of 'model' is {record['model']['arguments']!r:.60}; expected dict."
    for text in (record["task"], record["model"]["name"], *record["missing_languages"]):
        if not _is_name(text):
            return f"{text!r:.60} is no name: expected text that can be written as UTF-8, and not empty."
    for part, (sound, expected) in _VALUES.items():
        for name, value in record[part].items():
            if not sound(value):
                return f"{part!r} of {name!r} is not {expected}."
    return _disagreement(record)


def _is_number(value: Any) -> bool:
    # An integer may be too large for a float.
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _is_name(value: Any) -> bool:
    # A lone surrogate is text to JSON, and cannot be printed.
    return isinstance(value, str) and bool(value.strip()) and not any("\ud800" <= char <= "\udfff" for char in value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


def _are_intervals(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends)) and ends[0] <= ends[1]
        for ends in value.values()
    )


def _is_matrix(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_are_numbers, value.values()))


def _is_alignment(value: Any) -> bool:
    return value is None or _is_number(value) or _is_matrix(value)


_TYPES: dict[str, type] = {
    "task": str,
    "task_version": int,
    "headline": str,
    "missing_languages": list,
    **dict.fromkeys(("model", "scores", "queries", "summary", "intervals", "references", "matrices"), dict),
    **dict.fromkeys(("alignment", "environment", "timing"), dict),
}
_VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "scores": (_are_numbers, "a mapping of measures to numbers"),
    "summary": (_are_numbers, "a mapping of measures to numbers"),
    "intervals": (_are_intervals, "a mapping of measures to a lower and an upper end"),
    "references": (_are_numbers, "a mapping to numbers"),
    "matrices": (_is_matrix, "a matrix of numbers by language"),
    "alignment": (_is_alignment, "a number or a matrix of numbers by language"),
    "timing": (_is_number, "a number of seconds"),
}


def _disagreement(record: Mapping[str, Any]) -> str | None:
    scores, summary = record["scores"], record["summary"]
    for setting, count in record["queries"].items():
        if type(count) is not int or count < 0 or (count == 0) != (setting not in record["scores"]):
            return (
                f"'queries' of {setting!r} is {count!r:.60}; expected how many there are, and scores if there are any."
            )
    expected = summarise(scores)
    fits = all(
        setting in record["queries"]
        and record["headline"] in by_measure
        and by_measure.keys() == expected[kind_of(setting)].keys()
        for setting, by_measure in scores.items()
    )
    if not fits:
        return (
            "'scores' do not fit 'queries' and 'headline': expected every setting among 'queries', and the "
            "headline and the same measures in every setting of a kind."
        )
    if not _equal(summary, expected):
        return "'summary' is not the mean of 'scores'. `xlbench run --force` writes it anew."
    of_each = {name: set(values) for name, values in {**scores, **summary}.items()}
    if {name: set(values) for name, values in record["intervals"].items()} != of_each:
        return "'intervals' do not have the settings, kinds and measures of 'scores' and 'summary'."
    multi = summary.get("multi", {})
    if any(
        measure not in multi or {"perfect", "random"} != set(ends) for measure, ends in record["references"].items()
    ):
        return "'references' has a measure that 'summary' lacks, or not its perfect and its random value."
    if set(record["matrices"]) != _MATRICES:
        return f"'matrices' has {', '.join(record['matrices']) or 'nothing'}; expected {', '.join(sorted(_MATRICES))}."
    for name, value in record["alignment"].items():
        if (name == "bitext") != isinstance(value, dict):
            return f"'alignment' of {name!r} is {value!r:.60}; expected a matrix for 'bitext' and a number for others."
    return None


def _equal(found: Mapping[str, Mapping[str, float]], expected: Mapping[str, Mapping[str, float]]) -> bool:
    return found.keys() == expected.keys() and all(
        found[kind].keys() == values.keys()
        and all(abs(found[kind][measure] - value) <= ROUNDING for measure, value in values.items())
        for kind, values in expected.items()
    )
