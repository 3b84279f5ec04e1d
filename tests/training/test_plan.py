"""Tests of batch plans."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.errors import TrainingError
from xlbench.training.plan import Batches, Plan, allocated, usable
from xlbench.training.presence import Presence
from xlbench.training.recipes import KINDS, Recipe, Stage, load

LANGUAGES = ("de", "en", "fr", "th")
RECIPES = ("hybrid", "x-x-mono", "x-y", "x-x", "en-en", "sequential")


def complete(n: int, languages: tuple[str, ...] = LANGUAGES) -> Presence:
    """So many rows that have all languages."""
    return Presence(languages, np.ones((n, len(languages)), bool), np.ones((n, len(languages)), bool))


def ragged(n: int, seed: int = 0, share: float = 0.6) -> Presence:
    """So many rows that lack some queries and some passages."""
    rng = np.random.default_rng(seed)
    return Presence(LANGUAGES, *(rng.random((n, len(LANGUAGES))) < share for _ in range(2)))


def plan(presence: Presence, recipe: str = "hybrid", *, size: int = 10, steps: int = 10_000, **fields) -> Plan:
    """A plan with a recipe of xlbench's."""
    return Plan(presence, load(recipe), size, steps, **fields)


def same(a: Batches, b: Batches) -> bool:
    """Whether all arrays of two are equal."""
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("kind", "rows", "query", "passage"))


# python -c "from tests.training.test_plan import digest; print(digest())", before arrays were made smaller
GOLDEN = "3451ae71a91154328b360b56cd80e7d1c2977d9da81dd9a2a2b054bf9913c2d6"


