"""Tests of comparing results: verdicts, trade-offs, orders of models, and what cannot be compared."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from xlbench.comparison import compare, compare_alike
from xlbench.errors import ResultError, UnknownNameError
from xlbench.measures.values import QueryValues, summarise
from xlbench.results import SCHEMA, Result
from xlbench.settings import Setting, settings
from xlbench.statistics import holm, intervals

LANGUAGES = ("de", "en", "th")
N = 60
NAMES = [str(setting) for setting in settings(["mono", "cross", "multi"], LANGUAGES)]


def result(name: str = "base", *, shift: dict[str, float] | None = None, seed: int = 0, **changes: object) -> Result:
    """A result of three languages with questions of their own difficulty.

    ``shift`` is what the model adds to AP, by kind, language of the query or setting; ``distance`` to RankDistance.
    """
    shift = shift or {}
    difficulty = np.random.default_rng(99).random(N) / 2
    rng = np.random.default_rng(seed)
    per_query = []
    for name_ in NAMES:
        setting = Setting.of(name_)
        kind, language = setting.kind, setting.query
        # Thai has fewer questions: settings are ragged.
        n = N - 10 if "th" in name_ else N
        noise = 0.02 * rng.standard_normal(n)
        change = shift.get(kind, 0) + shift.get(language, 0) + shift.get(name_, 0)
        values = {"AP": difficulty[:n] + 0.2 + noise + change, "R@1": rng.integers(0, 2, n).astype(float)}
        if kind == "multi":
            values["RankDistance"] = 100 + 20 * difficulty[:n] + rng.random(n) + shift.get("distance", 0)
            values["OneTargetBias"] = (np.arange(n) / n < shift.get("lpr", 0.5)).astype(float)
        per_query.append(QueryValues(setting, tuple(f"{language}:{i}" for i in range(n)), values))
    scores = {s.setting: s.means() for s in per_query}
    return replace(
        Result(
            schema=SCHEMA,
            task="tiny",
            task_version=2,
            headline="AP",
            missing_languages=[],
            unit="question",
            n_clusters=40,
            data={"queries": "1", "passages": "2", "judgements": "3"},
            model={"name": name, "revision": "1", "adapter": "hash", "arguments": {}},
            values=scores,
            queries={s.setting: len(s.query) for s in per_query},
            summary=summarise(scores),
            intervals={},
            references={"OneTargetBias": {"perfect": 1 / 3, "random": 1 / 3}},
            matrices={},
            alignment={},
            environment={},
            timing={},
            per_query=tuple(per_query),
        ),
        **changes,
    )


def of_settings(found: Result, *names: str) -> Result:
    """The result with some of its settings only."""
    chosen = [Setting.of(name) for name in names]
    scores = {setting: found.values[setting] for setting in chosen}
    kept = tuple(s for s in found.per_query if s.setting in chosen)
    queries = {setting: found.queries[setting] for setting in chosen}
    return replace(found, values=scores, queries=queries, summary=summarise(scores), per_query=kept)


def verdicts(comparison, **wanted):
    """The verdicts by kind and name of the quantity."""
    chosen = (d for d in comparison.differences if all(getattr(d.quantity, k) == v for k, v in wanted.items()))
    return {(d.quantity.kind, d.quantity.name): d.verdict for d in chosen}


def test_every_kind_has_a_difference_a_language_and_one_for_their_mean():
    """The headline is compared; the values are those of the results, the differences those of the means."""
    base, other = result(), result("other", shift={"mono": -0.1}, seed=1)
    found = compare(base, other)
    assert [(d.quantity.kind, d.quantity.name) for d in found.differences] == [
        (kind, name) for kind in ("mono", "cross", "multi") for name in (*LANGUAGES, "mean")
    ]
    for d in found.differences:
        assert d.quantity.measure == "AP"
        if d.quantity.name == "mean":
            assert d.baseline == pytest.approx(base.summary[d.quantity.kind]["AP"])
            assert d.value == pytest.approx(other.summary[d.quantity.kind]["AP"])
        expected = np.mean([base.values[setting]["AP"] for setting in d.quantity.settings])
        assert d.baseline == pytest.approx(expected)
        assert d.difference == d.value - d.baseline
        assert d.interval[0] < d.difference < d.interval[1]
        assert d.n_questions == (N - 10 if d.quantity.name == "th" else N)
    cross = next(d.quantity for d in found.differences if (d.quantity.kind, d.quantity.name) == ("cross", "en"))
    assert cross.settings == (Setting("en", "de"), Setting("en", "th"))


def test_what_was_changed_is_found_and_nothing_else():
    """A model that loses in mono and gains for one language of the pool is worse and better just there."""
    other = result("other", shift={"mono": -0.1, "en>*": 0.1}, seed=1)
    found = verdicts(compare(result(), other))
    expected = dict.fromkeys(found, "cannot be told apart")
    expected |= {("mono", name): "worse" for name in (*LANGUAGES, "mean")}
    expected |= {("multi", name): "better" for name in ("en", "mean")}
    assert found == expected


def test_p_values_are_corrected_over_all_differences_that_are_tested():
    """Holm's method over languages, kinds, measures and the distances of the trade-offs, together."""
    other = result("b", shift={"de": 0.01}, seed=1)
    found = compare(result(), other, measures=["AP", "R@1", "RankDistance"])
    assert found.n_tests == len(found.differences) == 12 + 12 + 4
    adjusted = holm(np.array([d.p for d in found.differences]))
    np.testing.assert_array_equal([d.p_adjusted for d in found.differences], adjusted)
    # RankDistance is tested for the trade-offs although it was not asked for.
    assert compare(result(), other).n_tests == 12 + 4


