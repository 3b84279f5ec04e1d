"""The tool that fine-tunes a cross-encoder: what it writes reranks, and what was to stay as it is has."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.models.made_models import WORDS, make_sentence_bert, one_thread
from xlbench.models import load_reranking

ROOT = Path(__file__).parents[2]
pytest.importorskip("accelerate", reason="accelerate is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # Those of the trainer's own libraries.


@pytest.fixture
def tool(monkeypatch):
    """Runs the tool with these arguments."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["cross_encoder.py", *map(str, arguments)])
        with one_thread():
            importlib.import_module("cross_encoder").main()

    return run


@pytest.fixture
def pairs(tmp_path):
    """A pair file of a question a word, in two languages, with two negatives in one of them."""
    rows = [
        {
            "id": word,
            "queries": {"de": word, "en": f"{word} {word}"},
            "passages": {"de": f"{word} one", "en": f"two {word}"},
            "negatives": {"en": [f"{WORDS[i - 1]} three", f"{WORDS[i - 2]} four"]},
        }
        for i, word in enumerate(WORDS)
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_it_writes_is_a_reranker(tool, pairs, tmp_path):
    """Its scores are finite and differ; word embeddings and the first layer are those of the encoder."""
    from sentence_transformers import CrossEncoder, SentenceTransformer

    encoder, output = make_sentence_bert(tmp_path / "tiny"), tmp_path / "cross"
    numbers = {"steps": 2, "questions": 3, "negatives": 2, "frozen-layers": 1, "max-length": 12}
    tool(encoder, pairs, output, *(word for name, n in numbers.items() for word in (f"--{name}", n)))
    scores = load_reranking(str(output)).reranker.score_pairs(["one", "two"], ["one two", "six"])
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]
    before, after = (model[0].auto_model for model in (SentenceTransformer(str(encoder)), CrossEncoder(str(output))))
    same = {
        name: bool((weight == dict(after.named_parameters())[name]).all()) for name, weight in before.named_parameters()
    }
    kept = {name for name in same if name.startswith(("embeddings.", "encoder.layer.0."))}
    assert all(same[name] for name in kept)
    assert not all(same[name] for name in same if name.startswith("encoder.layer.1."))


def test_pairs_without_negatives_and_a_folder_that_exists_are_refused(tool, pairs, tmp_path):
    """With what to do."""
    with pytest.raises(SystemExit, match="expected at least 8: `xlbench mine --negatives 3`"):
        tool("no-model", pairs, tmp_path / "cross")
    with pytest.raises(SystemExit, match="exists already: remove it, or choose another folder"):
        tool("no-model", pairs, tmp_path)
