"""The evidence: the ranking as a parquet file, from which every figure can be computed again."""

from __future__ import annotations

import io
import json
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import integer_vector, random_collection, vector_scores
from xlbench.engine.search import rank
from xlbench.errors import ResultError
from xlbench.measures.ranks import Ranking
from xlbench.results import EvidenceLimits, evidence_bytes, load_evidence, parse_evidence
from xlbench.results.from_ranking import figures
from xlbench.settings import KINDS
from xlbench.settings import settings as settings_of

MEASURES = ("AP", "nDCG@10", "RankDistance", "Share@3", "IrrelevantLoss")


def ranking(seed: int = 0, *, depth: int = 3, n_queries: int = 8) -> Ranking:
    """A ranking with ties, graded gains, ids that are not ASCII, and queries without a relevant passage somewhere."""
    collection = random_collection(np.random.default_rng(seed), n_queries=n_queries)
    return rank(collection, vector_scores(collection, integer_vector), depth=depth)


RANKING = ranking()
CONTENT = evidence_bytes(RANKING)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("depth", [0, 3, 70])
def test_what_is_written_is_read(seed, depth):
    """Ids, languages, gains, counts and best passages come back, in the same types, for pools smaller than the best."""
    written = ranking(seed, depth=depth)
    read = parse_evidence(evidence_bytes(written), "evidence")
    for name in ("query", "query_language", "passage_language", "gain", "n_passages"):
        ours, theirs = getattr(read.judged, name), getattr(written.judged, name)
        assert ours.dtype == theirs.dtype
        assert ours.tolist() == theirs.tolist()
    assert read.judged.languages == written.judged.languages
    assert list(read.judged.query_ids) == list(written.judged.query_ids)
    assert list(read.judged.passage_ids) == list(written.judged.passage_ids)
    assert read.judged.clusters == written.judged.clusters
    assert (read.above.dtype, read.above.tolist()) == (np.int32, written.above.tolist())
    assert (read.top.dtype, read.top.tolist()) == (np.int16, written.top.tolist())


def test_every_figure_follows_from_the_evidence():
    """Scores, intervals, references and matrices of what was read are those of the ranking, to the last digit."""
    wanted = settings_of(KINDS, RANKING.judged.languages)
    ours, theirs = (figures(found, wanted, MEASURES) for found in (RANKING, parse_evidence(CONTENT, "evidence")))
    for name in ("values", "queries", "summary", "intervals", "references", "matrices"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_a_query_that_nobody_judged_is_not_in_the_evidence():
    """Queries without a judged pair are left out, and the rows of the others are numbered anew."""
    judged = RANKING.judged
    first = int(np.searchsorted(judged.query, 1))
    cut = Ranking(
        judged=type(judged)(
            judged.languages, judged.query_ids, judged.query_language, judged.query[first:], judged.passage_ids[first:],
            judged.passage_language[first:], judged.gain[first:], judged.n_passages, judged.clusters,
        ),
        above=RANKING.above[first:],
        top=RANKING.top,
    )  # fmt: skip
    read = parse_evidence(evidence_bytes(cut), "evidence")
    assert list(read.judged.query_ids) == list(judged.query_ids)[1:]
    assert read.top.tolist() == RANKING.top[1:].tolist()


def test_equal_rankings_give_equal_bytes():
    """The same ranking is the same file, and so is one that was written, read and written again."""
    assert evidence_bytes(ranking()) == CONTENT
    assert evidence_bytes(parse_evidence(CONTENT, "evidence")) == CONTENT


def test_any_tool_reads_it():
    """It is a plain table with one row a judged pair, without nulls, and the number of passages in its metadata."""
    table = pq.read_table(io.BytesIO(CONTENT))
    counts = [f"above.{language}" for language in RANKING.judged.languages]
    assert table.column_names == [
        "query", "query_language", "cluster", "passage", "passage_language", "gain", *counts, "top.1", "top.2", "top.3"
    ]  # fmt: skip
    assert len(table) == len(RANKING.above)
    assert sum(column.null_count for column in table.columns) == 0
    assert table[counts[0]].to_pylist() == RANKING.above[:, 0].tolist()
    said = json.loads(table.schema.metadata[b"xlbench"])
    assert said["n_passages"] == RANKING.judged.n_passages.tolist()


def rewritten(change, *, said=None) -> bytes:
    """The evidence with its table changed, and perhaps what its metadata says."""
    table = change(pq.read_table(io.BytesIO(CONTENT)))
    metadata = dict(table.schema.metadata)
    if said is not None:
        metadata[b"xlbench"] = json.dumps(json.loads(metadata[b"xlbench"]) | said).encode()
    content = io.BytesIO()
    with pq.ParquetWriter(content, table.schema.remove_metadata(), store_schema=False) as writer:
        writer.write_table(table.replace_schema_metadata())
        writer.add_key_value_metadata(metadata)
    return content.getvalue()


def with_column(name: str, values: pa.Array, *, nullable: bool = False):
    """Replaces a column of a table."""
    return lambda table: table.set_column(
        table.column_names.index(name), pa.field(name, values.type, nullable=nullable), values
    )


N = len(RANKING.above)


@pytest.mark.parametrize(
    ("change", "said", "message"),
    [
        (lambda table: table.take([*range(N), N - 1]), None, "a pair of a query and a passage twice"),
        (lambda table: table.take([*range(1, N), 0]), None, "rows of a query do not stand together"),
        (lambda table: table.take(list(range(N - 1, -1, -1))), None, "rows of a query do not stand together"),
        (lambda table: table.slice(0, 0), None, "has no rows"),
        (lambda table: table.drop_columns(["gain"]), None, "missing, too many or of another type: gain"),
        (lambda table: table.append_column(pa.field("more", pa.int32(), nullable=False), pa.array([0] * N, pa.int32())),
         None, "another type: more"),
        (with_column("above.aa", pa.array([0.5] * N)), None, "above.aa"),
        (with_column("above.aa", pa.array([0] * N, pa.int64())), None, "above.aa"),
        (with_column("above.aa", pa.array([None] * N, pa.int32()), nullable=True), None, "above.aa"),
        (with_column("passage", pa.array(["x" * 2000] * N)), None, "expected 1 to 1,000 characters"),
        (with_column("passage", pa.array([""] * N)), None, "expected 1 to 1,000 characters"),
        (with_column("passage", pa.array([b"\xff"] * N, pa.binary())), None, "passage"),
        (with_column("passage_language", pa.array(["xx"] * N)), None, "the language 'xx' in 'passage_language'"),
        (with_column("query_language", pa.array(["mm"] + ["zz"] * (N - 1))), None, "do not stand together"),
        (with_column("top.1", pa.array((["zz", "aa"] * N)[:N])), None, "different best passages of one query"),
        (lambda table: table, {"schema": 1}, "no evidence of schema 2"),
        (lambda table: table, {"n_passages": [20, 20]}, "does not say its languages"),
        (lambda table: table, {"n_passages": [20, 20, -1]}, "does not say its languages"),
        (lambda table: table, {"n_passages": [20, 20, True]}, "does not say its languages"),
        (lambda table: table, {"languages": ["zz", "zz", "mm"]}, "does not say its languages"),
        (lambda table: table, {"languages": ["aa", "zz", "mm"]}, "another type: their order"),
        (lambda table: table, {"top": 10**9}, "does not say its languages"),
        (lambda table: table, {"top": 4}, "top.4"),
    ],
)  # fmt: skip
def test_what_is_no_evidence_is_refused(change, said, message):
    """A row doubled, apart or missing, another column or type, a null, and metadata that does not fit: a sentence."""
    with pytest.raises(ResultError, match=r"^evidence") as error:
        parse_evidence(rewritten(change, said=said), "evidence")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (EvidenceLimits(rows=N - 1), f"says that it has {N:,} rows; expected at most {N - 1:,}"),
        (EvidenceLimits(languages=2), "does not say its languages"),
        (EvidenceLimits(n_bytes=1000), "bytes; expected at most 1,000"),
    ],
)
def test_a_file_that_says_to_be_too_large_is_not_read(limits, message):
    """Rows, languages and bytes are held against the limits before a page is read."""
    with pytest.raises(ResultError, match=message):
        parse_evidence(CONTENT, "evidence", limits=limits)