def test_the_pairs_that_letters_are_given_by_are_of_the_same_family():
    """With three models, the two others are tested against each other in three means and RankDistance's, too."""
    others = [result("b", shift={"de": 0.01}, seed=1), result("c", seed=2)]
    found = compare(result(), *others)
    assert found.n_tests == 2 * (12 + 4) + 3
    worst = max(d.p_adjusted for d in found.differences if d.p == min(e.p for e in found.differences))
    assert worst == pytest.approx(min(1, min(d.p for d in found.differences) * found.n_tests), rel=0.5)


def by_article(found: Result, n_articles: int) -> Result:
    """The result with the same questions on so many articles."""
    per_query = tuple(
        replace(s, cluster=tuple(f"article {int(q.partition(':')[2]) % n_articles}" for q in s.query))
        for s in found.per_query
    )
    return replace(found, per_query=per_query, unit="article", n_clusters=n_articles)


def test_the_unit_is_the_cluster():
    """By 8 articles the exact test has 2 ** 8 swaps, so that no p-value is below 2 / 256; the comparison says so."""
    base, other = by_article(result(), 8), by_article(result("b", shift={"mono": 0.2}, seed=1), 8)
    found = compare(base, other)
    assert (found.unit, found.n_clusters) == ("article", 8)
    assert min(d.p for d in found.differences) == 2 / 256
    assert min(d.p for d in compare(result(), result("b", shift={"mono": 0.2}, seed=1)).differences) < 1e-3


def test_queries_of_one_cluster_are_refused():
    """Nothing can be said of a difference's certainty then; the error names the unit."""
    with pytest.raises(ResultError, match=r"belong to one article.*expected two or more"):
        compare(by_article(result(), 1), by_article(result("b"), 1))


def test_results_of_other_data_are_refused():
    """Judgements that were changed in place make another data set, whatever the task's version."""
    changed = result("b", data={"queries": "1", "passages": "2", "judgements": "4"})
    with pytest.raises(ResultError, match=r"a\.json and b\.json have other judgements"):
        compare(result(), changed, names=["a.json", "b.json"])


