"""Tasks: finds and validates task files, and reads the collection that a task describes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from xlbench import bias, measures
from xlbench.bias.peer import is_constant
from xlbench.collection import Collection, Texts
from xlbench.errors import DataError, TaskError, UnknownNameError, shown
from xlbench.readers import READERS, forms, read
from xlbench.settings import KINDS, Kind
from xlbench.sources import Source, locate

T = TypeVar("T")


@dataclass(frozen=True)
class Sizes:
    """How many texts a language has."""

    queries: int
    passages: int


@dataclass(frozen=True)
class Task:
    """What a task file says; its keys are the fields."""

    name: str
    title: str
    version: int
    """Goes up when a number could change."""
    reader: str
    text: str
    """The form of a passage: ``sentence``, ``sentence+context``, ..."""
    source: Source
    sizes: Mapping[str, Sizes]
    languages: tuple[str, ...]
    settings: tuple[Kind, ...]
    measures: tuple[str, ...]
    headline: str
    """The measure that sums up a result."""
    licence: str
    citation: str
    file: Path
    """The task file itself; not a key."""


def names() -> list[str]:
    """The names of the tasks that come with xlbench."""
    return sorted(path.stem for path in _registry().glob("*.yaml"))


def load(task: str) -> Task:
    """The task of this name, or the one in this YAML file.

    Raises:
        UnknownNameError: if there is no such task.
        TaskError: if the file breaks the rules of task files.

    """
    if task.endswith((".yaml", ".yml")):
        path = Path(task)
        if not path.is_file():
            raise UnknownNameError("task file", task, [])
    else:
        if task not in names():
            raise UnknownNameError("task", task, names())
        path = _registry() / f"{task}.yaml"
    found = _validated(_parse(path), path)
    if found.name in names() and found.file.parent != _registry().resolve():
        raise TaskError(
            f"{path}: 'name' is {found.name!r}, which is a task that comes with xlbench: choose another name."
        )
    return found


def choose_languages(task: Task, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted languages in the task's order; all of them if none is named.

    Raises:
        UnknownNameError: for a language that the task does not have.

    """
    for language in wanted:
        if language not in task.languages:
            raise UnknownNameError(
                "language", language, task.languages, hint=f"Task {task.name} has no other languages."
            )
    return tuple(language for language in task.languages if not wanted or language in wanted)


def read_collection(task: Task, *, languages: Sequence[str], data_dir: Path | None, cache_dir: Path) -> Collection:
    """The task's collection in these languages, with checksums and sizes verified.

    Raises:
        DataError: if a file is missing, altered or of another shape or size than the task says.

    """
    files = {
        language: locate(task.source, language, data_dir=data_dir, task_dir=task.file.parent, cache_dir=cache_dir)
        for language in languages
    }
    collection = read(task.reader, files, text=task.text)
    for i, language in enumerate(languages):
        expected = task.sizes[language]
        for role, texts, n_expected in (
            ("queries", collection.queries, expected.queries),
            ("passages", collection.passages, expected.passages),
        ):
            n_found = _count(texts, i)
            if n_found != n_expected:
                raise DataError(
                    f"{files[language]} has {n_found:,} {role} in {language!r}, "
                    f"but task {task.name} says {n_expected:,}: "
                    "correct 'sizes' and 'sha256' in the task file, or use the file that it was made with."
                )
    _refuse_constant_measures(task, collection)
    return collection


def _refuse_constant_measures(task: Task, collection: Collection) -> None:
    if len(collection.languages) < 2 or not any(name.startswith("PEER@") for name in task.measures):
        return  # In one language PEER is not defined, and left out.
    pairs = collection.pairs
    if is_constant(pairs.query, collection.passages.language[pairs.passage], pairs.gain):
        raise TaskError(
            f"{task.file}: 'measures' has PEER, but no query of {task.name} has two relevant passages of one gain in "
            "a language. PEER is then the same for every ranking (Kruskal-Wallis' H is one less than the number of "
            "languages): leave it out, or name RankDistance, LPR or OneTargetBias."
        )


def _count(texts: Texts, language: int) -> int:
    rows = texts.rows(language)
    return int(rows.stop - rows.start)


