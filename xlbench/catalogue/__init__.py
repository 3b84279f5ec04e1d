"""Tasks: finds and validates task files, and reads the collection that a task describes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from xlbench.catalogue.own_data import of_collection, read_folder
from xlbench.catalogue.readers import datasets, is_whole, read, streams
from xlbench.catalogue.schema import validated
from xlbench.catalogue.sources import locate
from xlbench.catalogue.task import Sizes, Task
from xlbench.collection import Collection, Texts
from xlbench.errors import DataError, TaskError, UnknownNameError
from xlbench.measures.bias.peer import is_constant
from xlbench.support.progress import Progress, silent

_MANY = 100_000  # Passages that take seconds to read.

__all__ = [
    "Sizes",
    "Task",
    "choose_languages",
    "load",
    "names",
    "needed",
    "of_collection",
    "read_collection",
    "read_folder",
]


def names() -> list[str]:
    """The names of the tasks that come with xlbench.

    Example:
        >>> import xlbench
        >>> "xquad-r" in xlbench.tasks()
        True

    """
    return sorted(path.stem for path in registry().glob("*.yaml"))


def load(task: str | Path | Task) -> Task:
    """The task of this name, or the one in this YAML file; a ``Task`` is passed through.

    Raises:
        UnknownNameError: if there is no such task.
        TaskError: if the file breaks the rules of task files.

    Example:
        >>> import xlbench
        >>> xlbench.load_task("demo").languages[:3]
        ('ar', 'de', 'el')

    """
    if isinstance(task, Task):
        return task
    task = str(task)
    loader: type[StrictLoader | _FastLoader]
    if task.endswith((".yaml", ".yml")):
        path, loader = Path(task), StrictLoader
        if not path.is_file():
            raise UnknownNameError("task file", task, [])
    else:
        if task not in names():
            raise UnknownNameError("task", task, names())
        path, loader = registry() / f"{task}.yaml", _FastLoader
    loaded = validated(parse(path, loader), path)
    if loaded.name in names() and loaded.file.parent != registry().resolve():
        raise TaskError(
            f"{path}: 'name' is {loaded.name!r}, which is a task that comes with xlbench: choose another name."
        )
    return loaded


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


def needed(task: Task, languages: Sequence[str]) -> tuple[str, ...]:
    """The languages whose files are needed to evaluate some, in the task's order."""
    return task.languages if is_whole(task.reader) else tuple(languages)


def read_collection(
    task: Task,
    *,
    languages: Sequence[str],
    data_dir: str | Path | None,
    cache_dir: Path | None,
    progress: Progress = silent,
) -> Collection:
    """The task's collection in these languages, with checksums and sizes verified.

    Passages of a task that may have very many are not in memory, but in files under ``cache_dir``. Without it they are
    in memory, and nothing can be downloaded.

    Raises:
        DataError: if a file is missing, altered or of another shape or size than the task says.

    """
    data_folder = None if data_dir is None else Path(data_dir)
    if task.tables:
        collection = datasets.read(
            task.tables, text=task.text, languages=languages, data_dir=data_folder, cache_dir=cache_dir
        )
        first_table = next(iter(task.tables.values()))
        _check_sizes(task, collection, dict.fromkeys(languages, f"The data set {first_table.name}"))
        _refuse_constant_measures(task, collection)
        return collection
    read_in = needed(task, languages)
    files = {
        part: {
            language: locate(
                source,
                language,
                data_dir=data_folder,
                task_dir=task.file.parent,
                cache_dir=cache_dir,
            )
            if language in source.checksums
            else []
            for language in read_in
        }
        for part, source in task.source.items()
    }
    alone = files.get("texts", {})
    given = {language: paths[0] for language, paths in alone.items()} if alone else files
    texts_folder = cache_dir / "texts" if cache_dir else None
    n_passages = sum(task.sizes[language].passages for language in read_in)
    shown = progress if streams(task.reader) and n_passages >= _MANY else silent
    with shown("reading", n_texts=n_passages, n_characters=n_passages, noun="passages") as advance:
        whole = read(task.reader, given, text=task.text, folder=texts_folder, advance=advance)
    collection = whole.in_languages(languages)
    first = next(iter(files.values()))
    _check_sizes(task, collection, {language: _shown(first[language]) for language in languages})
    _refuse_constant_measures(task, collection)
    return collection


def _check_sizes(task: Task, collection: Collection, where: Mapping[str, str]) -> None:
    """Returns if every language has as many texts as the task says; ``where`` names what they are from."""
    if not len(collection.pairs):
        raise DataError(
            f"Task {task.name} has no relevant passage for any query in {', '.join(collection.languages)}; expected "
            f"judgements with a gain of 1 or more. Its data begins with {next(iter(where.values()))}."
        )
    for i, language in enumerate(collection.languages):
        expected = task.sizes[language]
        for role, texts, n_expected in (
            ("queries", collection.queries, expected.queries),
            ("passages", collection.passages, expected.passages),
        ):
            if (n := _count(texts, i)) != n_expected and (expected.counted or bool(n) != bool(n_expected)):
                raise DataError(
                    f"{where[language]} has {n:,} {role} in {language!r}, but task {task.name} says {n_expected:,}: "
                    "correct 'sizes' and the checksums in the task file, or use the files that it was made with."
                )


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


def _shown(paths: Sequence[Path]) -> str:
    return f"{paths[0]}" + (f" with {len(paths) - 1} more files" if len(paths) > 1 else "") if paths else "The task"


def _count(texts: Texts, language: int) -> int:
    rows = texts.rows(language)
    return int(rows.stop - rows.start)


def registry() -> Path:
    """The folder of task files: inside an installed package, beside the package in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "task_files"
    return installed if installed.is_dir() else package.parent / "tasks"


class _NoRepeats(yaml.constructor.SafeConstructor):
    """Refuses a key that is given twice, which YAML forbids and PyYAML accepts."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        seen = set()
        for key in (key for key in keys if isinstance(key, Hashable)):
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is given twice", node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


class StrictLoader(_NoRepeats, yaml.SafeLoader):
    """For the files of users."""


class _FastLoader(_NoRepeats, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # It may be missing.
    """For the files that come with xlbench: it ends the process on some that are nested deeply."""


_MOST_BYTES = 1 << 20


def parse(path: Path, loader: type[StrictLoader | _FastLoader] = StrictLoader) -> Any:
    """What a YAML file holds.

    Raises:
        TaskError: if it is no YAML file, or a large one.

    """
    if (n_bytes := path.stat().st_size) > _MOST_BYTES:
        raise TaskError(f"{path} has {n_bytes:,} bytes; expected a task file, of at most {_MOST_BYTES:,}.")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a SafeLoader)
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not UTF-8 at byte {error.start}.") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, AttributeError, LookupError) as error:
        # PyYAML lets errors of its constructors through: ValueError for a date like 2020-13-45, TypeError for an
        # unhashable key, and so on.
        raise TaskError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
