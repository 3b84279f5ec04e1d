"""Tests of recipes."""

from __future__ import annotations

import pytest

from xlbench.errors import TrainingError, UnknownNameError
from xlbench.training.recipes import load, names


@pytest.mark.parametrize("name", names())
def test_each_recipe_of_xlbench_loads_and_says_what_it_is(name):
    """The recipes in the package are valid, have an explanation, and their shares sum to 1."""
    recipe = load(name)
    assert recipe.name == name
    assert recipe.about.endswith(".")
    assert all(sum(stage.batches.values()) == 1 for stage in recipe.stages)


def test_alpha_takes_the_place_of_the_shares_of_mono_and_cross():
    """alpha .25 is a quarter mono and three quarters cross."""
    assert load("hybrid").with_alpha(0.25).stages[0].batches == {"mono": 0.25, "cross": 0.75}


@pytest.mark.parametrize(
    ("recipe", "alpha", "said"), [("hybrid", 1.5, "alpha is 1.5"), ("x-y", 0.5, "does not mix 'mono' with 'cross'")]
)
def test_an_alpha_that_means_nothing_is_refused(recipe, alpha, said):
    """alpha is a probability, and there must be something to mix."""
    with pytest.raises(TrainingError, match=said):
        load(recipe).with_alpha(alpha)


def test_an_unknown_recipe_suggests_the_nearest():
    """A misspelt name is a usage error."""
    with pytest.raises(UnknownNameError, match="Did you mean 'hybrid'"):
        load("hybird")


def test_a_recipe_of_ones_own_is_a_yaml_file(tmp_path):
    """Stages, languages and shares come from the file, its name from the file's."""
    path = tmp_path / "mine.yaml"
    path.write_text("stages: [{batches: {mixed: 1}, until: 20, languages: [en, de]}, {batches: {mono: .5, cross: .5}}]")
    recipe = load(str(path))
    assert (recipe.name, recipe.stages[0].languages, recipe.stages[0].end(100)) == ("mine", ("en", "de"), 20)
    assert recipe.stages[1].end(100) == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: [", "is not valid YAML"),
        ("steps: 3", "expected the keys about, stages"),
        ("stages: []", "expected a list of stages"),
        ("stages: [{batches: {mono: .5}}]", "sum to 0.5; expected 1"),
        ("stages: [{batches: {monno: 1}}]", "expected the keys cross, mixed, mono"),
        ("stages: [{batches: {mono: 2}}]", "from 0 to 1"),
        ("stages: [{batches: {mono: 1}, languages: en}]", "expected a list of codes"),
        ("stages: [{batches: {mono: 1}, until: -1}, {batches: {mono: 1}}]", "expected a share of the steps"),
        ("stages: [{batches: {mono: 1}}, {batches: {mono: 1}}]", "expected 'until' in each stage but the last"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path, text, said):
    """Each mistake is named with the file."""
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=f"mine.yaml.*{said}"):
        load(str(path))
