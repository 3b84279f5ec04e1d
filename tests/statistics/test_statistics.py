"""Intervals, the randomisation test, Holm's correction, effect sizes and groups."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test

from xlbench.measures.values import QueryValues, summarise
from xlbench.settings import Setting
from xlbench.statistics import (
    Values,
    asked,
    bootstrap,
    by_cluster,
    column_means,
    contributions,
    difference_intervals,
    effect_sizes,
    groups,
    holm,
    intervals,
    p_values,
    summary_weights,
)

LANGUAGES = ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]
ONE = np.ones((1, 1))


def clustered(*, n_simulations: int, n_questions: int, seed: int) -> list[QueryValues]:
    """11 languages whose queries share a strong effect of the question; a measure a simulation, all of mean 0."""
    rng = np.random.default_rng(seed)
    of_question = rng.standard_normal((n_simulations, n_questions))
    return [
        QueryValues(
            Setting(language, language),
            tuple(f"{language}:{i}" for i in range(n_questions)),
            {str(s): of_question[s] + 0.5 * rng.standard_normal(n_questions) for s in range(n_simulations)},
        )
        for language in LANGUAGES
    ]


def covered(ends: dict[str, list[float]]) -> float:
    return float(np.mean([low <= 0 <= high for low, high in ends.values()]))


def test_an_interval_covers_the_truth_as_often_as_it_says():
    """Of nominal 95 % intervals of a mean over 11 languages, 93 to 97 % have the true mean in them."""
    found = intervals(clustered(n_simulations=600, n_questions=100, seed=1), resamples=1000)["mono"]
    assert 0.93 <= covered(found) <= 0.97


def test_an_interval_over_queries_would_be_too_narrow():
    """If the translations of a question were taken for independent, a 95 % interval would miss half of the time."""
    per_query = clustered(n_simulations=150, n_questions=60, seed=2)
    # Another id for each query, with no question in common.
    naive = [replace(scores, query=tuple(q.replace(":", "-") for q in scores.query)) for scores in per_query]
    assert covered(intervals(naive, resamples=500)["mono"]) < 0.7
    assert covered(intervals(per_query, resamples=500)["mono"]) > 0.9


def ragged(seed: int = 3) -> list[QueryValues]:
    """Settings of all kinds, each with some of 40 questions; a measure of bias that is not defined everywhere."""
    rng = np.random.default_rng(seed)
    found = []
    for name in ("a>a", "b>b", "a>b", "a>c", "b>a", "a>*", "b>*"):
        questions = sorted(rng.choice(40, size=rng.integers(20, 40), replace=False).tolist())
        values = {"AP": rng.random(len(questions)), "R@1": rng.integers(0, 2, len(questions)).astype(float)}
        if name.endswith("*"):
            values["LPR"] = np.where(rng.random(len(questions)) < 0.3, np.nan, rng.random(len(questions)))
        found.append(QueryValues(Setting.of(name), tuple(f"{name[0]}:{q}" for q in questions), values))
    return found


def test_intervals_do_not_depend_on_any_order():
    """The same values in another order of settings and of queries give the same intervals, each around its mean."""
    per_query = ragged()
    rng = np.random.default_rng(0)
    shuffled = []
    for scores in reversed(per_query):
        order = rng.permutation(len(scores.query))
        values = {measure: value[order] for measure, value in reversed(scores.values.items())}
        shuffled.append(QueryValues(scores.setting, tuple(scores.query[i] for i in order), values))
    found = intervals(per_query)
    assert intervals(shuffled) == found
    assert intervals(per_query) == found
    assert intervals(per_query, seed=1) != found
    scores = {s.setting: s.means() for s in per_query}
    for name, by_measure in (scores | summarise(scores)).items():
        for measure, mean in by_measure.items():
            low, high = found[name][measure]
            assert low < mean < high


def test_an_interval_of_one_setting_is_the_bootstrap_by_hand():
    """It is between the percentiles of the means of resamples, over the queries for which a measure is defined."""
    value = np.array([3.0, 1.0, np.nan, 5.0, 8.0])
    per_query = [QueryValues(Setting.of("a>*"), tuple(f"a:{i}" for i in range(5)), {"LPR": value})]
    drawn = np.random.default_rng(7).integers(0, 5, size=(400, 5))
    means = [np.nanmean(value[rows]) for rows in drawn if np.isfinite(value[rows]).any()]
    expected = np.percentile(means, [5, 95])
    found = intervals(per_query, resamples=400, level=0.9, seed=7)
    np.testing.assert_allclose(found[Setting.of("a>*")]["LPR"], expected, atol=1e-6)
    np.testing.assert_allclose(found["multi"]["LPR"], expected, atol=1e-6)
    unrounded = intervals(per_query, resamples=400, level=0.9, seed=7, decimals=15)
    np.testing.assert_allclose(unrounded[Setting.of("a>*")]["LPR"], expected, atol=1e-14)


def test_a_setting_of_one_question_takes_no_resample_from_the_others():
    """A resample without a setting has a mean over the other settings, as a result without it would."""
    many = QueryValues(Setting.of("a>a"), tuple(f"a:{i}" for i in range(30)), {"AP": np.linspace(0, 1, 30)})
    one = QueryValues(Setting.of("b>b"), ("b:0",), {"AP": np.array([0.5])})
    multi = QueryValues(Setting.of("a>*"), many.query, many.values)
    assert intervals([many, one, multi])["multi"] == intervals([many, multi])["multi"]
    low, high = intervals([many, one])["mono"]["AP"]
    assert 0.35 < low < 0.5 < high < 0.65


def test_no_scores_have_no_intervals():
    """A result without scores has none."""
    assert intervals([]) == {}


def test_an_interval_of_a_difference_shrinks_with_the_correlation():
    """Models that differ by the same amount in every question have an interval of no width around it."""
    value = np.random.default_rng(0).random((50, 3))
    weights = np.full((3, 1), 1 / 3)
    (found,) = difference_intervals([(value + 0.1) - value], weights, np.arange(50))
    np.testing.assert_allclose(found, [[0.1], [0.1]])


def by_enumeration(contribution: np.ndarray) -> float:
    """The share of all sign flips, one after the other, whose sum is as far from 0 as that found."""
    signs = itertools.product([1, -1], repeat=len(contribution))
    sums = [abs(sum(s * d for s, d in zip(flip, contribution, strict=True))) for flip in signs]
    return float(np.mean([found >= sums[0] - 1e-12 for found in sums]))


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
def test_p_values_of_few_questions_are_exact(values):
    """With few questions, and with ties, the p-value is that of an enumeration by hand."""
    contribution = np.array(values) / 10
    assert p_values(contribution[:, None])[0] == by_enumeration(contribution)


@pytest.mark.parametrize("seed", range(4))
def test_p_values_of_one_setting_are_scipys(seed):
    """scipy's paired permutation test over all flips gives the same p-value."""
    rng = np.random.default_rng(seed)
    a, b = rng.random(9), rng.random(9) + 0.15
    expected = permutation_test(
        (b, a),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    )
    found = p_values(contributions((b - a)[:, None], ONE))
    assert found[0] == pytest.approx(expected.pvalue, abs=1e-12)


