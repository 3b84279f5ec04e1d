"""The evidence of a result as parquet, one row a judged pair, from which anyone computes every figure again.

Columns: ``query``, ``query_language``, ``cluster``, ``passage``, ``passage_language``, ``gain``; for each language
``above.de``, how many of its passages beat the pair's for its query; ``top.1``, ``top.2`` ..., the languages of the
query's best passages in the pool of all languages, empty where the pool has fewer. Of a fusion, whose scores depend on
the pool, also ``alone``: how many passages of the passage's language beat it in the pool of that language alone. The
metadata ``xlbench`` has the languages in their order, how many passages each has, and what a cluster is.

Of more than 32 languages the counts are added up, and the metadata says ``sums``. Instead of a column a language
there are ``above_own``, ``above_asked`` and ``above_all``: of the passage's language, of the query's, and of all. All
settings and measures follow from these three.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xlbench.measures.ranks import Ranking

if TYPE_CHECKING:
    import pyarrow as pa

EVIDENCE_SCHEMA = 2
METADATA_KEY = b"xlbench"
ROWS_AT_ONCE = 1 << 18


def evidence_path(path: Path) -> Path:
    """The file of evidence beside a result's JSON file."""
    return path.with_name(f"{path.name.removesuffix('.json')}.ranks.parquet")


def count_columns(languages: Sequence[str], *, sums: bool) -> list[str]:
    """The names of the columns of counts, in the order of the table."""
    return ["above_own", "above_asked", "above_all"] if sums else [f"above.{name}" for name in languages]


def evidence_bytes(ranking: Ranking) -> bytes:
    """The content of a file of evidence."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    judged = ranking.judged

    def coded(codes: npt.NDArray[np.int16], names: Sequence[str] = judged.languages) -> pa.Array:
        # -1 is the last name.
        return pa.DictionaryArray.from_arrays(pa.array(codes % len(names), pa.int32()), pa.array(names))

    rows = np.append(np.flatnonzero(np.diff(judged.query, prepend=-1)), len(judged.query))
    asked = judged.query[rows[:-1]]
    ids = pa.array([judged.query_ids[row] for row in asked.tolist()], pa.string())
    of_query = np.repeat(np.arange(len(asked), dtype=np.int32), np.diff(rows))
    columns = {
        "query": pa.DictionaryArray.from_arrays(pa.array(of_query), ids),
        "query_language": coded(judged.query_language[judged.query]),
        "cluster": _encoded([judged.clusters.of_query[row] for row in asked.tolist()]).take(pa.array(of_query)),
        "passage": pa.array(judged.passage_ids, pa.string()).dictionary_encode(),
        "passage_language": coded(judged.passage_language),
        "gain": pa.array(judged.gain, pa.int16()),
        **{
            name: pa.array(ranking.above[:, i], pa.int32())
            for i, name in enumerate(count_columns(judged.languages, sums=ranking.has_sums))
        },
        **{
            f"top.{i + 1}": coded(ranking.top[judged.query, i], [*judged.languages, ""])
            for i in range(ranking.top.shape[1])
        },
        **({} if ranking.alone is None else {"alone": pa.array(ranking.alone, pa.int32())}),
    }
    said = {
        "schema": EVIDENCE_SCHEMA,
        "languages": list(judged.languages),
        "n_passages": judged.n_passages.tolist(),
        "unit": judged.clusters.unit,
        "top": int(ranking.top.shape[1]),
        **({} if ranking.alone is None else {"alone": True}),
        **({"sums": True} if ranking.has_sums else {}),
    }
    fields = [pa.field(name, column.type, nullable=False) for name, column in columns.items()]
    table = pa.table(list(columns.values()), schema=pa.schema(fields))
    content = io.BytesIO()
    # Without Arrow's own schema, which a reader of files of others would have to trust.
    with pq.ParquetWriter(content, table.schema, compression="zstd", store_schema=False) as writer:
        writer.write_table(table, row_group_size=ROWS_AT_ONCE)
        writer.add_key_value_metadata({METADATA_KEY.decode(): json.dumps(said, ensure_ascii=False)})
    return content.getvalue()


def _encoded(texts: Sequence[str]) -> pa.DictionaryArray:
    import pyarrow as pa

    return pa.array(texts, pa.string()).dictionary_encode()