def test_equivalence_is_claimed_only_where_it_is_shown():
    """A model that differs by .001 is equivalent within .02, not within .0001, and never without a bound."""
    base, other = result(), result("b", seed=0, shift={"mono": 0.001})
    verdicts = {bound: {d.verdict for d in compare(base, other, equivalent=bound).differences
                        if d.quantity.kind == "cross"} for bound in (None, 0.02)}  # fmt: skip
    assert verdicts == {None: {"cannot be told apart"}, 0.02: {"equivalent"}}
    noisy = result("c", seed=5)
    assert "equivalent" not in {d.verdict for d in compare(base, noisy, equivalent=0.0001).differences}


def test_the_means_of_the_leading_measure_are_primary():
    """All else is exploratory."""
    found = compare(result(), result("b", seed=1), measures=["AP", "R@1"])
    assert found.lead == "AP"
    assert {(d.quantity.measure, d.quantity.name) for d in found.differences if d.is_primary} == {("AP", "mean")}


def test_a_part_of_the_loss_is_higher_or_lower_and_not_better():
    """A model that finds little loses little: of a loss there is no better one."""

    def with_loss(name, value, seed):
        found = result(name, seed=seed)
        per_query = tuple(
            replace(
                s,
                values={
                    **s.values,
                    "IrrelevantLoss": value + np.arange(len(s.query)) / 1e3,
                },
            )
            if "OneTargetBias" in s.values
            else s
            for s in found.per_query
        )
        scores = {s.setting: s.means() for s in per_query}
        return replace(found, per_query=per_query, values=scores, summary=summarise(scores))

    def of(value):
        return verdicts(compare(with_loss("a", 0.5, 0), with_loss("b", value, 1), measures=["IrrelevantLoss"]))

    assert of(0.4)["multi", "mean"] == "lower"
    assert of(0.6)["multi", "mean"] == "higher"
    assert of(0.5)["multi", "mean"] == "cannot be told apart"


def test_a_p_value_that_no_draw_reached_is_a_bound():
    """The adjusted p-value of a difference without a draw as extreme is an upper bound, that of others is not."""
    found = compare(result(), result("other", shift={"mono": 0.5}, seed=1))
    for d in found.differences:
        assert d.p_is_bound == (d.quantity.kind == "mono")
        assert d.p_is_bound == (d.p == 1 / (1 + found.draws))
    # Three questions have eight swaps, all of which are taken.
    few = [of_settings(r, "de>de") for r in (result(), result("other", shift={"mono": 0.5}, seed=1))]
    few = [
        replace(r, per_query=tuple(QueryValues(s.setting, s.query[:3], {m: v[:3] for m, v in s.values.items()})
                                   for s in r.per_query))
        for r in few
    ]  # fmt: skip
    (exact,) = compare(few[0], *few[1:]).differences
    assert (exact.p, exact.p_is_bound) == (2 / 8, False)


def test_those_that_can_be_compared_are():
    """Of many results, those unlike the first are left out with the reason, and the others have verdicts."""
    partial = result("partial", missing_languages=["zh"])
    unlike = result("unlike", task_version=3)
    bare = result("bare", per_query=())
    other = result("other", shift={"mono": 0.1}, seed=1)
    results = [result(), partial, unlike, other, bare]
    found = compare_alike(results, ["base", "part", "new", "other", "json"], measures=["AP", "nDCG"])
    assert [reason.partition(":")[0] for reason in found.reasons] == [
        "base has all languages of the task, part is partial, without zh",
        "base is of tiny version 2, new of tiny version 3",
        "json has no scores of single queries; expected them in a parquet file beside the JSON.",
    ]
    assert found.comparison == compare_alike([results[0], other], ["base", "other"], measures=["AP"]).comparison
    assert found.verdict(("other", "mono", "AP", "mean")) == "better"
    assert found.verdict(("part", "mono", "AP", "mean")) == ""
    nothing = compare_alike(results[:3], ["base", "part", "new"], measures=["AP"])
    assert (nothing.comparison, nothing.differences, len(nothing.reasons)) == (None, {}, 2)
    of_mono = of_settings(result("mono"), *NAMES[:3])
    left = compare_alike([result(), other, of_mono], ["a", "b", "c"], measures=["AP"])
    assert left.reasons == ("Not all results have cross and multi settings.",)
    assert left.letters["b", "mono", "AP", "mean"] == "a"


