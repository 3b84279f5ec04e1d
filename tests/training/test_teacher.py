"""Tests of training with a teacher."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.test_data import pair_file, parallel
from tests.training.test_train import _one_thread, a_run, folder, weights  # noqa: F401 (fixtures)
from xlbench import models
from xlbench.errors import EncoderError, TrainingError
from xlbench.training.data import Data
from xlbench.training.plan import Plan
from xlbench.training.recipes import load
from xlbench.training.run import Watch
from xlbench.training.teacher import Teacher
from xlbench.training.train import train

DIMENSIONS = 16


def a_teacher(dimensions: int = DIMENSIONS) -> models.Model:
    return models.load("hash", arguments={"dimensions": dimensions})


def test_targets_are_the_teachers_unit_vectors_of_the_english_texts(tmp_path):
    """Whatever languages a row has in the batch, and also where English is not trained on; NaN where it has none."""
    rows = parallel(3, ("de", "en", "fr"))
    del rows[1]["passages"]["en"]
    data = Data.of([pair_file(tmp_path / "a.jsonl", rows)], weights=[1.0], languages=["de", "fr"])
    batch = data.batch(Plan(data.presence, load("x-y"), 3, 1).epoch(0), 0)
    model = a_teacher()
    targets = Teacher.of(model, DIMENSIONS).targets(batch)
    for place, name in enumerate(batch.names):
        i = int(name[0])
        expected = model.encoder.encode_queries([f"en q{i}"])[0]
        np.testing.assert_allclose(targets["query_targets"][place], expected / np.linalg.norm(expected), rtol=1e-5)
        answer = model.encoder.encode_passages([f"en p{i}"])[0]
        unit = np.full(DIMENSIONS, np.nan) if i == 1 else answer / np.linalg.norm(answer)
        np.testing.assert_allclose(targets["passage_targets"][place], unit, rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "said"),
    [("hash", "gives 16 dimensions and the model 32"), ("bm25", "has no vector a text: expected a dense encoder")],
)
def test_a_teacher_that_does_not_fit_is_refused(model, said):
    """Another number of dimensions, or a model without vectors, is said before the training."""
    with pytest.raises(TrainingError, match=said):
        Teacher.of(a_teacher() if model == "hash" else models.load(model), 32)


def test_the_recipe_teacher_learns_first_the_vectors_then_also_the_contrast(folder, tmp_path):  # noqa: F811
    """The distance falls in the first half, the sum is larger in the second, and card and record name the teacher."""
    run = a_run(folder, tmp_path / "out", learning_rate=0.01)
    run = replace(run, recipe=load("teacher"), teacher=a_teacher(), watch=Watch(0, 12))
    losses = [line["loss"] for line in train(run).history if "loss" in line]
    assert losses[5] < losses[0] < 4
    assert min(losses[6:]) > losses[5]
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "| loss | distance from a teacher; then distance from a teacher + 0.2 x InfoNCE over cosine" in card
    assert "teacher `hash`" in card
    record = json.loads((tmp_path / "out/training.json").read_text())["run"]
    assert record["teacher"]["name"] == "hash"
    assert record["recipe"]["stages"][1]["losses"] == {"teacher": 1, "info-nce": 0.2}
    with pytest.raises(TrainingError, match="its teacher arguments dimensions is 16, not 17"):
        train(replace(run, teacher=a_teacher(17)), resume=True)


def test_the_stage_decides_the_losses_of_a_step(folder, tmp_path):  # noqa: F811
    """With a second stage of InfoNCE alone its losses are those of x-y from the same weights on the same batches."""
    recipe = load("teacher")
    stages = (replace(recipe.stages[0], losses={"info-nce": 1.0}), replace(recipe.stages[1], losses={"info-nce": 2.0}))
    run = replace(a_run(folder, tmp_path / "a", steps=4, learning_rate=1e-9), recipe=replace(recipe, stages=stages))
    once = replace(run, recipe=run.recipe.with_losses({"info-nce": 1.0}), output=tmp_path / "b")
    twice, single = ([line["loss"] for line in train(one).history if "loss" in line] for one in (run, once))
    np.testing.assert_allclose(np.array(twice) / np.array(single), [1, 1, 2, 2], rtol=1e-3)


def test_matryoshka_trains_and_is_in_the_card(folder, tmp_path):  # noqa: F811
    """The sizes are in card and record; one that the model does not have is refused."""
    run = a_run(folder, tmp_path / "out", steps=2, dimensions=(16, 4))
    train(run)
    assert "summed over the first 16, 4 dimensions" in (tmp_path / "out/README.md").read_text(encoding="utf-8")
    one, other = weights(tmp_path / "out"), weights(folder / "tiny")
    assert not all(torch.equal(one[name], other[name]) for name in one)
    with pytest.raises(EncoderError, match="--matryoshka has 32, and the model gives 16 dimensions"):
        train(a_run(folder, tmp_path / "large", dimensions=(32, 16)))