def test_drawn_p_values_are_near_the_exact_ones():
    """Random flips give the exact p-value but for the error of a share of 10,000, the same each time, and never 0."""
    rng = np.random.default_rng(5)
    contribution = rng.standard_normal((13, 30)) + rng.random(30) / 2
    drawn = p_values(np.vstack([contribution, np.zeros((1, 30))]))
    np.testing.assert_allclose(drawn, p_values(contribution), atol=0.02)
    assert (drawn != p_values(contribution)).any()
    np.testing.assert_array_equal(drawn, p_values(np.vstack([contribution, np.zeros((1, 30))])))
    assert p_values(np.ones((40, 1)), draws=500)[0] == 1 / 501


def test_a_difference_that_no_draw_reaches_is_not_drawn():
    """Its p-value is the smallest there is, as if it had been drawn; smaller ones beside it are drawn all the same."""
    rng = np.random.default_rng(8)
    small, large = rng.standard_normal((400, 1)), rng.standard_normal((400, 1)) + 1
    assert p_values(np.hstack([large, small, large]), draws=2000).tolist() == [
        1 / 2001, p_values(small, draws=2000)[0], 1 / 2001,
    ]  # fmt: skip
    assert 0.05 < p_values(small, draws=2000)[0] < 1


def test_a_difference_with_many_hits_is_drawn_no_longer_than_it_needs():
    """Its p-value is that of 10,000 draws, however many others need, and is near that of all."""
    contribution = np.random.default_rng(9).standard_normal((200, 1))
    found = p_values(contribution, draws=100_000)
    assert found == p_values(contribution, draws=10_000)
    assert found > 0.1
    # One with few hits needs all draws.
    contribution += 0.19
    assert p_values(contribution, draws=100_000) != p_values(contribution, draws=10_000)
    np.testing.assert_allclose(p_values(contribution, draws=100_000), p_values(contribution), atol=0.005)


