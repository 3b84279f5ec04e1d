"""Result: the scores of one model on one task with their provenance, as JSON and one parquet row a (setting, query)."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xlbench.errors import ResultError
from xlbench.files import write_whole
from xlbench.settings import KINDS, kind_of

SCHEMA = 1
_ROUNDING = 1e-9


@dataclass(frozen=True)
class QueryScores:
    """The values of one setting, a query a row."""

    setting: str
    query: tuple[str, ...]
    """``[m]``, ids."""
    values: Mapping[str, npt.NDArray[np.float64]]
    """By measure, ``float64[m]``."""


@dataclass(frozen=True)
class Result:
    """The scores of one model on one task; its JSON keys are the fields."""

    schema: int
    task: str
    task_version: int
    headline: str
    """The measure that sums up the task."""
    missing_languages: Sequence[str]
    """Languages of the task that were left out; empty if the result is whole."""
    model: Mapping[str, Any]
    """``name, revision, adapter, arguments``."""
    scores: Mapping[str, Mapping[str, float]]
    """By setting and measure: the mean over the setting's queries."""
    queries: Mapping[str, int]
    """By setting: how many queries it has; a setting without any has no scores."""
    summary: Mapping[str, Mapping[str, float]]
    """By kind of setting and measure: the macro mean; see ``summarise``."""
    environment: Mapping[str, Any]
    timing: Mapping[str, float]
    """In seconds; the one part that differs between two equal runs."""
    per_query: tuple[QueryScores, ...] = field(default=(), compare=False)
    """Not in the JSON, but in the parquet file beside it; empty in a loaded result."""

    def is_of(self, *, task_version: int, model: Mapping[str, Any], settings: Sequence[str]) -> bool:
        """Whether this is the result of just such a run."""
        return (
            self.task_version == task_version
            and dict(self.model) == dict(model)
            and list(self.queries) == list(settings)
        )