@pytest.mark.parametrize(
    ("measure", "shift", "verdict"),
    [
        ("AP", {"multi": 0.1}, "better"),
        ("AP", {"multi": -0.1}, "worse"),
        ("RankDistance", {"distance": 5}, "worse"),
        ("RankDistance", {"distance": -5}, "better"),
        # The baseline's bias is .5, the perfect one 1/3.
        ("OneTargetBias", {"lpr": 0.35}, "better"),
        ("OneTargetBias", {"lpr": 0.9}, "worse"),
        # As far from it on the other side: another value, but neither better nor worse.
        ("OneTargetBias", {"lpr": 0.17}, "cannot be told apart"),
    ],
)
def test_the_direction_of_a_verdict_is_the_measures(measure, shift, verdict):
    """Higher is better in retrieval, lower for distances, nearer to the perfect value for preferences."""
    base = result(shift={"lpr": 0.5})
    found = compare(base, result("other", shift=shift, seed=1), measures=[measure], settings=["multi"])
    assert verdicts(found, measure=measure)["multi", "mean"] == verdict
    assert found.perfect == ({"OneTargetBias": 1 / 3} if measure == "OneTargetBias" else {})


def test_the_test_of_a_distance_from_the_perfect_value_is_that_by_enumeration():
    """All swaps of nine questions are taken; the statistic is how much the distances from the perfect value differ."""
    rng = np.random.default_rng(4)
    a, b = rng.random(9), rng.random(9) * 0.4
    perfect = 0.4

    def of(name, values):
        query = tuple(f"de:{i}" for i in range(9))
        per_query = (QueryValues(Setting.of("de>*"), query, {"AP": values, "OneTargetBias": values}),)
        scores = {Setting.of("de>*"): per_query[0].means()}
        return replace(
            result(name),
            values=scores,
            queries={Setting.of("de>*"): 9},
            summary=summarise(scores),
            per_query=per_query,
            references={"OneTargetBias": {"perfect": perfect, "random": 0}},
        )

    def statistic(x, y):
        return abs(abs(y.mean() - perfect) - abs(x.mean() - perfect))

    assert (a.mean() - perfect) * (b.mean() - perfect) < 0
    swaps = [np.array(swap) for swap in itertools.product([False, True], repeat=9)]
    hits = [statistic(np.where(s, b, a), np.where(s, a, b)) >= statistic(a, b) - 1e-12 for s in swaps]
    (found,) = compare(of("a", a), of("b", b), measures=["OneTargetBias"]).differences
    assert found.p == np.mean(hits)


def test_an_interval_is_that_of_the_results_where_the_baseline_is_all_zero():
    """The difference to nothing is the value itself, and its interval that which ``intervals`` gives."""
    other = result("other")
    zero = replace(
        other,
        model={**other.model, "name": "zero"},
        per_query=tuple(replace(s, values={m: v * 0 for m, v in s.values.items()}) for s in other.per_query),
    )
    expected = intervals(other.per_query)
    for d in compare(zero, other, measures=["AP", "RankDistance"]).differences:
        name = d.quantity.kind if d.quantity.name == "mean" else d.quantity.settings[0]
        if d.quantity.kind != "cross" or d.quantity.name == "mean":
            np.testing.assert_allclose(d.interval, expected[name][d.quantity.measure], atol=1e-6)