def test_rounding_breaks_no_tie():
    """Flips that give the same sum in another order of addition count as reaching it."""
    contribution = np.array([0.1, 0.2, 0.3, -0.6, 0.7, 1e-3])[:, None] / 3
    assert p_values(contribution)[0] == by_enumeration(np.array([100, 200, 300, -600, 700, 1]))


def test_a_model_is_not_told_apart_from_itself():
    """Without any difference p is 1, exact or drawn; the size of the effect is not a number."""
    for n in (5, 2000):
        assert p_values(np.zeros((n, 2))).tolist() == [1.0, 1.0]
        assert np.isnan(effect_sizes(np.zeros((n, 1)), np.ones((n, 1), bool))).all()


def test_false_alarms_are_as_many_as_alpha_says():
    """Of 3,000 comparisons of equal models, with questions shared by languages, 4 to 6 % have a p-value up to .05."""
    rng = np.random.default_rng(11)
    n_cells, n_languages = 3000, 3
    of_question = rng.standard_normal((60, n_cells, 1))
    difference = of_question + 0.3 * rng.standard_normal((60, n_cells, n_languages))
    weights = np.kron(np.eye(n_cells), np.full((n_languages, 1), 1 / n_languages))
    p = p_values(contributions(difference.reshape(60, -1), weights), draws=999)
    assert 0.04 <= np.mean(p <= 0.05) <= 0.06
    # Were the languages independent, swapped one by one, there would be many.
    naive = p_values(difference.transpose(0, 2, 1).reshape(60 * n_languages, n_cells), draws=999)
    assert np.mean(naive <= 0.05) > 0.15


def test_a_macro_mean_over_ragged_settings_is_tested_as_a_whole():
    """A swap of a question changes all its settings at once, each by its share of its own setting's mean."""
    a = np.array([[0.9, 0.1, np.nan], [0.4, np.nan, 0.3], [0.8, 0.2, 0.6], [np.nan, 0.7, 0.1]])
    b = np.array([[0.5, 0.2, np.nan], [0.1, np.nan, 0.9], [0.6, 0.0, 0.2], [np.nan, 0.3, 0.4]])
    columns = [(Setting(name, name), "AP") for name in "abc"]
    weights = summary_weights(columns)["mono", "AP"][:, None]

    def macro(x, y):
        return np.mean([np.nanmean(x[:, c]) - np.nanmean(y[:, c]) for c in range(3)])

    reached = abs(macro(a, b))
    hits = []
    for swap in itertools.product([False, True], repeat=4):
        rows = np.array(swap)[:, None]
        hits.append(abs(macro(np.where(rows, b, a), np.where(rows, a, b))) >= reached - 1e-12)
    contribution = contributions(a - b, weights)
    assert contribution.sum() == pytest.approx(macro(a, b))
    assert p_values(contribution)[0] == np.mean(hits)
    assert asked(a - b, weights).sum(axis=0).tolist() == [4]
    assert asked(a - b, np.array([[0.0], [1.0], [0.0]])).ravel().tolist() == [True, False, True, True]


