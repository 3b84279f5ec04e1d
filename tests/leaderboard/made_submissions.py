"""Submissions on the disk, made by the project's own commands, and ways to spoil them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.made_evaluation import evaluate
from xlbench import catalogue, models, results
from xlbench.leaderboard.draft import Draft, write
from xlbench.models.transform import Debiasing, parse
from xlbench.results import Result
from xlbench.results.from_ranking import figures
from xlbench.settings import settings

ANSWERS = {
    "link": "https://example.org/model",
    "licence": "Apache-2.0",
    "parameters": None,
    "languages": ["de", "zh-Hant"],
    "training_data": "none",
    "trained_on_evaluation_data": "no",
    "submitter": "Jörg Müller",
}


def made_result(
    folder: Path, model: str = "hash", *, languages: Sequence[str] = (), transform: str | None = None, **arguments: Any
) -> Path:
    """The result file of a model on the task ``demo``, with its evidence beside it."""
    task = catalogue.load("demo")
    chosen = catalogue.choose_languages(task, languages)
    collection = catalogue.read_collection(task, languages=chosen, data_dir=None, cache_dir=folder / "cache")
    debiasing = Debiasing(parse(transform)) if transform else None
    loaded = replace(models.load(model, arguments=arguments), debiasing=debiasing)
    found = evaluate(task, collection, loaded, kinds=task.settings, cache_dir=folder / "cache")
    command = f"xlbench run --model {model} --task demo"
    found = replace(found, environment={**found.environment, "command": command})
    path = results.path_of(folder / "results", found.model["name"], "demo")
    results.save(found, path)
    return path


def made(folder: Path, model: str = "hash", **options: Any) -> Path:
    """The folder of a submission of a model on the task ``demo``."""
    return write(Draft.of(made_result(folder, model, **options)), ANSWERS, output=folder / "submissions")


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Changes a JSON file."""
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def edit_evidence(folder: Path, change: Callable[[pa.Table], pa.Table], *, compression: str = "snappy") -> None:
    """Changes the table of the evidence, and nothing else of the file."""
    path = folder / "ranks.parquet"
    table = pq.read_table(io.BytesIO(path.read_bytes()))
    metadata = table.schema.metadata
    table = change(table).replace_schema_metadata()
    content = io.BytesIO()
    with pq.ParquetWriter(content, table.schema, store_schema=False, compression=compression) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(metadata)
    path.write_bytes(content.getvalue())


def edit_counts(folder: Path, change: Callable[[np.ndarray, pa.Table], None]) -> None:
    """Changes the counts of the evidence, ``int32[pairs, languages]``, in place."""

    def changed(table: pa.Table) -> pa.Table:
        names = [name for name in table.column_names if name.startswith("above.")]
        counts = np.stack([table[name].to_numpy() for name in names], axis=1)
        change(counts, table)
        for i, name in enumerate(names):
            at = table.column_names.index(name)
            table = table.set_column(at, table.schema.field(name), pa.array(counts[:, i], pa.int32()))
        return table

    edit_evidence(folder, changed)


def ask_for_memory(folder: Path, n_bytes: int) -> None:
    """Has the first page of the evidence say that it unpacks to so many bytes; its footer does not say so."""
    path = folder / "ranks.parquet"
    content = path.read_bytes()
    # Thrift's compact form: the kind of page, and how large it is unpacked and packed, each a number after 0x15.
    assert (content[4], content[6]) == (0x15, 0x15)
    end = 7
    while content[end] & 0x80:
        end += 1
    varint, left = bytearray(), n_bytes << 1
    while left >= 0x80:
        varint.append(left & 0x7F | 0x80)
        left >>= 7
    path.write_bytes(content[:7] + bytes([*varint, left]) + content[end + 1 :])


def recompute(folder: Path) -> None:
    """Has the result say what the evidence gives, as one who cheats with care would."""
    claimed: Result = results.load(folder / "result.json")
    ranking = results.load_evidence(folder / "ranks.parquet")
    task = catalogue.load(claimed.task)
    found = figures(ranking, settings(task.settings, ranking.judged.languages), task.measures)
    results.save(replace(claimed, **vars(found), ranking=None), folder / "result.json")
    (folder / "result.queries.parquet").unlink()
