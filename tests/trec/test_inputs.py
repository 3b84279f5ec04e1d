"""Inputs of scoring: mappings, frames, ir_measures' records and files give the same values."""

from __future__ import annotations

import ir_measures
import pandas as pd
import pytest

from xlbench.errors import DataError
from xlbench.trec.inputs import judgements_of, run_of
from xlbench.trec.score import score

RUN = {"q1": {"10": 0.5, "9": 0.5, "ü": 0.25}, "q2": {"9": 1.0}}
JUDGEMENTS = {"q1": {"10": 1, "ü": 2}, "q2": {"9": 0, "10": 1}}
MEASURES = ["nDCG@10", "AP", "RR@2", "R@1"]
FLAT = [(query, passage, number) for query, scores in RUN.items() for passage, number in scores.items()]
JUDGED = [(query, passage, gain) for query, gains in JUDGEMENTS.items() for passage, gain in gains.items()]


@pytest.fixture(params=["mappings", "frames", "records", "files"])
def inputs(request, tmp_path):
    """The same run and judgements in one of the forms."""
    if request.param == "mappings":
        return RUN, JUDGEMENTS
    if request.param == "frames":
        return (
            pd.DataFrame(FLAT, columns=["query_id", "doc_id", "score"]),
            pd.DataFrame(JUDGED, columns=["query_id", "doc_id", "relevance"]),
        )
    if request.param == "records":
        return (ir_measures.ScoredDoc(*row) for row in FLAT), [ir_measures.Qrel(*row) for row in JUDGED]
    run, judgements = tmp_path / "run", tmp_path / "qrels"
    run.write_text("".join(f"{q} Q0 {p} 1 {s} tag\n" for q, p, s in FLAT), encoding="utf-8")
    judgements.write_text("".join(f"{q} 0 {p} {g}\n" for q, p, g in JUDGED), encoding="utf-8")
    return str(run), judgements


def test_every_form_gives_ir_measures_values(inputs):
    """Means and values of single queries are ir_measures', ties included: of equal scores the higher id is first."""
    values = score(*inputs, MEASURES)
    wanted = [ir_measures.nDCG @ 10, ir_measures.AP, ir_measures.R @ 1]
    expected = {str(m): v for m, v in ir_measures.calc_aggregate(wanted, JUDGEMENTS, RUN).items()}
    assert {name: values.totals[name] for name in expected} == pytest.approx(expected)
    assert values.totals["RR@2"] == 0.25
    assert values.to_frame().query("measure == 'RR@2'")["value"].tolist() == [0.5, 0.0]


def test_a_languages_mapping_gives_measures_of_bias():
    """Passages' languages by id, queries' languages by the beginnings of their ids."""
    run = {"de:1": {"a": 3.0, "b": 2.0, "c": 1.0}}
    languages = {"a": "de", "b": "en", "c": "en"}
    values = score(run, {"de:1": {"a": 1, "b": 1}}, ["LPR", "RankDistance"], languages=languages)
    assert (values.summary["LPR"], values.summary["RankDistance"]) == (1.0, 1.0)
    assert len(repr(values).splitlines()) == 3


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (3, "The run: int; expected a mapping by query"),
        ({"q1": {"a": float("nan")}}, "the score nan for query 'q1' and passage 'a'"),
        (pd.DataFrame({"query_id": ["q1"], "doc_id": ["a"]}), "The frame of run lacks score"),
        ([("q1", "a", 1.0)], "The run: the record"),
        ([ir_measures.ScoredDoc("q1", "a", 1.0)] * 2, "The run: passage 'a' of query 'q1' is there twice"),
    ],
    ids=["number", "nan", "column", "tuple", "twice"],
)
def test_another_form_is_refused(run, message):
    """The message says what was given and what was expected."""
    with pytest.raises(DataError) as error:
        run_of(run)
    assert message in str(error.value)


@pytest.mark.parametrize("gain", [0.5, True, "1", None])
def test_a_gain_is_an_integer(gain):
    """Anything else is refused, with the query and the passage."""
    with pytest.raises(DataError, match="for query 'q1' and passage 'a'; expected an integer"):
        judgements_of({"q1": {"a": gain}})