def test_the_weights_are_those_of_the_summary():
    """Means of columns times weights are the macro means of a result, cross with ragged pairs included."""
    values = Values.of(ragged())
    expected = summarise({s.setting: s.means() for s in ragged()})
    for (kind, measure), weights in summary_weights(values.columns).items():
        assert column_means(values.value) @ weights == pytest.approx(expected[kind][measure])


def test_the_size_of_an_effect_is_mean_over_deviation():
    """d_z is the mean of the differences divided by their standard deviation, whatever the number of settings."""
    difference = np.array([[0.2, 0.4], [0.1, 0.1], [-0.3, 0.5], [0.2, 0.0]])
    mean = difference.mean(axis=1)
    weights = np.array([[1.0, 0.5], [0.0, 0.5]])

    def sizes(difference, weights=ONE):
        return effect_sizes(contributions(difference, weights), asked(difference, weights))

    found = sizes(difference, weights)
    np.testing.assert_allclose(
        found, [difference[:, 0].mean() / difference[:, 0].std(ddof=1), mean.mean() / mean.std(ddof=1)]
    )
    with_gap = np.vstack([difference, [np.nan, np.nan]])
    np.testing.assert_allclose(sizes(with_gap, weights), found)
    assert np.isnan(sizes(np.array([[0.3]]))).all()
    assert np.isnan(sizes(np.full((3, 1), 0.1))).all()