def digest() -> str:
    """The sha256 of the batches of plans of several recipes, with and without uses and sources."""
    made = hashlib.sha256()
    for recipe in RECIPES:
        for n, uses, source in (
            (5_000, None, None),
            (3_000, np.random.default_rng(0).random(3_000) * 3, None),
            (4_000, None, np.repeat([0, 1], 2_000).astype(np.int32)),
        ):
            presence = ragged(n, seed=1, share=0.7)
            whole = plan(presence, recipe, size=16, steps=500, seed=3, temperature=2.0, uses=uses, source=source)
            for batches in whole.batches():
                for name in ("kind", "rows", "query", "passage"):
                    array = getattr(batches, name)
                    made.update(str(array.dtype).encode() + np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


def test_the_bytes_of_a_plan_stay_what_they_were():
    """Kinds, rows and languages of the batches are those of earlier versions, dtypes too."""
    assert digest() == GOLDEN


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_row_of_complete_data_is_used_once_an_epoch(recipe):
    """With rows that have all languages, an epoch uses each row once."""
    batches = plan(complete(120), recipe, steps=12).epoch(0)
    assert sorted(batches.rows.ravel().tolist()) == list(range(120))


@given(
    recipe=st.sampled_from(RECIPES),
    seed=st.integers(0, 1_000),
    share=st.floats(0.2, 1),
    size=st.integers(1, 12),
    n=st.integers(40, 150),
    temperature=st.sampled_from([1.0, 2.0, np.inf]),
)
def test_kinds_and_languages_have_their_shares_whatever_rows_lack(recipe, seed, share, size, n, temperature):
    """In ragged data kinds have the recipe's shares, and languages, or pairs of them, those of the temperature.

    The numbers are right to within one: batches by kind, batches by language of mono ones, and places of the other
    kinds by languages of query and passage. All texts are there, and each batch is full.
    """
    presence = ragged(n, seed, share)
    made = plan(presence, recipe, size=size, seed=seed, steps=60, temperature=temperature)
    try:
        made.check()
    except TrainingError:
        return
    epochs = list(made.batches())
    kind, rows, query, passage = (
        np.concatenate([getattr(epoch, name) for epoch in epochs]) for name in ("kind", "rows", "query", "passage")
    )
    assert rows.shape == (60, size)
    assert presence.queries[rows, query].all()
    assert presence.passages[rows, passage].all()
    start = 0
    for stage in made.recipe.stages:
        here = slice(start, stage.end(60))
        start = here.stop
        for code, name in enumerate(KINDS):
            chosen = np.flatnonzero(kind[here] == code) + here.start
            assert abs(len(chosen) - stage.batches.get(name, 0) * (here.stop - here.start)) < 1
            if not len(chosen):
                continue
            counts = np.zeros((4, 4))
            np.add.at(counts, (query[chosen].ravel(), passage[chosen].ravel()), 1)
            expected = expected_shares(presence.only(stage.languages), name, size, temperature) * len(chosen)
            if name == "mono":
                assert np.abs(counts / size - expected).max() < 1
            else:  # Each epoch rounds by itself.
                assert np.abs(counts - expected * size).max() < len(epochs)


@given(
    recipe=st.sampled_from(RECIPES),
    seed=st.integers(0, 1_000),
    weights=st.sampled_from([None, (1.0, 1.0, 1.0), (2.0, 0.5, 1.0)]),
)
def test_each_batch_can_be_of_one_source_by_weight_and_size(recipe, seed, weights):
    """No batch mixes sources; of each kind, each has batches by weight times usable rows; all texts are there."""
    presence, source = ragged(300, seed, 0.7), np.repeat([0, 1, 2], [50, 100, 150])
    uses = None if weights is None else np.array(weights)[source]
    made = plan(presence, recipe, size=8, seed=seed, steps=90, uses=uses, source=source)
    made.check()
    epochs = list(made.batches())
    kind, rows, query, passage = (
        np.concatenate([getattr(epoch, name) for epoch in epochs]) for name in ("kind", "rows", "query", "passage")
    )
    assert presence.queries[rows, query].all()
    assert presence.passages[rows, passage].all()
    assert (source[rows] == source[rows[:, :1]]).all()
    assert np.array_equal(source[rows[:, 0]], made.schedule.source)
    start = 0
    for number, stage in enumerate(made.recipe.stages):
        here = slice(start, stage.end(90))
        start = here.stop
        for code, name in enumerate(KINDS):
            of = source[rows[here][kind[here] == code, 0]]
            if not len(of):
                continue
            having = presence.only(made.recipe.stages[number].languages).having(name).any(axis=1)
            shares = np.bincount(source, (1.0 if uses is None else uses) * having, minlength=3)
            assert np.abs(np.bincount(of, minlength=3) - shares / shares.sum() * len(of)).max() < 1


def test_a_source_that_fills_no_batch_has_none_and_is_named():
    """With five rows and batches of ten it has no share, and the rest is as if it were not there."""
    source = np.repeat([0, 1], [5, 100])
    made = plan(complete(105), size=10, steps=20, source=source)
    assert made.unused_sources() == [0]
    assert set(made.schedule.source.tolist()) == {1}
    with pytest.raises(TrainingError, match="No language has more than 5 rows"):
        plan(complete(5), size=10, steps=20, source=source[:5]).check()


def expected_shares(presence: Presence, kind: str, size: int, temperature: float) -> np.ndarray:
    """``[4, 4]``: the number of rows of each pair of languages that the kind allows, to the power 1 / temperature."""
    counts = np.zeros((4, 4))
    for a in range(4):
        for b in range(4):
            n = int((presence.queries[:, a] & presence.passages[:, b]).sum())
            if (a == b) != (kind == "cross") and n >= (size if kind == "mono" else 1):
                counts[a, b] = n ** (1 / temperature)
    return counts / counts.sum()


@given(seed=st.integers(0, 1_000), size=st.integers(2, 12), recipe=st.sampled_from(RECIPES))
def test_a_row_is_in_a_batch_once_if_its_languages_have_enough_rows(seed, size, recipe):
    """No row is in a batch twice where each pair of languages has as many rows as a batch."""
    presence = ragged(200, seed, 0.7)
    for epoch in plan(presence, recipe, size=size, seed=seed, steps=50).batches():
        for rows in epoch.rows:
            assert len(np.unique(rows)) == size


def test_mono_batches_do_not_eat_the_rows_of_cross_batches():
    """2,000 parallel rows among 7,850 English ones: each quarter of an epoch has as many mono as cross batches."""
    presence = complete(9_850, ("de", "en"))
    presence.queries[2_000:, 0] = presence.passages[2_000:, 0] = False
    made = plan(presence, size=48, steps=820)
    assert made.epoch_steps == 205
    asked = np.zeros(2)
    for epoch in made.batches():
        quarters = np.array_split(epoch.kind == KINDS.index("cross"), 4)
        assert max(abs(quarter.mean() - 0.5) for quarter in quarters) < 4 * 0.5 / np.sqrt(51)
        asked += np.bincount(epoch.query.ravel())
    assert np.abs(asked - 820 * 24).max() <= 48


def test_rows_that_run_out_are_all_used_again_before_any_is_used_a_third_time():
    """The rows of a rare language are shuffled and dealt anew: their numbers of uses differ by few."""
    presence = complete(2_000, ("de", "en"))
    presence.queries[100:, 0] = False
    batches = plan(presence, "x-x-mono", size=10, steps=200).epoch(0)
    rare = batches.rows[batches.query[:, 0] == 0].ravel()
    uses = np.bincount(rare, minlength=100)
    assert rare.max() < 100
    assert uses.max() - uses.min() <= 2
    passes = rare[-200:].reshape(2, 100)
    assert not np.array_equal(*passes)


def test_a_pair_of_languages_with_fewer_rows_than_its_places_repeats_them():
    """Three rows with Thai fill their half of each batch, since languages come before rows."""
    presence = complete(40, ("de", "en", "th"))
    presence.queries[3:, 2] = presence.passages[3:, 2] = False
    batches = plan(presence, "x-y", size=18, steps=8)
    for epoch in batches.batches():
        counts = np.bincount(epoch.query.ravel(), minlength=3)
        assert counts.max() - counts.min() <= 4


@pytest.mark.parametrize("alpha", [0, 0.25, 0.5, 1])
def test_alpha_is_the_share_of_monolingual_batches(alpha):
    """Of 4,000 batches the share of mono is alpha, in each part of the run too, within four standard errors."""
    made = Plan(complete(8_000), load("hybrid").with_alpha(alpha), 2, 4_000)
    mono = made.schedule.kind == KINDS.index("mono")
    assert mono.sum() == 4_000 * alpha
    for part in np.split(mono, 10):
        assert abs(part.mean() - alpha) <= 4 * np.sqrt(alpha * (1 - alpha) / len(part))


@given(
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=8).filter(lambda shares: sum(shares) > 0.01),
    n=st.integers(0, 500),
    seed=st.integers(0, 100),
)
def test_places_are_allocated_by_shares(shares, n, seed):
    """Each index has its share of the places to within one, and none with a share of zero has any."""
    counts = np.bincount(allocated(np.random.default_rng(seed), np.array(shares), n), minlength=len(shares))
    expected = np.array(shares) / sum(shares) * n
    assert counts.sum() == n
    assert np.abs(counts - expected).max() < 1 + 1e-6
    assert not counts[np.array(shares) == 0].any()


