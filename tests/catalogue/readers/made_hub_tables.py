"""Small tables of the form that a task of `datasets` names, below a folder that stands for the Hub."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from xlbench.catalogue import Task
from xlbench.catalogue.readers.hub_tables import DatasetTable

ROWS = {
    "queries": [{"id": "1", "text": "{} one?"}, {"id": "2", "text": '{} "two?'}, {"id": "3", "text": "{} nobody"}],
    "passages": [
        {"id": "{}#10", "text": "{} one", "title": "Ten"},
        {"id": "{}#9", "text": "{} two", "title": ""},
        {"id": "{}#8", "text": " ", "title": ""},
    ],
    "judgements": [
        {"query": "1", "passage": "{}#10", "gain": 2},
        {"query": "2", "passage": "{}#9", "gain": 1},
        {"query": "3", "passage": "{}#9", "gain": 0},
    ],
    "pairs": [
        {"query": "{} one?", "passage": "{} one"},
        {"query": "{} two?", "passage": "{} two"},
        {"query": "{} again?", "passage": "{} two"},
        {"query": None, "passage": "{} nobody"},
    ],
}
"""Of each part; ``{}`` is the language, or in ids nothing where translations have one id."""


def write(task: Task, languages: list[str], folder: Path) -> None:
    """Writes the tables of a task in some languages, as their suffix or a config's folder says."""
    shared = "judgements" in task.tables and task.tables["judgements"].across == "all"
    for part, table in task.tables.items():
        for language in filter(table.has, languages):
            rows = [_row(row, language, shared=shared) for row in ROWS[part]]
            _write_table(pd.DataFrame(_named(rows, table, language)), table, language, folder)


def _row(row: dict, language: str, *, shared: bool) -> dict:
    """A row in a language; ids are the same in all where translations share them."""
    of_id = "" if shared else language
    return {
        key: value.format(of_id if key in ("id", "passage") and "#" in value else language)
        if isinstance(value, str)
        else value
        for key, value in row.items()
    }


def _named(rows: list[dict], table: DatasetTable, language: str) -> list[dict]:
    """The rows by the data set's names of the columns, the last that a column may have, as the first is often `_id`."""
    return [
        {table.of(language, names[-1]): row[ours] for ours, names in table.columns.items() if ours in row}
        for row in rows
    ]


def _write_table(frame: pd.DataFrame, table: DatasetTable, language: str, folder: Path) -> None:
    path = folder / table.name / table.of(language, table.file or f"{table.config}/{table.split}.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True, force_ascii=False)
    elif table.header:
        rows = frame.reindex(columns=list(table.header), fill_value="Q0").astype(str).to_numpy().tolist()
        path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    else:
        frame.to_csv(path, index=False)
