"""VectorSizes: each row has the values of the vectors that it names, and is tested against the whole ones."""

from __future__ import annotations

import pytest

import xlbench
from xlbench.errors import EncoderError, UsageError
from xlbench.job import Job
from xlbench.models import load
from xlbench.vector_sizes import VectorSizes, sizes

LANGUAGES = ("de", "en")


def found(model: str, **options) -> VectorSizes:
    """The sizes on the built-in collection."""
    job = Job.of("demo", languages=LANGUAGES)
    collection = job.read(data_dir=None, cache_dir=None)
    return sizes(load(model), job, collection, **{"dimensions": (), "quantize": (), **options})


def test_rows_are_the_whole_vectors_and_each_size_and_pair():
    """With the bytes of a passage: 4 a dimension, 1, or an eighth."""
    rows = found("hash", dimensions=(64, 32), quantize=("int8", "binary-passages")).sizes
    assert [(row.name, row.n_bytes) for row in rows] == [
        ("1024d", 4096), ("64d", 256), ("32d", 128), ("int8", 1024), ("binary-passages", 128),
        ("64d-int8", 64), ("64d-binary-passages", 8), ("32d-int8", 32), ("32d-binary-passages", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("dimensions", "quantize"), [((), ()), ((64,), ()), ((), ("int8",)), ((), ("binary",)), ((64,), ("int8-passages",))]
)
def test_a_row_is_what_evaluate_gives(dimensions, quantize):
    """The same values in all settings, from the same options."""
    rows = found("hash", dimensions=dimensions or (16,), quantize=quantize).sizes
    wanted = {"dimensions": dimensions[0] if dimensions else None, "quantize": quantize[0] if quantize else None}
    alone = xlbench.evaluate("hash", "demo", languages=LANGUAGES, cache=None, quiet=True, **wanted)
    row = next(row for row in rows if row.result.model["name"] == alone.model["name"])
    for kind in ("mono", "cross", "multi"):
        assert row.result.value(kind, "AP") == pytest.approx(alone.value(kind, "AP"), abs=1e-12)
    assert row.result.model == alone.model


def test_differences_are_from_the_whole_vectors():
    """One test for each row, kind and measure."""
    comparison = found("hash", dimensions=(64, 32)).comparison
    assert comparison.baseline == "1024d"
    assert comparison.n_tests == 2 * 4


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        ("hash", {}, UsageError, "Name a plain model and --dimensions or --quantize"),
        ("hash", {"dimensions": (4096,)}, EncoderError, "the vectors have 1024"),
        ("bm25", {"dimensions": (64,)}, EncoderError, "one dense vector a text"),
    ],
)
def test_what_cannot_be_made_smaller_is_refused(model, options, error, message):
    """With what was expected."""
    with pytest.raises(error, match=message):
        found(model, **options)


def test_bm25_has_no_dimensions():
    """Also as an option of a run."""
    with pytest.raises(EncoderError, match="nothing to make smaller"):
        xlbench.evaluate("bm25", "demo", languages=LANGUAGES, dimensions=8, cache=None, quiet=True)