def test_a_place_has_each_index_with_the_probability_of_its_share():
    """Allocation favours no place: over 4,000 draws the first of three has each index as often as its share says."""
    shares = np.array([0.5, 0.2, 0.3])
    first = [allocated(np.random.default_rng(seed), shares, 3)[0] for seed in range(4_000)]
    np.testing.assert_allclose(np.bincount(first) / 4_000, shares, atol=4 * 0.5 / np.sqrt(4_000))


def test_a_cross_lingual_batch_has_many_pairs_of_languages():
    """X-Y mixes pairs of languages in a batch."""
    batches = plan(complete(24_000), "x-y", size=24).epoch(0)
    pairs = batches.query * 4 + batches.passage
    assert min(len(set(batch.tolist())) for batch in pairs) > 4


def test_a_plan_is_the_same_each_time_and_another_for_another_seed_or_epoch():
    """Seed and epoch alone decide what is drawn."""
    first = plan(ragged(300), seed=3).epoch(1)
    assert same(first, plan(ragged(300), seed=3).epoch(1))
    assert not same(first, plan(ragged(300), seed=4).epoch(1))
    assert not np.array_equal(first.rows[:5], plan(ragged(300), seed=3).epoch(2).rows[:5])


def test_an_epoch_is_as_many_steps_as_its_rows_fill_and_the_last_is_cut_off():
    """300 rows in batches of 7 are 42 steps, of which the third epoch of 100 has 16."""
    made = plan(complete(300), size=7, steps=100)
    assert [len(batches) for batches in made.batches()] == [42, 42, 16]


