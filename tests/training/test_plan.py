"""Tests of batch plans."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.errors import TrainingError
from xlbench.training.plan import Batches, Plan
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


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_row_of_complete_data_is_used_once_an_epoch(recipe):
    """With rows that have all languages, an epoch uses each row once."""
    found = plan(complete(120), recipe).epoch(0, first_step=0)
    assert sorted(found.rows.ravel().tolist()) == list(range(120))


@given(
    recipe=st.sampled_from(RECIPES),
    seed=st.integers(0, 1_000),
    share=st.floats(0.4, 1),
    size=st.integers(1, 12),
    n=st.integers(40, 150),
)
def test_texts_are_there_and_languages_are_as_the_kind_of_batch_says(recipe, seed, share, size, n):
    """Whatever rows lack, a batch asks only for texts that they have, in languages that its kind allows, once each."""
    presence = ragged(n, seed, share)
    try:
        found = plan(presence, recipe, size=size, seed=seed, steps=n // size).epoch(0, first_step=0)
    except TrainingError:
        return
    assert presence.queries[found.rows, found.query].all()
    assert presence.passages[found.rows, found.passage].all()
    assert len(np.unique(found.rows)) == found.rows.size
    for kind, query, passage in zip(found.kind, found.query, found.passage, strict=True):
        assert (query != passage).all() if KINDS[kind] == "cross" else (query == passage).all()
        assert KINDS[kind] != "mono" or len(set(query.tolist())) == 1


@pytest.mark.parametrize("recipe", ["hybrid", "x-x-mono", "x-y", "x-x"])
def test_an_epoch_ends_when_no_kind_of_batch_can_be_filled(recipe):
    """Of ragged data, fewer rows than a batch are left for each kind of batch that the recipe has."""
    presence, size = ragged(500), 10
    found = plan(presence, recipe, size=size).epoch(0, first_step=0)
    left = np.setdiff1d(np.arange(500), found.rows)
    both = presence.queries[left] & presence.passages[left]
    pairs = presence.queries[left][:, :, None] & presence.passages[left][:, None, :] & ~np.eye(4, dtype=bool)
    rooms = {"x-x-mono": both.sum(0).max(), "x-x": both.any(1).sum(), "x-y": pairs.any((1, 2)).sum()}
    rooms["hybrid"] = max(rooms["x-x-mono"], rooms["x-y"])
    assert rooms[recipe] < size


@pytest.mark.parametrize("alpha", [0, 0.25, 0.5, 1])
def test_alpha_is_the_share_of_monolingual_batches(alpha):
    """Over 4,000 batches the share of mono is alpha, within four standard errors."""
    recipe = load("hybrid").with_alpha(alpha)
    found = Plan(complete(8_000), recipe, 2, 10_000).epoch(0, first_step=0)
    share = (found.kind == KINDS.index("mono")).mean()
    assert abs(share - alpha) <= 4 * np.sqrt(alpha * (1 - alpha) / len(found))


def test_the_share_of_mono_stays_when_a_language_runs_out():
    """Where one language has few rows, the other languages take over its part of the monolingual batches."""
    presence = complete(4_000)
    presence.queries[20:, 1] = False
    found = plan(presence, size=2).epoch(0, first_step=0)
    assert abs((found.kind == 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(len(found))


@pytest.mark.parametrize("recipe", ["x-x-mono", "x-x", "x-y"])
def test_languages_are_drawn_alike(recipe):
    """With uniform sampling each language has an equal share of the queries and of the passages."""
    found = plan(complete(20_000), recipe, size=2).epoch(0, first_step=0)
    n = len(found) if recipe == "x-x-mono" else found.rows.size
    for languages in (found.query, found.passage):
        shares = np.bincount(languages.ravel(), minlength=4) / languages.size
        assert np.abs(shares - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / n)


def test_a_cross_lingual_batch_has_many_pairs_of_languages_and_all_are_alike():
    """X-Y draws each ordered pair of two languages with the same probability, several in a batch."""
    found = plan(complete(24_000), "x-y", size=24).epoch(0, first_step=0)
    pairs = Counter(zip(found.query.ravel().tolist(), found.passage.ravel().tolist(), strict=True))
    assert len(pairs) == 12
    assert max(abs(n / 24_000 - 1 / 12) for n in pairs.values()) < 4 * np.sqrt(1 / 12 / 24_000)
    assert (
        min(len(set(zip(q.tolist(), p.tolist(), strict=True))) for q, p in zip(found.query, found.passage, strict=True))
        > 4
    )


@pytest.mark.parametrize(("temperature", "weights"), [(1, [0.8, 0.2]), (2, [2 / 3, 1 / 3]), (np.inf, [0.5, 0.5])])
def test_language_sampling_goes_by_the_number_of_rows_to_a_power(temperature, weights):
    """A language with four times the rows has 4, 2 and 1 times the weight at temperatures 1, 2 and infinity."""
    has = np.ones((100, 2), bool)
    has[25:, 1] = False
    found = Plan(Presence(("de", "en"), has, has), load("x-x-mono"), 2, 10, temperature=temperature)
    np.testing.assert_allclose(found.language_weights, weights)


def test_a_plan_is_the_same_each_time_and_another_for_another_seed_or_epoch():
    """Seed and epoch alone decide what is drawn."""
    first = plan(ragged(300), seed=3).epoch(1, first_step=30)
    assert same(first, plan(ragged(300), seed=3).epoch(1, first_step=30))
    assert not same(first, plan(ragged(300), seed=4).epoch(1, first_step=30))
    assert not np.array_equal(first.rows[:5], plan(ragged(300), seed=3).epoch(2, first_step=30).rows[:5])


def test_the_batches_of_a_run_are_those_of_its_epochs():
    """The batches of a run begin each epoch where the one before ended, and there are enough for all steps."""
    made = plan(ragged(300), steps=100)
    step = 0
    for epoch, batches in enumerate(made.batches()):
        assert same(batches, made.epoch(epoch, first_step=step))
        step += len(batches)
    assert step == 100


@pytest.mark.parametrize(("until", "switch"), [(0.25, 10), (7, 7)])
def test_stages_follow_each_other_at_the_stated_step(until, switch):
    """The first stage ends at a share of the steps or at a step, in the middle of an epoch too."""
    recipe = Recipe("mine", "", (Stage({"mono": 1.0}, until=until), Stage({"cross": 1.0})))
    kinds = np.concatenate([found.kind for found in Plan(complete(60), recipe, 10, 40).batches()])
    assert kinds.tolist() == [0] * switch + [1] * (40 - switch)


def test_only_the_languages_of_a_stage_are_used():
    """en-en uses English alone."""
    found = plan(complete(100), "en-en").epoch(0, first_step=0)
    assert set(found.query.ravel().tolist()) == {LANGUAGES.index("en")}


def test_weights_say_how_often_a_row_is_used():
    """A row of weight 2 is used twice an epoch; one of weight .5 in half of the epochs."""
    uses = np.repeat([2.0, 0.5, 1.0], 400)
    counts = np.zeros(1200)
    for epoch in range(20):
        counts += np.bincount(plan(complete(1200), uses=uses).epoch(epoch, first_step=0).rows.ravel(), minlength=1200)
    assert counts[:400].sum() == pytest.approx(16_000, rel=0.01)
    assert counts[400:800].sum() == pytest.approx(4_000, rel=0.05)
    assert counts[800:].sum() == pytest.approx(8_000, rel=0.01)


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
    found = plan(presence, "x-x-mono").epoch(0, first_step=0)
    assert set(found.query.ravel().tolist()) == {0, 1, 2}
    assert found.rows.size == 100


def test_a_row_whose_only_query_and_passage_are_in_one_language_is_never_in_a_cross_batch():
    """Such a row has no pair of languages, though both roles are there."""
    presence = complete(60)
    presence.queries[:30, 1:] = presence.passages[:30, 1:] = False
    assert plan(presence, "x-y").epoch(0, first_step=0).rows.min() >= 30
