"""The scores of a model: no vector of a changed model is ever taken for one of today's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import random_collection
from xlbench import models
from xlbench.engine.model_scores import from_store, score_collection, warnings_of
from xlbench.errors import EncoderError
from xlbench.models.transform import Debiasing, parse

COLLECTION = random_collection(np.random.default_rng(7), n_queries=20, n_passages=30)

WEIGHTS = """
import json
from pathlib import Path
import numpy as np

class Mine:
    name = "mine"
    revision = "1"

    def __init__(self):
        self.weights = np.array(json.loads(Path({weights!r}).read_text()))

    def encode_queries(self, texts):
        return np.array([np.outer(self.weights, [len(text), ord(text[-1])]).ravel() for text in texts], np.float32)

    encode_passages = encode_queries
"""


@pytest.fixture
def mine(tmp_path) -> str:
    """A class as CONTRIBUTING tells one to write it, that reads its weights from a file."""
    (tmp_path / "weights.json").write_text("[1.0, 2.0, 3.0]")
    (tmp_path / "mine.py").write_text(WEIGHTS.format(weights=str(tmp_path / "weights.json")))
    return f"{tmp_path / 'mine.py'}:Mine"


def scores(model: object, cache: Path | None, **options: bool):
    """The scores of a model on the collection."""
    loaded = model if isinstance(model, models.Model) else models.load(model)
    return score_collection(COLLECTION, loaded, cache_dir=cache, **options)


def test_changed_weights_under_one_name_are_found_out(mine, tmp_path):
    """Weights that are overwritten in place end the run with what to do; fresh encodes them, and they are stored."""
    scores(mine, tmp_path / "cache")
    assert scores(mine, tmp_path / "cache").queries.n_stored > 0
    (tmp_path / "weights.json").write_text("[1.0, 2.0, 3.5]")
    with pytest.raises(EncoderError, match=r"is not what the model gives now: it differs by .* add --force"):
        scores(mine, tmp_path / "cache")
    fresh = scores(mine, tmp_path / "cache", fresh=True)
    assert fresh.queries.n_stored == fresh.passages.n_stored == 0
    again = scores(mine, tmp_path / "cache")
    np.testing.assert_array_equal(again.passages.vectors[:], fresh.passages.vectors[:])
    assert again.passages.n_probed > 0


def test_a_change_as_small_as_a_step_of_training_is_found_out(mine, tmp_path):
    """Vectors that differ by a thousandth of their length are other vectors."""
    scores(mine, tmp_path / "cache")
    (tmp_path / "weights.json").write_text("[1.0, 2.0, 3.01]")
    with pytest.raises(EncoderError, match="is not what the model gives now"):
        scores(mine, tmp_path / "cache")


def test_rounding_is_no_change(tmp_path):
    """What another batch or half precision rounds is within the tolerance."""
    rng = np.random.default_rng(0)

    class Noisy:
        name, revision = "noisy", "1"

        def encode_queries(self, texts):
            plain = models.load("hash").encoder.encode_queries(texts)
            return plain * (1 + 1e-6 * rng.standard_normal(plain.shape).astype(np.float32))

        encode_passages = encode_queries

    for stored_as in ("float32", "float16"):
        for _ in range(2):
            model = models.Model(Noisy(), "class", {}, stored_as=stored_as)
            last = scores(model, tmp_path)
        assert last.queries.n_probed > 0


def test_models_of_one_name_and_other_sizes_have_scores_of_their_own(tmp_path):
    """Two objects of one name: the vectors of neither are stored, as their weights cannot be hashed."""

    def small(texts):
        return models.load("hash", arguments={"dimensions": 8}).encoder.encode_queries(texts)

    def large(texts):
        return models.load("hash", arguments={"dimensions": 64}).encoder.encode_queries(texts)

    first, second = (scores(models.load(model, name="same"), tmp_path) for model in (small, large))
    assert (first.passages.vectors.shape[1], second.passages.vectors.shape[1]) == (8, 64)
    assert not (tmp_path / "vectors").exists()


def test_a_module_is_stored_under_its_weights(tmp_path):
    """A torch module's vectors are kept; a change of one weight makes others of it, without a word."""
    import torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3))

        def encode(self, texts):
            return torch.tensor([[float(len(text))] * 3 for text in texts]) * self.scale

    net = Net()
    before = scores(net, tmp_path)
    assert scores(net, tmp_path).passages.n_stored == len(before.passages.vectors)
    with torch.no_grad():
        net.scale[0] = 2.0
    after = scores(net, tmp_path)
    assert after.passages.n_stored == 0
    np.testing.assert_array_equal(after.passages.vectors[:][:, 0], 2 * before.passages.vectors[:][:, 0])


def test_without_a_cache_nothing_is_kept(tmp_path, monkeypatch):
    """Vectors are in memory only."""
    monkeypatch.chdir(tmp_path)
    kept = scores("hash", tmp_path / "cache")
    in_memory = scores("hash", None)
    np.testing.assert_array_equal(in_memory.passages.vectors[:], kept.passages.vectors[:])
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]


@pytest.mark.parametrize("what", ["dtype", "prompt", "library"])
def test_what_else_changes_vectors_is_in_the_key(tmp_path, what):
    """Another precision, prompt or version of a library encodes again: the provenance is part of the key."""

    class Told:
        name, revision = "told", "1"

        def __init__(self, value):
            self.value = value

        def encode_queries(self, texts):
            return models.load("hash").encoder.encode_queries(texts)

        encode_passages = encode_queries

        def provenance(self):
            return {what: self.value}

    stored = [
        scores(models.Model(Told(value), "class", {}), tmp_path).queries.n_stored for value in ("1", "1", "2", "2")
    ]
    assert stored == [0, stored[1], 0, stored[1]]
    assert stored[1] > 0


def test_what_came_from_the_store_is_said(tmp_path):
    """How many vectors, and how many of those were encoded again."""
    assert from_store(scores("hash", tmp_path)).startswith("0 of ")
    told = from_store(scores("hash", tmp_path))
    n = told.partition(" ")[0]
    assert told.startswith(f"{n} of {n} vectors came from the store; ")
    assert told.endswith(" of them were encoded again and agree.")
    assert from_store(scores("bm25", tmp_path)) == "There are no vectors: all scores were computed anew."


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_model_that_gives_all_texts_one_vector_is_suspect(value):
    """Its order says nothing of the texts, which is said in one line for each role."""
    told = warnings_of(scores(lambda texts: np.full((len(texts), 4), value), None))
    assert [line.split(" the same")[0] for line in told] == [
        "The model gives all queries",
        "The model gives all passages",
    ]
    assert warnings_of(scores("hash", None)) == []


def test_a_debiasing_is_part_of_the_model(tmp_path):
    """Scores of a model with one are of debiased vectors, and only plain vectors are stored."""
    centred = score_collection(
        COLLECTION, replace(models.load("hash"), debiasing=Debiasing(parse("center"))), cache_dir=tmp_path
    )
    plain = scores("hash", tmp_path)
    assert plain.passages.n_stored == len(plain.passages.vectors)
    assert not np.allclose(centred.queries.vectors[: len(plain.queries.vectors)], plain.queries.vectors[:])
    key = json.loads(next(tmp_path.rglob("key.json")).read_text(encoding="utf-8"))
    assert "transform" not in json.dumps(key)