def test_rows_that_the_recipe_cannot_use_do_not_count_in_an_epoch():
    """10 of 1,000 rows have Thai: monolingual Thai batches are one epoch of one step."""
    presence = complete(1_000, ("de", "th"))
    presence.queries[10:, 1] = False
    recipe = Recipe("thai", "", (Stage({"mono": 1.0}, languages=("th",)),))
    assert Plan(presence, recipe, 10, 100).epoch_steps == 1
    assert usable(presence, recipe) == 10
    assert usable(presence, recipe, np.full(1_000, 2.5)) == 25
    assert usable(presence, load("x-y")) == 1_000


@pytest.mark.parametrize(("until", "switch"), [(0.25, 10), (7, 7)])
def test_stages_follow_each_other_at_the_stated_step(until, switch):
    """The first stage ends at a share of the steps or at a step, in the middle of an epoch too."""
    recipe = Recipe("mine", "", (Stage({"mono": 1.0}, until=until), Stage({"cross": 1.0})))
    kinds = np.concatenate([batches.kind for batches in Plan(complete(60), recipe, 10, 40).batches()])
    assert kinds.tolist() == [0] * switch + [1] * (40 - switch)


def test_only_the_languages_of_a_stage_are_used():
    """en-en uses English alone."""
    batches = plan(complete(100), "en-en").epoch(0)
    assert set(batches.query.ravel().tolist()) == {LANGUAGES.index("en")}


def test_weights_say_how_often_a_row_is_used():
    """A row of weight 2 is used twice an epoch; one of weight .5 in half of the epochs; one of 0 never."""
    uses = np.repeat([2.0, 0.5, 1.0, 0.0], 400)
    counts = np.zeros(1600)
    made = plan(complete(1600), uses=uses)
    assert made.epoch_steps == 140
    for epoch in range(20):
        counts += np.bincount(made.epoch(epoch).rows.ravel(), minlength=1600)
    assert counts[:400].sum() == pytest.approx(16_000, rel=0.02)
    assert counts[400:800].sum() == pytest.approx(4_000, rel=0.05)
    assert counts[800:1200].sum() == pytest.approx(8_000, rel=0.02)
    assert counts[1200:].sum() == 0


@pytest.mark.parametrize(
    ("presence", "recipe", "size", "said"),
    [
        (complete(5), "x-x-mono", 10, "more than 5 rows .* smaller --batch-size"),
        (complete(50, ("en",)), "x-y", 10, "0 rows have query and passage in two different .* another --recipe"),
        (complete(50, ("en",)), "hybrid", 10, "0 rows have query and passage in two different languages"),
        (complete(50, ("de", "fr")), "en-en", 10, "No language has more than 0 rows"),
        (complete(5), "x-x", 10, "5 rows have query and passage in the same language"),
    ],
)
def test_data_that_cannot_fill_a_batch_are_refused(presence, recipe, size, said):
    """What the recipe asks for and the data lack is said before anything is trained."""
    with pytest.raises(TrainingError, match=said):
        plan(presence, recipe, size=size).check()


def test_a_language_with_one_row_is_left_out_of_monolingual_batches():
    """A language that cannot fill a batch is never drawn for one, and its row is used in another language."""
    presence = complete(100)
    presence.queries[1:, 3] = False
    made = plan(presence, "x-x-mono")
    batches = made.epoch(0)
    assert made.left_out() == ("th",)
    assert set(batches.query.ravel().tolist()) == {0, 1, 2}
    assert sorted(batches.rows.ravel().tolist()) == list(range(100))


def test_a_row_whose_only_query_and_passage_are_in_one_language_is_never_in_a_cross_batch():
    """Such a row has no pair of languages, though both roles are there."""
    presence = complete(60)
    presence.queries[:30, 1:] = presence.passages[:30, 1:] = False
    assert plan(presence, "x-y").epoch(0).rows.min() >= 30