def test_alpha_is_the_level_of_intervals_and_verdicts():
    """A smaller alpha widens the intervals and leaves fewer models apart."""
    other = result("other", shift={"de": 0.008, "mono": 0.1}, seed=1)
    loose, strict = (compare(result(), other, alpha=alpha) for alpha in (0.2, 0.001))
    for a, b in zip(loose.differences, strict.differences, strict=True):
        assert b.interval[0] < a.interval[0] < a.interval[1] < b.interval[1]
        assert (a.verdict == "cannot be told apart") == (a.p_adjusted > 0.2)
        assert (b.verdict == "cannot be told apart") == (b.p_adjusted > 0.001)
    # There are as many draws as it takes for a difference to pass so strict a test.
    assert strict.draws == 100_000
    assert loose.draws == 10_000  # 50 * 16 tests / .2 is less.
    assert verdicts(strict)["mono", "mean"] == "better"


def test_settings_are_kinds_or_names():
    """Named settings are compared by themselves; without mono and multi in whole there is nothing to trade off."""
    base, others = result(), [result("b", seed=1), result("c", seed=2)]
    found = compare(base, *others[:1], settings=["cross", "de>en", "de>*"])
    assert [(d.quantity.kind, d.quantity.name) for d in found.differences] == [
        *[("cross", name) for name in (*LANGUAGES, "mean")], ("cross", "de>en"), ("multi", "de>*"),
    ]  # fmt: skip
    assert found.tradeoffs == found.standings == ()
    only = compare(base, *others, settings=["th>*"])
    assert [d.quantity.settings for d in only.differences] == [(Setting.of("th>*"),)] * 2
    assert only.orders == ()


def test_queries_of_some_languages_are_compared_in_the_pools_that_they_have():
    """Means are over these languages, each value is that of the whole comparison, and fewer differences are tested."""
    base, other = result(), result("other", shift={"th": 0.1}, seed=1)
    whole, found = compare(base, other), compare(base, other, languages=["th", "de"])
    assert {d.quantity.name for d in found.differences} == {"de", "th", "mean"}
    assert found.n_tests < whole.n_tests
    value = {(d.quantity.kind, d.quantity.name): (d.baseline, d.value) for d in found.differences}
    for d in whole.differences:
        if d.quantity.name in ("de", "th"):
            assert value[d.quantity.kind, d.quantity.name] == (d.baseline, d.value)
    for kind in ("mono", "cross", "multi"):
        of_language = [value[kind, name] for name in ("de", "th")]
        assert value[kind, "mean"] == pytest.approx(tuple(np.mean(of_language, axis=0)))
    cross = next(d.quantity for d in found.differences if (d.quantity.kind, d.quantity.name) == ("cross", "th"))
    assert cross.settings == (Setting("th", "de"), Setting("th", "en"))
    assert verdicts(compare(base, other, languages=["th"]), kind="mono") == {("mono", "mean"): "better"}


def test_a_language_without_queries_is_refused():
    """A language that no setting asks in is unknown."""
    with pytest.raises(UnknownNameError, match="'fr'"):
        compare(result(), result("other"), languages=["fr"])


def test_a_kind_that_not_all_results_have_is_left_out():
    """It is named, and asking for it is an error."""
    mono = of_settings(result("mono"), *NAMES[:3])
    found = compare(result(), mono)
    assert {d.quantity.kind for d in found.differences} == {"mono"}
    assert found.left_out == ("cross", "multi")
    with pytest.raises(UnknownNameError, match="Not all of these results have it"):
        compare(result(), mono, settings=["multi"])
    with pytest.raises(ResultError, match="a, b have no kind of setting in common"):
        compare(mono, of_settings(result(), "de>*", "en>*"), names=["a", "b"])


