"""Validates task files: from what YAML gives to a Task, or a sentence on what breaks a rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xlbench import measures
from xlbench.catalogue.readers import BY_ANSWERS, READERS, forms, why_not
from xlbench.catalogue.source import sources, tables
from xlbench.catalogue.task import Sizes, Task
from xlbench.catalogue.yaml_values import by_language, mapping, names, one_of, typed
from xlbench.errors import TaskError, UnknownNameError, shown
from xlbench.settings import KINDS, Kind


def validated(content: Any, path: Path) -> Task:
    """The task in a file's record.

    Raises:
        TaskError: if it breaks the rules of task files.

    """
    keys = [name for name in Task.__dataclass_fields__ if name not in ("file", "tables", "instruction")]
    record = mapping(content, keys, str(path), optional=["instruction"])
    where = f"{path}:"
    languages = names(record["languages"], f"{where} 'languages'", known=None)
    for language in languages:
        # A language is a part of paths and of the names of settings.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", language):
            raise TaskError(f"{where} 'languages' has {language!r}; expected letters, digits, '-' or '_'.")
    reader = one_of(record["reader"], READERS, f"{where} 'reader'")
    measure_names = names(record["measures"], f"{where} 'measures'", known=None)
    _measured_by_answers(reader, measure_names, where)
    # The headline is shown for every kind of setting, and bias measures are defined in one.
    of_retrieval = [name for name in measure_names if not measures.of_bias(name)]
    for name in of_retrieval:
        _known(measures.get, name, where)
    text = one_of(record["text"], forms(reader), f"{where} 'text'")
    sizes = by_language(record["sizes"], languages, f"{where} 'sizes'", _sizes)
    task = Task(
        name=typed(record["name"], str, f"{where} 'name'"),
        title=typed(record["title"], str, f"{where} 'title'"),
        version=typed(record["version"], int, f"{where} 'version'"),
        reader=reader,
        text=text,
        source={} if reader == "datasets" else sources(record["source"], reader, sizes, where),
        tables=tables(record["source"], where) if reader == "datasets" else {},
        sizes=sizes,
        languages=languages,
        settings=_kinds(record["settings"], reader, text, f"{where} 'settings'"),
        measures=measure_names,
        headline=one_of(record["headline"], of_retrieval, f"{where} 'headline'"),
        licence=typed(record["licence"], str, f"{where} 'licence'"),
        citation=typed(record["citation"], str, f"{where} 'citation'"),
        file=path.resolve(),
        instruction=typed(record.get("instruction", ""), str, f"{where} 'instruction'").strip(),
    )
    if not task.name or set(task.name) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_") or task.name[0] in ".-":
        raise TaskError(f"{where} 'name' is {task.name!r}; expected lower-case letters, digits, '-', '_' or '.'.")
    return task


def _kinds(value: Any, reader: str, text: str, where: str) -> tuple[Kind, ...]:
    wanted = names(value, where, known=KINDS)
    for kind in KINDS:
        if kind in wanted and (why := why_not(reader, kind, text=text)):
            raise TaskError(f"{where} has {kind!r}. {why}")
    return tuple(kind for kind in KINDS if kind in wanted)


def _measured_by_answers(reader: str, measure_names: Sequence[str], where: str) -> None:
    """Returns if a task that is judged by answer strings has measures of just that, and no other task has."""
    for name in measure_names:
        if measures.find(name) and measures.by_answers(name) != (reader == BY_ANSWERS):
            others = "Answer@k and R@2kt" if reader == BY_ANSWERS else "measures of judged passages"
            raise TaskError(
                f"{where} 'measures' has {name!r}; expected {others}: what contains an answer string and what someone "
                "has judged are not compared."
            )


def _known(parse: Callable[[str], object], name: str, where: str) -> None:
    try:
        parse(name)
    except UnknownNameError as error:
        raise TaskError(f"{where} {error}") from error


def _sizes(value: Any, where: str) -> Sizes:
    record = mapping(value, ["queries", "passages"], where, optional=["counted"])
    counted = record.get("counted", True)
    if not isinstance(counted, bool):
        raise TaskError(f"{where} 'counted' is {shown(counted)}; expected true or false.")
    return Sizes(
        queries=typed(record["queries"], int, f"{where} 'queries'"),
        passages=typed(record["passages"], int, f"{where} 'passages'"),
        counted=counted,
    )
