"""verify: a right result differs by nothing from trec_eval's values, and a wrong value is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest

from tests.conftest import integer_vector, random_collection, torch_threads, vector_scores
from xlbench import catalogue
from xlbench.engine.search import rank
from xlbench.errors import ResultError
from xlbench.measures import BIAS as OF_BIAS
from xlbench.measures import get
from xlbench.measures.values import QueryValues
from xlbench.models.hash import HashEncoder
from xlbench.results.from_ranking import score
from xlbench.settings import KINDS, Setting, settings
from xlbench.trec.verify import LargestDifference, trec_scores, verify

RETRIEVAL = ["AP", "AP@20", "R@1", "P@5", "Success@5", "nDCG", "nDCG@10", "RR", "RR@3"]
BIAS = [*OF_BIAS, "Share@10", "AWRF@5", "PEER@20", "RBO@5", "MRC@5", "TLR@3"]
MEASURES = [*RETRIEVAL, *BIAS, "FirstOwnRelevant"]
COLLECTION = random_collection(np.random.default_rng(5), n_queries=90, n_passages=40)
WANTED = settings(KINDS, COLLECTION.languages)
SCORES = vector_scores(COLLECTION, integer_vector)


@cache
def reported() -> tuple[QueryValues, ...]:
    """The right scores of the collection in all settings."""
    return score(rank(COLLECTION, SCORES, depth=10), WANTED, MEASURES)


def differences(scores: tuple[QueryValues, ...], wanted: list[Setting]) -> list[LargestDifference]:
    """What verify says of these scores."""
    return list(verify(COLLECTION, SCORES, scores, settings=wanted, advance=lambda **done: None))


def test_a_right_result_differs_by_nothing():
    """Every measure of every setting is compared over all its queries, and differs by rounding at most."""
    found = differences(reported(), WANTED)
    expected = [(scores.setting, measure, len(scores.query)) for scores in reported() for measure in scores.values]
    assert [(d.setting, d.measure, d.n_queries) for d in found] == expected
    assert max(d.difference for d in found) <= 1e-12


@pytest.mark.parametrize(
    ("setting", "measure"), [*product(["mm>mm", "zz>aa"], RETRIEVAL), *product(["aa>*"], MEASURES)]
)
@pytest.mark.parametrize("row", [0, -1])
def test_one_wrong_value_is_found(setting, measure, row):
    """A value of one query that is off by 1e-6 is the largest difference, with its setting, measure and query."""
    [scores] = [scores for scores in reported() if str(scores.setting) == setting]
    values = scores.values[measure].copy()
    at = int(np.flatnonzero(np.isfinite(values))[row])
    values[at] += 1e-6
    wrong = replace(scores, values={**scores.values, measure: values})
    found = differences((wrong,), [s for s in WANTED if str(s) == setting])
    off = [d for d in found if d.difference > 1e-12]
    assert [(str(d.setting), d.measure, d.query) for d in off] == [(setting, measure, scores.query[at])]
    assert off[0].difference == pytest.approx(1e-6, rel=1e-6)


def test_a_value_that_is_no_number_is_found():
    """A NaN in a result is an infinite difference, not none."""
    scores = reported()[0]
    values = scores.values["AP"].copy()
    values[1] = np.nan
    [found, *_] = differences((replace(scores, values={"AP": values}),), WANTED[:1])
    assert (found.difference, found.query) == (np.inf, scores.query[1])


@pytest.mark.parametrize("measure", BIAS)
def test_a_bias_measure_that_is_not_defined_is_compared_too(measure):
    """NaN agrees with NaN and with nothing else: a NaN made a number, or a number made NaN, is found with its query."""
    [scores] = [scores for scores in reported() if str(scores.setting) == "zz>*"]
    defined = np.isfinite(scores.values[measure])
    assert 0 < defined.sum() < len(defined)
    for at, value in ((int(np.argmin(defined)), 0.5), (int(np.argmax(defined)), np.nan)):
        values = scores.values[measure].copy()
        values[at] = value
        wrong = replace(scores, values={**scores.values, measure: values})
        found = differences((wrong,), [s for s in WANTED if str(s) == "zz>*"])
        off = [(d.difference, d.measure, d.query) for d in found if d.difference > 1e-12]
        assert off == [(np.inf, measure, scores.query[at])]


def test_a_pool_smaller_than_the_cut_off_verifies():
    """Where the pool has fewer passages than Share@k looks at, both sides look at those that there are."""
    small = random_collection(np.random.default_rng(1), n_languages=2, n_queries=3, n_passages=5)
    scores, wanted = vector_scores(small, integer_vector), settings(["multi"], small.languages)
    found = score(rank(small, scores, depth=15), wanted, ["AP", "Share@15", "AWRF@15"])
    assert all({"Share@15", "AWRF@15"} <= set(of_setting.values) for of_setting in found)
    compared = list(verify(small, scores, found, settings=wanted, advance=lambda **done: None))
    assert max(d.difference for d in compared) <= 1e-12


def test_only_the_wanted_settings_are_recomputed():
    """Two wanted settings give differences of these two, and as many rankings are reported as done."""
    done = []
    two = [WANTED[0], WANTED[-1]]
    found = list(
        verify(COLLECTION, SCORES, reported(), settings=two, advance=lambda **step: done.append(step["texts"]))
    )
    assert {d.setting for d in found} == {*two}
    assert sum(done) == sum(len(scores.query) for scores in reported() if scores.setting in two)


def test_a_result_without_the_setting_is_refused():
    """A setting that the result does not have is a ResultError that names it and those there are."""
    with pytest.raises(ResultError, match=r"no scores for the setting 'aa>aa'; it has zz>zz"):
        differences(reported()[:1], [Setting("aa", "aa")])


@pytest.mark.parametrize("change", [lambda ids: ids[:-1], lambda ids: (*ids[:-1], "other"), lambda ids: ids[::-1]])
def test_a_result_of_other_queries_is_refused(change):
    """Queries that are missing, others, or in another order cannot be compared."""
    first = reported()[0]
    query = change(first.query)
    other = replace(first, query=query, values={name: values[: len(query)] for name, values in first.values.items()})
    with pytest.raises(ResultError, match="not the same queries"):
        differences((other,), WANTED[:1])


def test_rr_with_a_cutoff_is_zero_past_it():
    """The relevant passage is third, behind the tied passage with the higher id: RR@3 is 1/3 and RR@2 is 0."""
    run = {"q": {"10": 1.0, "9": 1.0, "a": 2.0, "b": 0.5}}
    found = trec_scores({"q": {"10": 1}}, run, [get(name) for name in ("RR", "RR@3", "RR@2", "R@2")])
    assert found == {"q": {"RR": pytest.approx(1 / 3), "RR@3": pytest.approx(1 / 3), "RR@2": 0.0, "R@2": 0.0}}


@pytest.mark.real_data
def test_real_vectors_of_xquad_r_verify(real_data, tmp_path):
    """With float vectors, whose products are rounded, the counts of the engine still are trec_eval's ranks."""
    task = catalogue.load("xquad-r")
    collection = catalogue.read_collection(task, languages=["th", "tr", "zh"], data_dir=real_data, cache_dir=tmp_path)
    encoder = HashEncoder()
    scores = vector_scores(collection, lambda text: encoder.encode_passages([text])[0])
    wanted = [
        setting for setting in settings(KINDS, collection.languages) if str(setting) in ("th>tr", "zh>zh", "tr>*")
    ]
    with torch_threads(1):
        reported = score(rank(collection, scores, depth=10), wanted, task.measures)
        found = list(verify(collection, scores, reported, settings=wanted, advance=lambda **done: None))
    assert {(str(d.setting), d.n_queries) for d in found} == {("th>tr", 1190), ("zh>zh", 1190), ("tr>*", 1190)}
    assert max(d.difference for d in found) <= 1e-12