def test_evidence_that_is_not_there_is_said(tmp_path):
    """A missing file is named, with what writes it."""
    with pytest.raises(ResultError, match=r"x\.ranks\.parquet cannot be read .*xlbench run --force"):
        load_evidence(tmp_path / "x.ranks.parquet")


def uncompressed() -> bytes:
    """The evidence as another tool might write it: damage is not found by the decompression."""
    table, content = pq.read_table(io.BytesIO(CONTENT)), io.BytesIO()
    with pq.ParquetWriter(
        content, table.schema.remove_metadata(), store_schema=False, compression="none", use_dictionary=False
    ) as writer:
        writer.write_table(table.replace_schema_metadata())
        writer.add_key_value_metadata(table.schema.metadata)
    return content.getvalue()


@pytest.mark.parametrize("whole", [CONTENT, uncompressed()], ids=["as written", "uncompressed"])
@given(data=st.data())
def test_damaged_evidence_is_refused_or_read(whole, data):
    """Whatever bytes are changed, cut or inserted, the file is read or refused with a sentence, and nothing else."""
    assert parse_evidence(whole, "evidence").above.tolist() == RANKING.above.tolist()
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        # The footer is where sizes and types are said.
        at = len(content) - 1 - at % 2500 if data.draw(st.booleans()) else at
        length = data.draw(st.integers(0, 3))
        content[at : at + length] = data.draw(st.binary(max_size=3))
    limits = EvidenceLimits(rows=1000, languages=10, n_bytes=1 << 20)
    with suppress(ResultError):
        assert len(parse_evidence(bytes(content), "evidence", limits=limits).above) <= 1000


@given(st.binary(max_size=200))
def test_what_is_no_parquet_is_refused(content):
    """Any few bytes are refused with a sentence."""
    with pytest.raises(ResultError, match="cannot be read"):
        parse_evidence(content, "evidence")


def test_every_figure_follows_from_sums():
    """With three sums a pair instead of a count a language, written and read, all figures are those of the table."""
    collection = random_collection(np.random.default_rng(3), n_queries=12)
    scores = vector_scores(collection, integer_vector)
    whole, sums = rank(collection, scores, depth=3), rank(collection, scores, depth=3, sums=True)
    read = parse_evidence(evidence_bytes(sums), "evidence")
    assert read.above.tolist() == sums.above.tolist()
    wanted = settings_of(KINDS, whole.judged.languages)
    ours, theirs = (figures(ranking, wanted, MEASURES) for ranking in (whole, read))
    for name in ("values", "queries", "summary", "intervals", "references", "matrices"):
        assert getattr(ours, name) == getattr(theirs, name)