def _registry() -> Path:
    """The folder of task files: inside an installed package, beside the package in a checkout."""
    installed = Path(__file__).parent / "task_files"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "tasks"


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, which YAML forbids and PyYAML accepts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _parse(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not UTF-8 at byte {error.start}.") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        # PyYAML lets errors of its constructors through: ValueError for a date like 2020-13-45, TypeError for an
        # unhashable key, and so on.
        raise TaskError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error


def _validated(found: Any, path: Path) -> Task:
    keys = [name for name in Task.__dataclass_fields__ if name != "file"]
    record = _mapping(found, keys, str(path))
    where = f"{path}:"
    languages = _names(record["languages"], f"{where} 'languages'", known=None)
    for language in languages:
        # A language is a part of paths and of the names of settings.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", language):
            raise TaskError(f"{where} 'languages' has {language!r}; expected letters, digits, '-' or '_'.")
    source = _mapping(record["source"], ["url", "path", "sha256"], f"{where} 'source'")
    reader = _one_of(record["reader"], READERS, f"{where} 'reader'")
    measure_names = _names(record["measures"], f"{where} 'measures'", known=None)
    # The headline is shown for every kind of setting, and bias measures are defined in one.
    retrieval = [name for name in measure_names if not bias.find(name)]
    for name in retrieval:
        _known(measures.parse, name, where)
    task = Task(
        name=_typed(record["name"], str, f"{where} 'name'"),
        title=_typed(record["title"], str, f"{where} 'title'"),
        version=_typed(record["version"], int, f"{where} 'version'"),
        reader=reader,
        text=_one_of(record["text"], forms(reader), f"{where} 'text'"),
        source=Source(
            url=None if source["url"] is None else _typed(source["url"], str, f"{where} 'url'"),
            path=_relative(_typed(source["path"], str, f"{where} 'path'"), where),
            sha256=_by_language(source["sha256"], languages, f"{where} 'sha256'", _checksum),
        ),
        sizes=_by_language(record["sizes"], languages, f"{where} 'sizes'", _sizes),
        languages=languages,
        settings=_kinds(record["settings"], f"{where} 'settings'"),
        measures=measure_names,
        headline=_one_of(record["headline"], retrieval, f"{where} 'headline'"),
        licence=_typed(record["licence"], str, f"{where} 'licence'"),
        citation=_typed(record["citation"], str, f"{where} 'citation'"),
        file=path.resolve(),
    )
    if not task.name or set(task.name) - set("abcdefghijklmnopqrstuvwxyz0123456789.-_") or task.name[0] in ".-":
        raise TaskError(f"{where} 'name' is {task.name!r}; expected lower-case letters, digits, '-', '_' or '.'.")
    return task


def _mapping(value: Any, keys: Sequence[str], where: str) -> dict[str, Any]:
    record = _typed(value, dict, where)
    for key in record:
        if key not in keys:
            name = key if isinstance(key, str) else shown(key)
            raise TaskError(f"{where} has an unknown key: {UnknownNameError('key', name, keys)}")
    for key in keys:
        if key not in record:
            raise TaskError(f"{where} lacks the key {key!r}; expected {', '.join(keys)}.")
    return record


def _typed(value: Any, kind: type[T], where: str) -> T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TaskError(f"{where} is {shown(value)}; expected {_KIND_NAMES[kind]}.")
    if isinstance(value, int) and not 0 <= value <= _MOST:
        raise TaskError(f"{where} is {shown(value)}; expected 0 to {_MOST:,}.")
    return value


_KIND_NAMES: dict[type, str] = {dict: "a mapping", list: "a list", str: "text", int: "an integer"}
_MOST = 2**31 - 1


def _names(value: Any, where: str, *, known: Sequence[str] | None) -> tuple[str, ...]:
    items = tuple(_typed(item, str, f"{where}, item {i + 1},") for i, item in enumerate(_typed(value, list, where)))
    if not items or len(set(items)) != len(items):
        raise TaskError(f"{where} is {list(items)}; expected at least one name, none twice.")
    for item in items if known is not None else ():
        _one_of(item, known or (), where)
    return items


def _kinds(value: Any, where: str) -> tuple[Kind, ...]:
    wanted = _names(value, where, known=KINDS)
    return tuple(kind for kind in KINDS if kind in wanted)


def _one_of(value: Any, known: Sequence[str], where: str) -> str:
    name = _typed(value, str, where)
    if name not in known:
        raise TaskError(f"{where} has an unknown value: {UnknownNameError('name', name, known)}")
    return name


def _known(parse: Callable[[str], object], name: str, where: str) -> None:
    try:
        parse(name)
    except UnknownNameError as error:
        raise TaskError(f"{where} {error}") from error


def _relative(path: str, where: str) -> str:
    if not path or Path(path).is_absolute() or ".." in Path(path).parts or "\0" in path:
        raise TaskError(f"{where} 'path' is {path!r}; expected a path below the data folder.")
    return path


def _by_language(value: Any, languages: Sequence[str], where: str, convert: Callable[[Any, str], T]) -> dict[str, T]:
    record = _mapping(value, languages, where)
    return {language: convert(record[language], f"{where}, {language!r},") for language in languages}


def _checksum(value: Any, where: str) -> str:
    text = _typed(value, str, where)
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise TaskError(f"{where} is {text!r}; expected a sha256, 64 digits of 0-9a-f.")
    return text


def _sizes(value: Any, where: str) -> Sizes:
    record = _mapping(value, ["queries", "passages"], where)
    return Sizes(
        queries=_typed(record["queries"], int, f"{where} 'queries'"),
        passages=_typed(record["passages"], int, f"{where} 'passages'"),
    )