def test_the_tradeoffs_set_mono_beside_multi_and_rank_distance():
    """For each model and language, and in the mean: what is lost alone and what is gained in the pool."""
    found = compare(result(), result("b", shift={"mono": -0.1, "multi": 0.1, "distance": -5}, seed=1))
    assert [t.name for t in found.tradeoffs] == [*LANGUAGES, "mean"]
    for t in found.tradeoffs:
        assert (t.mono.quantity.kind, t.multi.quantity.kind, t.distance.quantity.kind) == ("mono", "multi", "multi")
        assert {t.mono.quantity.name, t.multi.quantity.name, t.distance.quantity.name} == {t.name}
        assert (t.mono.verdict, t.multi.verdict, t.distance.verdict) == ("worse", "better", "better")
    no_distance = [
        replace(r, per_query=tuple(replace(s, values={"AP": s.values["AP"]}) for s in r.per_query),
                values={name: {"AP": values["AP"]} for name, values in r.values.items()})
        for r in (result(), result("b", seed=1))
    ]  # fmt: skip
    no_distance = [replace(r, summary=summarise(r.values)) for r in no_distance]
    assert {t.distance for t in compare(no_distance[0], *no_distance[1:]).tradeoffs} == {None}


def test_a_model_is_dominated_by_those_that_are_nowhere_worse():
    """Over mono and multi AP and RankDistance; a model that is best in one of them is not dominated."""
    base = result("base")
    found = compare(
        base,
        result("all worse", shift={"mono": -0.1, "multi": -0.1, "distance": 9}),
        result("best in multi", shift={"mono": -0.2, "multi": 0.1, "distance": 9}),
        result("nearest", shift={"mono": -0.2, "multi": -0.2, "distance": -9}),
        result("same"),
    )
    assert {s.model: s.dominated_by for s in found.standings} == {
        "base": (),
        "all worse": ("base", "same"),
        "best in multi": (),
        "nearest": (),
        "same": (),
    }
    assert list(found.standings[0].values) == ["mono AP", "multi AP", "multi RankDistance"]
    assert found.standings[0].values["mono AP"] == pytest.approx(base.summary["mono"]["AP"])


def test_three_models_are_put_in_order_and_into_groups():
    """Models that cannot be told apart have a group in common; the best comes first, in each kind."""
    models = [result("low", seed=1), result("high", shift={"mono": 0.1}, seed=2), result("low too", seed=3)]
    found = {order.quantity.kind: order.ranked for order in compare(models[0], *models[1:]).orders}
    assert list(found) == ["mono", "cross", "multi"]
    assert found["mono"][0].model == "high"
    assert [ranked.groups for ranked in found["mono"]] == [(0,), (1,), (1,)]
    assert [ranked.groups for ranked in found["multi"]] == [(0,), (0,), (0,)]
    values = [ranked.value for ranked in found["multi"]]
    assert values == sorted(values, reverse=True)
    assert compare(models[0], *models[1:2]).orders == ()


def test_a_comparison_does_not_depend_on_the_order_of_what_is_stored():
    """Settings and queries in another order change nothing; nor does a second call."""
    base, other = result(), result("b", shift={"de": 0.01}, seed=1)
    turned = tuple(
        replace(s, query=s.query[::-1], values={m: v[::-1] for m, v in s.values.items()}) for s in other.per_query
    )
    found = compare(base, other)
    assert compare(base, other) == found
    assert compare(base, replace(other, per_query=turned[::-1])) == found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "huge"}, "a.json is of tiny version 2, b.json of huge version 2"),
        ({"task_version": 3}, "a.json is of tiny version 2, b.json of tiny version 3"),
        (
            {"missing_languages": ["zh"]},
            "a.json has all languages of the task, b.json is partial, without zh",
        ),
        ({"references": {}}, "a.json has no perfect value of OneTargetBias in 'references'"),
    ],
)
def test_results_of_other_tasks_or_languages_are_refused(changes, message):
    """The message names both files and what differs."""
    pair = [result(), result("b", seed=1, **changes)]
    if "references" in changes:
        pair.reverse()
    with pytest.raises(ResultError, match=message):
        compare(pair[0], *pair[1:], names=["a.json", "b.json"], measures=["OneTargetBias"])


def test_results_without_the_same_languages_are_compared():
    """Two partial results are compared if they lack the very same languages, in whatever order; it is said which."""
    found = compare(result(missing_languages=["zh", "ar"]), result("b", seed=1, missing_languages=["ar", "zh"]))
    assert found.missing_languages == ("zh", "ar")


