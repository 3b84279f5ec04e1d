"""Tables of data sets on the Hub, or below the data folder, through Hugging Face's `datasets`: rows by our columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xlbench.errors import DataError

_NO_QUOTES = 3  # csv.QUOTE_NONE: in files without names of columns a quotation mark is a character.


@dataclass(frozen=True)
class DatasetTable:
    """Where a part of a task is on the Hub, or below the data folder.

    ``{language}`` stands for the language, or for what ``names`` has for it, and ``{code}`` for the language itself.
    """

    name: str
    """``owner/name``."""
    config: str
    """Empty where ``file`` is named."""
    split: str
    revision: str
    """A commit."""
    columns: Mapping[str, tuple[str, ...]]
    """The names that the data set may have for the columns; the first that it has is read."""
    file: str = ""
    """A file of the data set, whose loading script or configs are then not used."""
    header: tuple[str, ...] = ()
    """The columns of a table as text, with white space or tabs between, that does not name them."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What ``{language}`` stands for; where there are any, the table is of these languages only."""
    asked_in: str = ""
    """The one language that all queries are in; empty if each is in its table's."""
    across: str = ""
    """Whether a judgement holds in other languages: ``all``, ``some``, or not if it is empty."""

    def of(self, language: str, value: str) -> str:
        """A text of the task file with the language in it."""
        return value.replace("{language}", self.names.get(language, language)).replace("{code}", language)

    def has(self, language: str) -> bool:
        """Whether there is a table of this language."""
        return not self.names or language in self.names


def rows(
    table: DatasetTable, part: str, language: str, *, data_dir: Path | None, cache_dir: Path | None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each row of a language is, and the row by our names of the columns; None is an empty cell.

    Raises:
        DataError: if the table cannot be loaded, or lacks a column.

    """
    if not table.has(language):
        return
    where = ", ".join(filter(None, (table.name, table.of(language, table.config or table.file), table.split)))
    loaded = _loaded(table, language, where, data_dir=data_dir, cache_dir=cache_dir)
    theirs = {
        ours: _column(loaded.column_names, [table.of(language, name) for name in known], ours, f"{where}, {part},")
        for ours, known in table.columns.items()
    }
    chosen = loaded.select_columns(sorted(set(theirs.values())))
    numbers: Any = range(len(chosen))
    if "language" in theirs:
        mine = table.of(language, "{language}")
        numbers = [i for i, value in enumerate(chosen[theirs["language"]]) if value == mine]
        chosen = chosen.select(numbers)
    for number, row in zip(numbers, chosen, strict=True):
        yield f"{where}, row {number + 1:,}", {ours: row[name] for ours, name in theirs.items()}


def _column(there: list[str], known: list[str], ours: str, where: str) -> str:
    for name in known:
        if name in there:
            return name
    expected = " or ".join(map(repr, known))
    raise DataError(f"{where} has the columns {', '.join(there)}; expected {expected} for {ours!r}.")


def _loaded(table: DatasetTable, language: str, where: str, *, data_dir: Path | None, cache_dir: Path | None) -> Any:
    inside = table.of(language, table.file or table.config)
    here = data_dir / table.name / inside if data_dir is not None else None
    is_here = here is not None and (here.is_file() if table.file else here.is_dir())
    name: str = str(here if not table.file else here.parent) if here is not None and is_here else table.name
    options: dict[str, Any] = {"cache_dir": str(cache_dir / "datasets")} if cache_dir else {}
    if table.file:
        options["data_files"] = {table.split: Path(inside).name if is_here else inside}
        options |= _as_text(table, language) if Path(inside).suffix in (".csv", ".tsv", ".txt") else {}
    elif here is not None and (of_split := sorted(path.name for path in here.glob(f"{table.split}[-.]*"))):
        options["data_files"] = {table.split: of_split}  # The library has names of its own for some splits.
    looked = f"; {here} is no {'file' if table.file else 'folder'}" if here is not None and not is_here else ""
    return load(
        name,
        None if is_here or table.file else inside,
        split=table.split,
        revision=None if is_here else table.revision,
        **options,
        where=f"The data set {where}",
        advice=f"{looked}. Expected it on the Hub at that revision, or below --data-dir.",
    )


def _as_text(table: DatasetTable, language: str) -> dict[str, Any]:
    """How a table that is a file of text is read."""
    if table.header:
        return {"sep": r"\s+" if len(table.header) > 2 else "\t", "names": list(table.header), "quoting": _NO_QUOTES}
    # Columns that nobody asks for may hold what the library cannot convert.
    needed = sorted(table.of(language, name) for known in table.columns.values() for name in known)
    return {"usecols": lambda name: name in needed, "keep_default_na": False}


def load(*which: Any, where: str, advice: str, **options: Any) -> Any:
    """What ``datasets.load_dataset`` gives, without its progress bars.

    Raises:
        DataError: if it cannot be loaded; ``where`` begins the sentence, and ``advice`` ends it.

    """
    import datasets

    shows = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        return datasets.load_dataset(*which, **options)
    except Exception as error:
        # The library raises nearly anything: its own errors, those of the Hub, of Arrow and of the system.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{where} cannot be loaded ({type(error).__name__}: {reason}){advice}") from error
    finally:
        if shows:
            datasets.enable_progress_bars()
