"""The ranking of a collection: what is kept of the counts."""

from __future__ import annotations

import pytest

import xlbench
from xlbench.engine import ranking as module
from xlbench.job import Job
from xlbench.models import load
from xlbench.remedies import remedies


@pytest.mark.parametrize("model", ["hash", "bm25"])
def test_many_languages_have_the_values_of_few(monkeypatch, model):
    """Where the counts of languages are added up, a result has the same values, intervals and matrices."""
    whole = xlbench.evaluate(model, "demo", cache=None, quiet=True)
    monkeypatch.setattr(module, "WHOLE_TABLE", 2)
    sums = xlbench.evaluate(model, "demo", cache=None, quiet=True)
    assert (whole.ranking.has_sums, sums.ranking.has_sums) == (False, True)
    for name in ("values", "summary", "intervals", "references", "matrices"):
        assert getattr(sums, name) == getattr(whole, name)


def test_remedies_count_each_language(monkeypatch):
    """Balanced lists need the whole table, whatever the number of languages."""
    monkeypatch.setattr(module, "WHOLE_TABLE", 2)
    job = Job.of("demo")
    tried = remedies(load("hash"), job, job.read(data_dir=None, cache_dir=None))
    assert "balanced:10" in [remedy.name for remedy in tried.remedies]