def changed_queries(found: Result, change) -> Result:
    """The result with other queries in en>*."""
    per_query = tuple(change(s) if str(s.setting) == "en>*" else s for s in found.per_query)
    return replace(found, per_query=per_query)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: replace(s, query=("en:new", *s.query[1:])), r"'en>\*': 60 and 60, of which 2 .* such as 'en:0'"),
        (
            lambda s: QueryValues(s.setting, s.query[1:], {m: v[1:] for m, v in s.values.items()}),
            r"'en>\*': 60 and 59, of which 1 .* such as 'en:0'",
        ),
        (
            lambda s: replace(s, values={**s.values, "AP": np.where(np.arange(N) == 3, np.nan, s.values["AP"])}),
            r"AP in 'en>\*' is defined for other queries in a.json than in b.json",
        ),
    ],
    ids=["another", "fewer", "undefined"],
)
def test_results_of_other_queries_are_refused(change, message):
    """A test is paired: each query of one result must be in the other, with a value."""
    with pytest.raises(ResultError, match=message):
        compare(result(), changed_queries(result("b", seed=1), change), names=["a.json", "b.json"])


def test_a_setting_that_one_result_lacks_is_refused():
    """Means over other settings would be compared."""
    lacking = of_settings(result("b"), *[name for name in NAMES if name != "th>th"])
    for pair in ([result(), lacking], [lacking, result()]):
        with pytest.raises(ResultError, match="have other queries in 'th>th'"):
            compare(pair[0], *pair[1:], names=["a.json", "b.json"])


@pytest.mark.parametrize("measure", ["PEER@10", "P@7"])
def test_a_measure_that_no_result_has_is_refused(measure):
    """A measure that exists, but is not in the results, is no typo: the message says which they have."""
    with pytest.raises(ResultError, match=rf"None of the results has {measure}; they have AP"):
        compare(result(), result("b", seed=1), measures=[measure])


def test_a_measure_must_be_in_all_results():
    """A typo gets a suggestion; a measure that some results lack is said with the files that lack it."""
    other = result("b", seed=1)
    with pytest.raises(UnknownNameError, match=r"Unknown measure 'RankDistanse'\. Did you mean 'RankDistance'"):
        compare(result(), other, measures=["RankDistanse"])
    without = {name: {m: v for m, v in values.items() if m != "R@1"} for name, values in other.values.items()}
    with pytest.raises(ResultError, match=r"b\.json has no R@1"):
        compare(result(), replace(other, values=without), measures=["R@1"], names=["a.json", "b.json"])
    with pytest.raises(UnknownNameError, match="Unknown setting of RankDistance 'mono'"):
        compare(result(), other, measures=["RankDistance"], settings=["mono"])
    with pytest.raises(UnknownNameError, match=r"Unknown setting 'de>eng'\. Did you mean 'de>en'"):
        compare(result(), other, settings=["de>eng"])


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ([{}, {"name": "other"}], ["m", "other"]),
        ([{"arguments": {"size": 64}}, {"arguments": {}}], ["m (size=64)", "m (no arguments)"]),
        ([{"revision": "1"}, {"revision": "2"}, {"name": "x"}], ["m (revision 1)", "m (revision 2)", "x"]),
        (
            [{"revision": "1"}, {"revision": "2"}, {"revision": "2"}],
            ["m (revision 1)", "m (revision 2, 1.json)", "m (revision 2, 2.json)"],
        ),
        ([{}, {}], ["m (0.json)", "m (1.json)"]),
    ],
)
def test_models_of_one_name_have_labels_that_tell_them_apart(changes, labels):
    """The arguments or the revision if these differ, else the file."""
    identity = {"name": "m", "revision": "1", "adapter": "hash", "arguments": {}}
    models = [result(seed=i, model=identity | change) for i, change in enumerate(changes)]
    found = compare(models[0], *models[1:], names=[f"{i}.json" for i in range(len(models))])
    assert [found.baseline, *found.others] == labels
