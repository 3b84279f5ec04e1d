"""The chance-level test: its distribution, its power, and what it draws."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import gamma

from tests.conftest import integer_vector, vector_scores
from tests.examination.made_collections import collection
from xlbench.collection import Collection, Judgement, Text
from xlbench.engine.search import rank
from xlbench.examination import chance
from xlbench.examination.chance import ALPHA, chances, p_value, pairs_of_languages, power, sample, standings
from xlbench.measures.ranks import Ranks
from xlbench.settings import Setting, settings
from xlbench.statistics import holm


def ranks(*of_queries: list[int]) -> Ranks:
    """Ranks of the relevant passages of some queries."""
    lengths = [len(of_query) for of_query in of_queries]
    n = sum(lengths)
    return Ranks(
        query=np.arange(len(of_queries), dtype=np.int32),
        starts=np.cumsum([0, *lengths]),
        rank=np.array([r for of_query in of_queries for r in of_query]),
        gain=np.ones(n, np.int16),
        language=np.zeros(n, np.int16),
    )


@pytest.mark.parametrize("n_relevant", [1, 2, 3])
@pytest.mark.parametrize("first", [1, 2, 4])
def test_chances_are_those_of_all_rankings(n_relevant, first):
    """They are the shares of all rankings of six passages whose first relevant one is at the rank, or before it."""
    firsts = [min(places) for places in combinations(range(1, 7), n_relevant)]
    found = chances(ranks([first, *range(5, 5 + n_relevant - 1)]), 6)
    assert found.at_least == pytest.approx([np.mean([f <= first for f in firsts])])
    assert found.better == pytest.approx([np.mean([f < first for f in firsts])])
    assert found.best == pytest.approx([n_relevant / 6])


def test_random_judgements_pass_no_more_often_than_they_may():
    """With passages that any query ranks high, and ties, a shuffle has p <= .05 in at most one case of twenty."""
    rng = np.random.default_rng(1)
    n, n_shuffles = 60, 2000
    score = rng.integers(0, 4, size=(n, n)) + 3 * rng.integers(0, 3, size=n)
    tie = rng.permutation(n)
    rank_of = 1 + (score[:, :, None] + tie[None, :, None] / n < score[:, None, :] + tie[None, None, :] / n).sum(axis=2)
    p = [p_value(rank_of[np.arange(n), rng.permutation(n)] / n) for _ in range(n_shuffles)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05
    assert np.mean(np.array(p) <= 0.5) <= 0.52


@pytest.mark.parametrize(("m", "n_passages", "found"), [(20, 20, 0.3), (60, 60, 0.2), (200, 200, 0.1), (5, 300, 0.5)])
def test_power_is_the_share_of_simulated_models_that_pass(m, n_passages, found):
    """The power is that of models which rank first what they find, and at random, in whole ranks, what they do not."""
    rng = np.random.default_rng(2)
    hit = rng.random((20_000, m)) < found
    rank_of = np.where(hit, 1, rng.integers(1, n_passages + 1, size=hit.shape))
    simulated = np.mean(-np.log(rank_of / n_passages).sum(axis=1) >= gamma.isf(ALPHA, m))
    alone = chances(ranks(*[[1]] * m), n_passages)
    assert power(alone, alpha=ALPHA, share=found) == pytest.approx(simulated, abs=0.015)


def test_the_power_of_60_queries_is_a_little_less_than_independent_uniform_chances_have():
    """In a task of 121 settings a model that answers every third query passes with .947: ranks are whole numbers."""
    rng = np.random.default_rng(3)
    rank_of = np.where(rng.random((40_000, 60)) < 1 / 3, 1, rng.integers(1, 61, size=(40_000, 60)))
    simulated = np.mean(-np.log(rank_of / 60).sum(axis=1) >= gamma.isf(ALPHA / 121, 60))
    assert simulated == pytest.approx(0.947, abs=0.004)
    assert power(chances(ranks(*[[1]] * 60), 60), alpha=ALPHA / 121) == pytest.approx(0.947, abs=0.004)


def test_there_is_no_power_where_all_of_the_pool_is_relevant():
    """Queries whose pool is relevant as a whole say nothing."""
    assert power(chances(ranks(*[[1, 2, 3]] * 50), 3), alpha=ALPHA) == 0


@pytest.mark.parametrize(
    ("kinds", "n"), [(["mono"], 3), (["cross"], 6), (["mono", "cross"], 9), (["multi"], 9), (["mono", "multi"], 9)]
)
def test_the_pool_of_all_languages_is_tested_by_its_pairs(kinds, n):
    """A pool of all languages is tested language by language, as each pair of languages."""
    assert len({str(setting) for setting in pairs_of_languages(kinds, ("a", "b", "c"))}) == n


def test_a_perfect_model_stands_at_the_top_and_a_random_one_in_the_middle():
    """Equal vectors for a query and its passage stand near 1, random ones near .5 with a large p."""
    made = sample(collection(100))
    wanted = settings(["mono"], made.languages)

    def number(text: str) -> np.ndarray:
        return np.random.default_rng(list(text.split()[0].encode())).normal(size=16).astype(np.float32)

    for vector_of, least, most in ((number, 0.99, 1.0), (lambda t: integer_vector(t, 5) * 1.0, 0.4, 0.6)):
        found = standings(rank(made, vector_scores(made, vector_of)), wanted, "made")
        assert [str(standing.setting) for standing in found] == ["aa>aa", "bb>bb", "cc>cc"]
        assert all(least <= standing.standing <= most for standing in found)
        assert all(standing.is_better == (least > 0.9) for standing in found)
        assert all(standing.can_tell and (standing.n_queries, standing.n_passages) == (100, 100) for standing in found)


def test_p_and_power_are_corrected_for_the_number_of_settings():
    """p is Holm's over all settings of a model, and power is that at the strictest of Holm's levels."""
    made = sample(collection(60))
    ranking = rank(made, vector_scores(made, integer_vector))
    wanted = settings(["mono", "cross"], made.languages)
    alone = [standings(ranking, [setting], "made")[0] for setting in wanted]
    found = standings(ranking, wanted, "made")
    assert [standing.p for standing in found] == holm(np.array([standing.p for standing in alone])).tolist()
    assert found[0].power == power(chances(ranks(*[[1]] * 60), 60), alpha=ALPHA / 9)


def test_drawn_queries_of_a_language_share_no_relevant_passage():
    """Of queries with a common relevant passage, one is drawn."""
    queries = [Text(f"de:{i}", "de", f"frage {i}") for i in range(40)]
    passages = [Text(f"de:p{i}", "de", f"antwort {i}") for i in range(20)]
    judgements = [Judgement(f"de:{i}", f"de:p{i // 4}", 1) for i in range(40)]
    drawn = sample(Collection.build(("de",), queries, passages, judgements))
    assert (len(drawn.queries), len(drawn.passages), len(drawn.pairs)) == (10, 10, 10)
    assert len(set(drawn.pairs.passage.tolist())) == 10


def test_languages_share_the_questions_that_are_drawn(monkeypatch):
    """Where languages have the same questions, the same ones are drawn, and no passage but the relevant ones."""
    monkeypatch.setattr(chance, "_QUERIES", 20)
    drawn = sample(collection(80))
    questions = [{id_.split(":")[-1] for id_ in drawn.queries.ids[drawn.queries.rows(code)]} for code in range(3)]
    assert questions[0] == questions[1] == questions[2]
    assert (len(questions[0]), len(drawn.queries), len(drawn.passages)) == (20, 60, 60)


def test_at_most_five_relevant_passages_of_a_language_are_kept():
    """A query with a thousand relevant passages does not fill the pool."""
    passages = [Text(f"{a}:p{i}", a, f"{a} antwort {i}") for a in ("de", "en") for i in range(30)]
    judgements = [Judgement("de:1", passage.id, 1) for passage in passages]
    drawn = sample(Collection.build(("de", "en"), [Text("de:1", "de", "frage")], passages, judgements))
    assert np.bincount(drawn.passages.language).tolist() == [5, 5]


def test_ties_say_nothing_of_what_is_relevant():
    """Where all scores are equal, passages whose ids are the highest have the ranks of chance."""
    queries = [Text(f"{a}:{i}", a, f"{a} frage {i}") for a in ("de", "en") for i in range(60)]
    passages = [Text(f"en:{a}{i}", "en", f"{a} answer {i}") for a in ("a", "z") for i in range(60)]
    judgements = [Judgement(f"{a}:{i}", f"en:{b}{i}", 1) for a, b in (("de", "z"), ("en", "a")) for i in range(60)]
    made = sample(Collection.build(("de", "en"), queries, passages, judgements))
    flat = vector_scores(made, lambda text: np.ones(4, np.float32))
    (found,) = standings(rank(made, flat), [Setting("de", "en")], "flat")
    assert 0.4 < found.standing < 0.6
    assert not found.is_better


def test_a_sample_of_nothing_is_empty():
    """A collection without judgements has no standings."""
    empty = sample(Collection.build(("de",), [Text("de:1", "de", "frage")], [Text("de:p", "de", "antwort")], []))
    assert (len(empty.queries), len(empty.passages)) == (0, 0)
