"""Evaluator: a callable that sentence-transformers' trainer takes."""

from __future__ import annotations

import pytest

import xlbench
from tests.models.made_models import make_sentence_bert, one_thread

QUERIES = {"de:1": "one two", "en:1": "three four"}
PASSAGES = {"de:a": "one two three", "en:a": "six five", "de:b": "four"}
JUDGEMENTS = {"de:1": ["de:a", "en:a"], "en:1": ["de:a", "en:a"]}


@pytest.fixture
def model(tmp_path):
    """A tiny SentenceTransformer."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(make_sentence_bert(tmp_path / "tiny")), device="cpu")


@pytest.fixture
def evaluator():
    """Of two languages."""
    return xlbench.Evaluator(xlbench.Collection.from_dicts(QUERIES, PASSAGES, JUDGEMENTS), name="own", cache=None)


def test_its_values_are_those_of_evaluate(model, evaluator, tmp_path):
    """The means of each kind of setting; the result is saved with epoch and step in its name, and nothing is stored."""
    with one_thread():
        values = evaluator(model, str(tmp_path / "out"), 1.5, 30)
        expected = xlbench.evaluate(model, evaluator.collection, cache=None, quiet=True)
    assert values["own_multi_AP"] == pytest.approx(expected.value("multi", "AP"))
    assert evaluator.primary_metric == "own_multi_AP"
    assert evaluator.greater_is_better
    saved = xlbench.load_result(tmp_path / "out/own-epoch-1.5-step-30.json")
    assert saved.value("mono", "AP") == values["own_mono_AP"]


def test_a_model_that_is_trained_goes_on_training(model, evaluator):
    """Dropout is off while it is evaluated, and on again after it."""
    model.train()
    with one_thread():
        first, second = evaluator(model), evaluator(model)
    assert first == second
    assert model.training


def test_weights_that_have_changed_have_other_values(model, evaluator):
    """Nothing is kept from one call to the next."""
    import torch

    with one_thread():
        evaluator(model)
        before = evaluator.result.values
        with torch.no_grad():
            for weight in model.parameters():
                weight.normal_()
        evaluator(model)
    assert evaluator.result.values != before


def test_the_trainer_of_sentence_transformers_calls_it(model, evaluator, tmp_path):
    """Its values come back from the trainer's own evaluation, under the trainer's prefix."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    pairs = Dataset.from_dict({"anchor": ["one", "two"], "positive": ["one two", "two three"]})
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path / "run"), use_cpu=True, report_to="none", max_steps=1, disable_tqdm=True
    )
    trainer = SentenceTransformerTrainer(
        model, arguments, train_dataset=pairs, loss=MultipleNegativesRankingLoss(model), evaluator=evaluator
    )
    with one_thread():
        assert "eval_own_multi_AP" in trainer.evaluate()


def test_a_distance_is_better_if_it_is_smaller():
    """The trainer then keeps the checkpoint with the smallest."""
    own = xlbench.Collection.from_dicts(QUERIES, PASSAGES, JUDGEMENTS)
    assert not xlbench.Evaluator(own, primary=("multi", "RankDistance"), cache=None).greater_is_better
