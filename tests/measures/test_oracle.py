"""Measures by name: ours, and those of ir_measures that keep trec_eval's rules."""

from __future__ import annotations

import pytest

from xlbench.errors import UnknownNameError
from xlbench.measures.oracle import find, values


@pytest.mark.parametrize(
    ("name", "canonical", "is_own"),
    [
        ("nDCG@10", "nDCG@10", True),
        ("NDCG@10", "nDCG@10", True),
        ("MAP", "AP", True),
        ("AP(rel=1)@20", "AP@20", True),
        ("MRR@10", "RR@10", True),
        ("Recall@100", "R@100", True),
        ("AP(rel=2)", "AP(rel=2)", False),
        ("RR(rel=2)@5", "RR(rel=2)@5", False),
        ("BPref", "Bpref", False),
        ("IPrec@0.1", "IPrec@0.1", False),
    ],
)
def test_an_alias_is_the_measure(name, canonical, is_own):
    """The names and aliases of ir_measures are known, and each measure has one name."""
    found = find(name)
    assert (found.name, found.own is not None) == (canonical, is_own)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nDGC@10", "Did you mean 'nDCG@10'?"),
        ("zzz", "Known: nDCG@10, AP, R@100"),
        ("P", "Invalid param cutoff is missing"),
        ("R@0", "A cut-off is 1 or more."),
        ("P@5.5", "Invalid param cutoff=5.5"),
        ("AP(rl=1)", "Unsupported params found: ['rl']"),
        ("nDCG@", "Unknown measure 'nDCG@'."),
        ("", "Unknown measure ''."),
        ("__import__('os').system('true')", "Unknown measure"),
        ("ERR@20", "none of pytrec_eval, cwl_eval, judged, msmarco computes it"),
        ("alpha_nDCG@20", "none of pytrec_eval"),
    ],
)
def test_an_unknown_measure_is_refused(name, said):
    """What was wrong is said, with the nearest name or examples; a measure that would need more is refused."""
    with pytest.raises(UnknownNameError) as error:
        find(name)
    assert said in str(error.value)


def test_a_measure_of_a_missing_package_says_which():
    """RBP, which the package cwl_eval has, names it."""
    pytest.importorskip("ir_measures")
    try:
        import cwl  # noqa: F401
    except ImportError:
        with pytest.raises(UnknownNameError, match=r"with another package: pip install ir-measures\[cwl_eval\]"):
            find("RBP(rel=1)")
    else:
        assert find("RBP(rel=1)").provider == "cwl_eval"


def test_a_query_without_a_ranking_counts_as_one_without_passages():
    """Its values are 0, but its relevant passages are counted, as with trec_eval -c."""
    wanted = [find(name) for name in ("AP", "Bpref", "Judged@10", "NumRel", "NumQ")]
    found = values({"a": {"x": 1, "y": 2}, "b": {"x": 1}}, {"b": ["z", "x"]}, wanted)
    assert found == {
        "a": {"AP": 0.0, "Bpref": 0.0, "Judged@10": 0.0, "NumRel": 2.0, "NumQ": 1.0},
        "b": {"AP": 0.5, "Bpref": 1.0, "Judged@10": 0.5, "NumRel": 1.0, "NumQ": 1.0},
    }
    assert [measure.is_count for measure in wanted] == [False, False, False, True, True]