def summarise(scores: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """The macro mean over the settings of each kind, by kind and measure.

    For cross it is the mean over query languages of the mean over the other languages; where all pairs of languages
    have queries, that equals the mean over all settings.
    """
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for setting, by_measure in scores.items():
        for measure, value in by_measure.items():
            asked = values.setdefault(kind_of(setting), {}).setdefault(measure, {})
            asked.setdefault(setting.partition(">")[0], []).append(value)
    return {
        kind: {
            measure: _mean([_mean(of_language) for of_language in asked.values()])
            for measure, asked in values[kind].items()
        }
        for kind in KINDS
        if kind in values
    }


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def path_of(output: Path, model: str, task: str) -> Path:
    """The JSON file of a model's result on a task: ``OUTPUT/<model>/<task>.json``."""
    return output / re.sub(r"[^\w.-]", "_", model.replace("/", "__")) / f"{task}.json"


def parquet_path(path: Path) -> Path:
    """The parquet file beside a result's JSON file."""
    return path.with_suffix("").with_name(f"{path.name.removesuffix('.json')}.queries.parquet")


def save(result: Result, path: Path) -> None:
    """Writes the parquet file, then the JSON file, each whole or not at all, so that the JSON marks a whole result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_parquet(result.per_query, parquet_path(path))
    record = {f.name: getattr(result, f.name) for f in fields(result) if f.name != "per_query"}
    write_whole(path, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())


def load(path: Path) -> Result:
    """The result in a JSON file, without its per-query scores.

    Raises:
        ResultError: if it is no result, or one of another schema.

    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultError(f"{path} does not exist; expected a result file, OUTPUT/<model>/<task>.json.") from error
    except (ValueError, RecursionError) as error:
        raise ResultError(
            f"{path} is not JSON: {error}. Expected a result file; run again with --force to write it anew."
        ) from error
    names = [f.name for f in fields(Result) if f.name != "per_query"]
    if not isinstance(record, dict) or "schema" not in record:
        raise ResultError(f"{path} is not a result of xlbench: it has no 'schema'.")
    if record["schema"] != SCHEMA:
        raise ResultError(
            f"{path} has schema {record['schema']!r}, but this xlbench reads schema {SCHEMA}: "
            "run again with --force, or use the xlbench that wrote it."
        )
    if set(record) != set(names):
        wrong = ", ".join(sorted(set(record) ^ set(names)))
        raise ResultError(
            f"{path} does not have the keys of a result (too many or missing: {wrong}); expected {', '.join(names)}."
        )
    _check_scores(record, path)
    return Result(**record)


def load_per_query(path: Path) -> tuple[QueryScores, ...]:
    """The per-query scores beside a result's JSON file.

    Raises:
        ResultError: if the parquet file is missing or damaged.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = parquet_path(path)
    try:
        table = pq.read_table(file)
        setting, query = (table[name].to_numpy(zero_copy_only=False) for name in ("setting", "query"))
        columns = {
            name: table[name].to_numpy(zero_copy_only=False).astype(np.float64)
            for name in table.column_names
            if name not in ("setting", "query")
        }
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise ResultError(
            f"{file} cannot be read ({error}); expected the per-query scores beside {path.name}. "
            "Run again with --force."
        ) from error
    found = []
    for name in dict.fromkeys(setting.tolist()):
        rows = np.flatnonzero(setting == name)
        values = {measure: column[rows] for measure, column in columns.items() if not np.isnan(column[rows]).all()}
        found.append(QueryScores(setting=name, query=tuple(query[rows].tolist()), values=values))
    return tuple(found)


def _write_parquet(per_query: Sequence[QueryScores], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    measures = list(dict.fromkeys(measure for scores in per_query for measure in scores.values))
    columns: dict[str, Any] = {
        "setting": pa.array([s.setting for s in per_query for _ in s.query], pa.string()).dictionary_encode(),
        "query": pa.array([query for s in per_query for query in s.query], pa.string()),
    }
    for measure in measures:
        # A measure that the setting does not have is null: RankDistance outside the multilingual settings.
        parts = [
            pa.array(s.values[measure]) if measure in s.values else pa.nulls(len(s.query), pa.float64())
            for s in per_query
        ]
        columns[measure] = pa.chunked_array(parts, pa.float64())
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, compression="zstd")
    write_whole(path, content.getbuffer())


def _check_scores(record: Mapping[str, Any], path: Path) -> None:
    kinds = {
        "task": str,
        "task_version": int,
        "headline": str,
        "missing_languages": list,
        "model": dict,
        "scores": dict,
        "queries": dict,
    }
    kinds |= {"summary": dict, "environment": dict, "timing": dict}
    for name, kind in kinds.items():
        if not isinstance(record[name], kind):
            raise ResultError(f"{path}: {name!r} is {record[name]!r:.60}; expected {kind.__name__}.")
    for key in ("name", "revision", "adapter", "arguments"):
        if key not in record["model"]:
            raise ResultError(f"{path}: 'model' has no {key!r}; expected name, revision, adapter, arguments.")
    if not isinstance(record["model"]["arguments"], dict):
        raise ResultError(f"{path}: 'arguments' of 'model' is {record['model']['arguments']!r:.60}; expected dict.")
    for part in ("scores", "summary"):
        for name, by_measure in record[part].items():
            sound = isinstance(by_measure, dict) and all(map(_is_number, by_measure.values()))
            if not sound:
                raise ResultError(f"{path}: {part!r} of {name!r} is not a mapping of measures to numbers.")
    _check_agreement(record, path)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _check_agreement(record: Mapping[str, Any], path: Path) -> None:
    texts = [record["headline"], record["model"]["name"], *record["missing_languages"]]
    counts = list(record["queries"].values())
    if any(not isinstance(text, str) for text in texts) or any(type(count) is not int for count in counts):
        raise ResultError(f"{path}: a name in it is no text, or a number of queries no integer.")
    expected = summarise(record["scores"])
    fits = all(
        setting in record["queries"]
        and record["headline"] in by_measure
        and by_measure.keys() == expected[kind_of(setting)].keys()
        for setting, by_measure in record["scores"].items()
    )
    if not fits:
        raise ResultError(
            f"{path}: 'scores' do not fit 'queries' and 'headline': expected every setting among 'queries', and the "
            "headline and the same measures in every setting of a kind."
        )
    found = {(kind, measure): value for kind, values in record["summary"].items() for measure, value in values.items()}
    means = {(kind, measure): value for kind, values in expected.items() for measure, value in values.items()}
    if found.keys() != means.keys() or any(abs(found[key] - means[key]) > _ROUNDING for key in means):
        raise ResultError(f"{path}: 'summary' is not the mean of 'scores'. Run again with --force to write it anew.")