def test_holms_correction_of_a_worked_example():
    """Of .01, .04, .03 and .005 the smallest is multiplied by 4, the next by 3, and so on, never falling."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_holms_correction_keeps_the_order_and_never_lowers(values, random):
    """Adjusted p-values are no smaller than raw ones, at most 1 and n times the raw ones, in the same order."""
    p = np.array(values)
    found = holm(p)
    assert (found >= p).all()
    assert (found <= np.minimum(1, p * len(p) + 1e-15)).all()
    assert (np.diff(found[np.argsort(p, kind="stable")]) >= 0).all()
    order = random.sample(range(len(p)), len(p))
    np.testing.assert_array_equal(holm(p[order]), found[order])


@pytest.mark.parametrize(
    ("n_models", "apart", "expected"),
    [
        (0, [], []),
        (1, [], [{0}]),
        (3, [], [{0, 1, 2}]),
        (3, [(0, 1), (0, 2), (1, 2)], [{0}, {1}, {2}]),
        (4, [(0, 2), (0, 3), (1, 3)], [{0, 1}, {1, 2}, {2, 3}]),
        # 0 and 2 are not told apart, though 1 between them is apart from 0.
        (3, [(0, 1)], [{0, 2}, {1, 2}]),
        (4, [(0, 3)], [{0, 1, 2}, {1, 2, 3}]),
        # Piepho's example of a pair within: letters by runs would have no letter for 0 and 3.
        (4, [(0, 1), (0, 2)], [{0, 3}, {1, 2, 3}]),
    ],
)
def test_groups_are_those_of_insert_and_absorb(n_models, apart, expected):
    """Each is as large as it can be, in the order of its first member, and none lies within another."""
    assert groups(apart_table(n_models, apart)) == [tuple(sorted(group)) for group in expected]


def apart_table(n_models: int, apart) -> np.ndarray:
    table = np.zeros((n_models, n_models), bool)
    for a, b in apart:
        table[[a, b], [b, a]] = True
    return table


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_two_models_share_a_group_if_and_only_if_they_are_not_told_apart(case):
    """Whatever pairs are apart; and no group lies within another."""
    n_models, pairs = case
    table = apart_table(n_models, [pair for pair in pairs if pair[0] != pair[1]])
    sets = [set(group) for group in groups(table)]
    shared = np.array([[any({a, b} <= group for group in sets) for b in range(n_models)] for a in range(n_models)])
    np.testing.assert_array_equal(shared, ~table)
    assert not any(a < b for a in sets for b in sets)


def nested(*, n_articles: int, seed: int, n_simulations: int) -> list[QueryValues]:
    """Articles of 5 paragraphs of 5 questions, each with an effect; a measure a simulation, all of mean 0."""
    rng = np.random.default_rng(seed)
    shape = (n_simulations, n_articles, 5, 5)
    effects = rng.standard_normal(shape[:2])[..., None, None] + rng.standard_normal(shape[:3])[..., None]
    value = (effects + 1.5 * rng.standard_normal(shape)).reshape(n_simulations, -1)
    query = tuple(f"a:{i}" for i in range(n_articles * 25))
    cluster = tuple(f"article {i // 25}" for i in range(n_articles * 25))
    return [QueryValues(Setting("a", "a"), query, {str(s): value[s] for s in range(n_simulations)}, cluster)]


def test_an_interval_by_article_covers_nested_data_and_one_by_question_does_not():
    """Of 48 articles, 95 % intervals have the true mean in them in .91 to .97 of all samples; by question, in < .75."""
    per_query = nested(n_articles=48, n_simulations=400, seed=5)
    assert 0.91 <= covered(intervals(per_query, resamples=600)["mono"]) <= 0.97
    by_question = [replace(per_query[0], cluster=())]
    assert covered(intervals(by_question, resamples=200)["mono"]) < 0.75


def test_intervals_of_few_clusters_are_too_narrow():
    """Of 10 articles, nominal 95 % cover .81 to .91: why fewer than 30 are never shown without a word."""
    assert 0.81 <= covered(intervals(nested(n_articles=10, n_simulations=400, seed=6), resamples=600)["mono"]) <= 0.91


def test_the_test_by_article_rejects_as_often_as_it_says_and_one_by_question_far_more_often():
    """Of nested samples without a difference, about 5 % are rejected at .05 by article, and over 20 % by question."""
    values = Values.of(nested(n_articles=48, n_simulations=400, seed=7))
    parts = contributions(values.value, np.eye(len(values.columns)))
    by_article = p_values(by_cluster(parts, values.cluster), draws=999)
    assert 0.025 <= (by_article <= 0.05).mean() <= 0.08
    assert (p_values(parts, draws=999) <= 0.05).mean() > 0.2


def test_a_mean_over_one_cluster_has_no_interval():
    """Nothing is known of how clusters differ; other settings keep theirs."""
    value = {"AP": np.linspace(0, 1, 6)}
    one = QueryValues(Setting.of("b>b"), tuple(f"b:{i}" for i in range(6)), value, ("x",) * 6)
    two = QueryValues(Setting.of("a>a"), tuple(f"a:{i}" for i in range(6, 12)), value, ("y",) * 3 + ("z",) * 3)
    found = intervals([one, two])
    assert found[Setting.of("b>b")] == {}
    assert set(found[Setting.of("a>a")]) == set(found["mono"]) == {"AP"}


def test_clusters_of_one_question_each_are_questions():
    """Naming each question's cluster by itself changes no interval, to the last digit."""
    named = [replace(s, cluster=tuple(q.partition(":")[2] for q in s.query)) for s in ragged()]
    assert intervals(named) == intervals(ragged())


def test_columns_resampled_in_parts_have_the_intervals_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither how many columns nor how many resamples are in memory at a time changes an interval."""
    per_query = ragged()
    at_once = intervals(per_query)
    monkeypatch.setattr(bootstrap, "_CELLS", 50)
    bootstrap.draw.cache_clear()
    in_parts = intervals(per_query)
    bootstrap.draw.cache_clear()
    assert list(in_parts) == list(at_once)
    for name, by_measure in at_once.items():
        assert list(in_parts[name]) == list(by_measure)
        for measure, ends in by_measure.items():
            assert in_parts[name][measure] == pytest.approx(ends, abs=2e-6)


def test_clusters_are_drawn_as_by_one_call_of_numpy() -> None:
    """Each resample has as many draws of each cluster as numpy's generator gives with that seed."""
    drawn = np.random.default_rng(3).integers(0, 7, size=(40, 7))
    expected = [np.bincount(row, minlength=7).tolist() for row in drawn]
    assert bootstrap.draw(7, resamples=40, seed=3).tolist() == expected
