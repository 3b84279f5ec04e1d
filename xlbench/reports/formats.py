"""Reports as text: tables as Markdown, and tidy records, one a number, as CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from xlbench.reports.cells import Cell, Table, one_line
from xlbench.results import Result
from xlbench.settings import Setting

Record = Mapping[str, Any]

# A text that begins with one of these is a formula to a spreadsheet, and so is one in full width, or after a semicolon
# where that separates cells.
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠﹢﹣﹦﹫]|[\t\r\n])")
# What Markdown may take for something else than text.
_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\`*_[]|~#$!"} | {"<": "&lt;", "&": "&amp;"})


def markdown(tables: Sequence[Table]) -> str:
    """Tables as GitHub's Markdown, the best cells bold."""
    return "\n".join(map(_markdown, tables))


def records(results: Sequence[Result]) -> list[Record]:
    """One record for each number of each result, in full precision.

    ``setting`` is the name of a setting, or ``mono``, ``cross`` or ``multi`` for the mean over those of a kind. ``low``
    and ``high`` are the ends of the 95 % interval, ``perfect`` and ``random`` what such rankings have in the mean of
    all languages, of measures of bias; each is None where there is none. ``n_rankings`` is the number of queries of a
    setting, and their sum for a kind: a query counts once in each of its pools. ``sample`` says how much of the task
    was drawn, None for all of it.
    """
    numbers: list[Record] = []
    for result in results:
        identity = {"model": result.model["name"], "revision": result.model["revision"]}
        identity |= {"arguments": dict(result.model["arguments"])}
        identity |= {"task": result.task, "task_version": result.task_version}
        for setting, by_measure in [*result.summary.items(), *result.values.items()]:
            kind = setting.kind if isinstance(setting, Setting) else setting
            n_rankings = sum(n for asked, n in result.queries.items() if setting in (asked, asked.kind))
            for measure, value in by_measure.items():
                low, high = result.intervals.get(setting, {}).get(measure, (None, None))
                ends = result.references.get(measure, {})
                numbers.append(
                    identity
                    | {
                        "kind": kind,
                        "setting": str(setting),
                        "measure": measure,
                        "value": value,
                        "low": low,
                        "high": high,
                    }
                    | {"perfect": ends.get("perfect"), "random": ends.get("random")}
                    | {"n_rankings": n_rankings, "missing_languages": list(result.missing_languages)}
                    | {"sample": asdict(result.sample) if result.sample else None}
                )
    return numbers


def as_json(records: Sequence[Record]) -> str:
    """Records as a JSON list, one a line."""
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    return f"[\n{lines}\n]\n" if records else "[]\n"


def as_csv(records: Sequence[Record]) -> str:
    """Records as CSV with a header; lists with spaces between, mappings as JSON, nothing for None.

    No text is a formula to a spreadsheet: one that would be has an apostrophe before it.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    if records:
        writer.writerow(records[0])
        writer.writerows([_csv_value(value) for value in record.values()] for record in records)
    return file.getvalue()


def _csv_value(value: object) -> object:
    if isinstance(value, Mapping):
        value = json.dumps(value, ensure_ascii=False) if value else ""
    elif isinstance(value, list):
        value = " ".join(value)
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def _markdown(table: Table) -> str:
    from tabulate import tabulate

    body = tabulate(
        [[_markdown_cell(cell) for cell in row] for row in table.rows],
        headers=[_escaped(name) for name in table.header],
        tablefmt="github",
        disable_numparse=True,
        colalign=["right" if table.is_numeric(i) else "left" for i in range(len(table.header))] if table.rows else None,
    )
    note = f"\n{_escaped(table.note)}\n" if table.note else ""
    return f"**{_escaped(table.title)}**\n\n{body}\n{note}"


def _markdown_cell(cell: Cell) -> str:
    text = (cell.text if cell.value is not None else _escaped(cell.text)) + cell.mark
    return f"**{text}**" if cell.best else text


def _escaped(text: str) -> str:
    return one_line(text).translate(_MARKDOWN)
