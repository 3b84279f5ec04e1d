"""A result as files: JSON, one parquet row a (setting, query) beside it, and the evidence."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xlbench.collection.clusters import question_of
from xlbench.errors import ResultError
from xlbench.measures.values import QueryValues
from xlbench.results.evidence import evidence_bytes, evidence_path
from xlbench.results.record import decode, encode
from xlbench.settings import Setting
from xlbench.support.files import sweep, write_whole

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_ARGUMENTS = 80
_NAMES = ("setting", "query", "cluster")
_ROWS_AT_ONCE = 1 << 20
"""Of per-query scores in memory, and in a group of the file."""


def path_of(
    output: Path, model: str, task: str, *, arguments: Mapping[str, Any] | None = None, limit: int | None = None
) -> Path:
    """The JSON file of a model's result on a task: ``OUTPUT/<model>/<task>.json``, or ``<task>.limit-50.json``.

    The folder's name has the model's arguments too, as in ``hash+dimensions=64``: two settings of them are two results.
    """
    given = "".join(f"+{name}={value}" for name, value in sorted((arguments or {}).items()))
    if len(given) > _LONGEST_ARGUMENTS:
        given = f"+{hashlib.sha256(given.encode()).hexdigest()[:12]}"
    return (
        output
        / re.sub(r"[^\w.+=-]", "_", f"{model.replace('/', '__')}{given}")
        / f"{task}{f'.limit-{limit}' if limit else ''}.json"
    )


def parquet_path(path: Path) -> Path:
    """The parquet file beside a result's JSON file."""
    return path.with_suffix("").with_name(f"{path.name.removesuffix('.json')}.queries.parquet")


def write(result: Any, path: Path) -> None:
    """Writes the parquet files, then the JSON file, each whole or not at all, so that the JSON marks a whole result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    if result.ranking is not None:
        write_whole(evidence_path(path), evidence_bytes(result.ranking))
    _write_parquet(result.per_query, parquet_path(path))
    write_whole(path, encode(result))


def read(path: Path) -> dict[str, Any]:
    """The fields of the result in a JSON file.

    Raises:
        ResultError: if it is no result, or one of another schema.

    """
    try:
        record = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ResultError(f"{path} does not exist; expected a result file, OUTPUT/<model>/<task>.json.") from error
    except (ValueError, RecursionError) as error:
        raise ResultError(
            f"{path} is not JSON: {error}. Expected a result file; `xlbench run --force` writes it anew."
        ) from error
    return decode(record, str(path))


def load_per_query(path: Path) -> tuple[QueryValues, ...]:
    """The per-query scores beside a result's JSON file.

    Raises:
        ResultError: if the parquet file is missing or damaged.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = parquet_path(path)
    try:
        table = pq.read_table(file)
        settings = table["setting"].combine_chunks().dictionary_encode()
        query = table["query"].to_numpy(zero_copy_only=False)
        cluster = table["cluster"].to_numpy(zero_copy_only=False)
        columns = {name: _numbers(table[name]) for name in table.column_names if name not in _NAMES}
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise ResultError(
            f"{file} cannot be read ({error}); expected the per-query scores beside {path.name}. "
            "`xlbench run --force` writes them anew."
        ) from error
    of_settings = []
    setting = settings.indices.to_numpy(zero_copy_only=False)
    if (np.diff(setting) < 0).any():  # As it was written, each setting's rows stand together.
        order = np.argsort(setting, kind="stable")
        setting, query, cluster = setting[order], query[order], cluster[order]
        columns = {measure: column[order] for measure, column in columns.items()}
    bounds = np.searchsorted(setting, np.arange(len(settings.dictionary) + 1))
    for code, name in enumerate(settings.dictionary.to_pylist()):
        rows = slice(bounds[code], bounds[code + 1])
        values = {measure: column[rows] for measure, column in columns.items() if not np.isnan(column[rows]).all()}
        of_rows = tuple(query[rows].tolist()), values, tuple(cluster[rows].tolist())
        of_settings.append(QueryValues(Setting.of(name), *of_rows))
    return tuple(of_settings)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    import pyarrow as pa

    if not pa.types.is_floating(column.type):
        raise TypeError(f"a measure has values of the type {column.type}")
    values: npt.NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _write_parquet(per_query: Sequence[QueryValues], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    measures = list(dict.fromkeys(measure for scores in per_query for measure in scores.values))
    names = pa.array([str(scores.setting) for scores in per_query], pa.string())
    content = io.BytesIO()
    with pq.ParquetWriter(content, _table(per_query[:0], 0, names, measures).schema, compression="zstd") as writer:
        for first, part in _parts(per_query):
            writer.write_table(_table(part, first, names, measures))
    write_whole(path, content.getbuffer())


def _parts(per_query: Sequence[QueryValues]) -> Iterator[tuple[int, Sequence[QueryValues]]]:
    """Settings one after the other, with the number of the first: as many as have the rows of a group of parquet."""
    first = n_rows = 0
    for i, scores in enumerate(per_query):
        if n_rows and n_rows + len(scores.query) > _ROWS_AT_ONCE:
            yield first, per_query[first:i]
            first, n_rows = i, 0
        n_rows += len(scores.query)
    yield first, per_query[first:]


def _table(per_query: Sequence[QueryValues], first: int, names: pa.Array, measures: Sequence[str]) -> pa.Table:
    """The rows of some settings, of which the first has that place among the names."""
    import pyarrow as pa

    codes = np.arange(first, first + len(per_query), dtype=np.int32)
    setting = np.repeat(codes, [len(scores.query) for scores in per_query])
    # Settings of a language share their queries, so that each list of them becomes an array once.
    lists = {id(scores.query): scores for scores in per_query}
    query = {key: pa.array(scores.query, pa.string()) for key, scores in lists.items()}
    cluster = {
        key: pa.array(list(scores.cluster or map(question_of, scores.query)), pa.string())
        for key, scores in lists.items()
    }
    columns: dict[str, Any] = {
        "setting": pa.DictionaryArray.from_arrays(setting, names),
        **{
            name: pa.concat_arrays([of[id(scores.query)] for scores in per_query] or [pa.array([], pa.string())])
            for name, of in (("query", query), ("cluster", cluster))
        },
    }
    for measure in measures:
        # A measure that the setting or the query does not have is null: RankDistance outside the pool of all.
        parts = [
            pa.array(s.values[measure], from_pandas=True)
            if measure in s.values
            else pa.nulls(len(s.query), pa.float64())
            for s in per_query
        ]
        columns[measure] = pa.chunked_array(parts, pa.float64())
    return pa.table(columns)
