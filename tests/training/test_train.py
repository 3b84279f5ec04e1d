"""Tests of training runs, with a tiny model on one thread."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from tests.models.made_models import WORDS, make_bert, make_sentence_bert, one_thread
from tests.training.test_data import pair_file
from xlbench import models
from xlbench.errors import EncoderError, TrainingError
from xlbench.training import model_folder
from xlbench.training import weights as checkpoint_weights
from xlbench.training.data import Data
from xlbench.training.pairs import PairFile, read_pairs
from xlbench.training.recipes import load
from xlbench.training.run import Init, Optimisation, TrainingRun, Watch
from xlbench.training.run_folder import checkpoints
from xlbench.training.train import train
from xlbench.training.validation import HeldOut, Validation

PROMPTS = {"query": "query : ", "document": "passage : "}
STEPS = 12


@pytest.fixture(autouse=True)
def _one_thread():
    with one_thread():
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a tiny model and pairs whose query and passage share words."""
    folder = tmp_path_factory.mktemp("training")
    make_sentence_bert(folder / "tiny", prompts=PROMPTS)
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(60):
        words = {language: " ".join(rng.choice(WORDS, 5)) for language in ("de", "en")}
        rows.append({"queries": words, "passages": {name: f"{text} {text}" for name, text in words.items()}})
    pair_file(folder / "pairs.jsonl", rows)
    return folder


def a_run(folder: Path, output: Path, *, file: PairFile | None = None, **changes) -> TrainingRun:
    """A short run; changes go to its optimisation."""
    data = Data.of([file or read_pairs(folder / "pairs.jsonl")], weights=[1.0])
    settings = {"steps": STEPS, "batch_size": 8, "learning_rate": 1e-3, **changes}
    run = TrainingRun(
        Init(str(folder / "tiny"), {}), load("hybrid"), Optimisation(**settings), np.inf, data, Watch(0, 4), output
    )
    return replace(run, device="cpu", command="xlbench train ...")


def a_measured_run(folder: Path, output: Path) -> TrainingRun:
    """A short run that is measured on its own pairs."""
    return replace(a_run(folder, output), watch=Watch(4, 4, pairs=(read_pairs(folder / "pairs.jsonl"),)))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a model in a folder."""
    return SentenceTransformer(str(folder), device="cpu").state_dict()


@contextmanager
def calling(step: int, action) -> Iterator:
    """A progress that does something when so many steps are done."""
    done = 0

    @contextmanager
    def progress(*_, **__):
        def advance(*, texts, **__):
            nonlocal done
            done += texts
            if done == step:
                action()

        yield advance

    yield progress


@pytest.fixture(scope="module")
def trained(folder) -> Path:
    """The model of an undisturbed run, with validation."""
    with one_thread():
        assert train(a_measured_run(folder, folder / "trained"), notes=["No overlap was found."]) is not None
    return folder / "trained"


def test_a_model_learns(trained):
    """The cross-lingual loss falls from evaluation to evaluation, and the weights are not those of the start."""
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    losses = {
        line["step"]: line["eval_pairs_loss_cross"] for line in record["history"] if "eval_pairs_multi_AP" in line
    }
    assert list(losses) == [0, 4, 8, 12]
    assert list(losses.values()) == sorted(losses.values(), reverse=True)
    assert record["steps"] == STEPS
    assert record["used"]["rows"] == [STEPS * 8]
    before, after = weights(trained.parent / "tiny"), weights(trained)
    dense = [name for name in before if name.endswith("attention.output.dense.weight")]
    assert len(dense) == 2
    assert not any(torch.equal(before[name], after[name]) for name in dense)


def test_the_output_is_a_folder_that_others_load_with_pooling_and_prompts_kept(trained):
    """xlbench and sentence-transformers give the same vectors from it, prompts included; no checkpoint is left."""
    encoder = models.load(str(trained)).encoder
    library = SentenceTransformer(str(trained), device="cpu")
    assert library.prompts == PROMPTS
    assert encoder.provenance()["passage_prompt"] == "passage : "
    expected = library.encode_query(["one two"], normalize_embeddings=True)
    np.testing.assert_allclose(encoder.encode_queries(["one two"]), expected, atol=1e-6)
    assert not checkpoints(trained)
    assert not [path for path in trained.iterdir() if path.name.startswith(".")]


def test_the_card_says_what_the_model_was_trained_on(trained):
    """Recipe, data with checksum, languages, steps, seed, validation and command are in the card."""
    text = (trained / "README.md").read_text(encoding="utf-8")
    sha256 = read_pairs(trained.parent / "pairs.jsonl").sha256
    for said in ("base_model: tiny", "`hybrid`: 0.5 mono and 0.5 cross", "| seed | 0 |", "12 of batch 8", sha256):
        assert said in text
    for said in ("de, en", "xlbench train ...", "No overlap was found.", "| 8 | 12 |", "multi", "temperature 0.03"):
        assert said in text
    assert str(trained.parent) not in text


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from tests.training.test_train import a_measured_run, calling, train
folder = Path({folder!r})
with calling(7, lambda: os.kill(os.getpid(), signal.SIGKILL)) as progress:
    train(a_measured_run(folder, folder / "killed"), progress=progress)
"""


def test_a_run_that_was_killed_goes_on_to_the_very_same_weights(folder, trained):
    """After kill -9 between two checkpoints, --resume gives weights and losses equal to the last bit."""
    script = KILLED.format(tests=str(Path(__file__).parents[2]), folder=str(folder))
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=200)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [path.name for path in checkpoints(folder / "killed")] == ["checkpoint-4"]
    # What a checkpoint that was being written leaves behind is no checkpoint.
    (folder / "killed/.partial/checkpoint-8").mkdir(parents=True)
    (folder / "killed/.partial/checkpoint-8/model.safetensors").write_bytes(b"half")
    train(a_measured_run(folder, folder / "killed"), resume=True)
    expected, found = weights(trained), weights(folder / "killed")
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    records = [
        json.loads((path / "training.json").read_text(encoding="utf-8")) for path in (trained, folder / "killed")
    ]
    assert records[0] == records[1]


TWO = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
torch.set_num_threads(1)
from tests.training.test_train import a_run, train
folder = Path({folder!r})
for cache in (None, 2):
    train(a_run(folder, folder / f"two-{{cache}}", symmetric=True, gradient_cache=cache))
"""


def test_two_processes_have_the_losses_of_one(tmp_path):
    """Negatives are gathered from both: the losses of all steps are those of one process to 1e-4, cached or not."""
    folder = tmp_path
    make_sentence_bert(folder / "tiny", prompts=PROMPTS)
    config = json.loads((folder / "tiny/config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "tiny/config.json").write_text(json.dumps(config))
    rng = np.random.default_rng(0)
    texts = [[" ".join(rng.choice(WORDS, 6)) for _ in range(4)] for _ in range(40)]
    rows = [{"queries": {"de": a, "en": b}, "passages": {"de": c, "en": d}} for a, b, c, d in texts]
    pair_file(folder / "pairs.jsonl", rows)
    script = folder / "two.py"
    script.write_text(TWO.format(tests=str(Path(__file__).parents[2]), folder=str(folder)))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    ran = subprocess.run(launch, capture_output=True, text=True, check=False, timeout=280)
    assert ran.returncode == 0, ran.stderr[-3000:]
    expected = [line["loss"] for line in train(a_run(folder, folder / "one", symmetric=True)).history]
    assert len(expected) == STEPS
    for cache in (None, 2):
        record = json.loads((folder / f"two-{cache}/training.json").read_text(encoding="utf-8"))
        np.testing.assert_allclose([line["loss"] for line in record["history"]], expected, atol=1e-4)


def test_ctrl_c_writes_a_checkpoint_of_the_step_at_hand(folder, tmp_path, trained):
    """After SIGINT the step ends, a checkpoint is written, and --resume gives the weights of an undisturbed run."""
    before = signal.getsignal(signal.SIGINT)
    with (
        calling(6, lambda: os.kill(os.getpid(), signal.SIGINT)) as progress,
        pytest.raises(KeyboardInterrupt, match="checkpoint-6 is written: add --resume"),
    ):
        train(a_run(folder, tmp_path / "out"), progress=progress)
    assert [path.name for path in checkpoints(tmp_path / "out")] == ["checkpoint-4", "checkpoint-6"]
    assert signal.getsignal(signal.SIGINT) is before
    train(a_run(folder, tmp_path / "out"), resume=True)
    expected, found = weights(trained), weights(tmp_path / "out")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_loss_that_is_not_finite_stops_and_names_step_and_texts(folder, tmp_path):
    """A learning rate beyond all bounds ends with the step, the texts and the last good checkpoint."""
    run = replace(a_run(folder, tmp_path / "out", learning_rate=1e30, warmup=0.5), watch=Watch(0, 1))
    with pytest.raises(
        TrainingError, match=r"At step \d+ .*\(\w\w>\w\w\): .*last good checkpoint is .*checkpoint-\d+\."
    ):
        train(run)
    assert all(tensor.isfinite().all() for tensor in weights(checkpoints(tmp_path / "out")[-1]).values())


def test_a_full_disk_leaves_the_checkpoint_before_whole(folder, tmp_path):
    """A checkpoint that cannot be written is an OSError with its name, and none of it can be seen."""
    run = a_run(folder, tmp_path / "out")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))  # noqa: E731
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with calling(6, limit) as progress, pytest.raises(OSError, match="checkpoint-8"):
            train(run, progress=progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in checkpoints(tmp_path / "out")] == ["checkpoint-4"]
    assert train(run, resume=True).steps == STEPS


@pytest.mark.parametrize("name", [None, "pairs_loss_cross"])
def test_patience_ends_a_run_and_keeps_the_best_model_whenever_checkpoints_are_written(folder, tmp_path, name):
    """The best model is saved as soon as it is found; the weights at the end are those that had the best value."""
    file = read_pairs(folder / "pairs.jsonl")
    run = a_run(folder, tmp_path / "out", steps=60, learning_rate=0.02)
    done = train(replace(run, watch=Watch(2, 50, patience=2, criterion=name, pairs=(file,))))
    key, sign = (f"eval_{name}", 1) if name else ("eval_pairs_multi_AP", -1)
    values = [sign * line[key] for line in done.history if key in line and line["step"]]
    best = values.index(min(values))
    assert len(values) == best + 3 < 30
    assert done.steps == 2 * (best + 1)
    data = Data.of([file], weights=[1.0])
    found = Validation((HeldOut("pairs", data, run.optimisation.temperature),))(
        SentenceTransformer(str(tmp_path / "out"), device="cpu")
    )
    assert sign * found[key.removeprefix("eval_")] == pytest.approx(values[best], rel=1e-4)


def test_a_checkpoint_that_is_gone_is_never_looked_for_on_the_hub(folder, tmp_path, monkeypatch):
    """A relative path that does not exist is refused before any library sees it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(socket, "socket", None)
    model = model_folder.load(Init(str(folder / "tiny"), {})).model
    with pytest.raises(TrainingError, match="There is no checkpoint out/checkpoint-3"):
        checkpoint_weights.load(model, Path("out/checkpoint-3"))


def test_another_run_in_the_folder_is_refused(folder, trained):
    """Without --resume a folder with a model is refused, and with it one that was begun with other options or pairs."""
    with pytest.raises(TrainingError, match="add --resume to go on"):
        train(a_run(folder, trained))
    with pytest.raises(TrainingError, match="its optimisation seed is 0, not 1"):
        train(a_run(folder, trained, seed=1), resume=True)
    with pytest.raises(TrainingError, match=r"its watch pairs is \[.*'pairs.jsonl'.*\], not \[\]"):
        train(replace(a_run(folder, trained), watch=Watch(4, 4)), resume=True)


def test_norm_and_weight_decay_are_logged_and_in_the_card(folder, tmp_path):
    """Norm and learning rate are logged, the card says how often gradients were cut, and a norm of 0 cuts none."""
    said: list[str] = []
    cut = train(a_run(folder, tmp_path / "cut", max_grad_norm=1e-3, weight_decay=0.5), tell=said.append)
    train(a_run(folder, tmp_path / "whole", max_grad_norm=0.0))
    assert all({"grad_norm", "learning_rate"} <= {*line} for line in cut.history if "loss" in line)
    assert any("gradient norm" in line and "learning rate" in line and "tokens/s" in line for line in said)
    cards = [(tmp_path / name / "README.md").read_text(encoding="utf-8") for name in ("cut", "whole")]
    assert "AdamW, weight decay 0.5" in cards[0]
    assert "| gradient norm | cut at 0.001, which 100% of the logged steps exceeded; the median was" in cards[0]
    assert "| gradient norm | not cut; the median was" in cards[1]
    cut_weights, whole_weights = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    assert not all(torch.equal(cut_weights[name], whole_weights[name]) for name in cut_weights)


def test_frozen_word_embeddings_stay_as_they_are(folder, tmp_path):
    """With freeze_embeddings the word embeddings are those of the start, and the rest is not."""
    run = a_run(folder, tmp_path / "out", steps=2)
    train(replace(run, init=replace(run.init, freeze_embeddings=True)))
    before, after = weights(folder / "tiny"), weights(tmp_path / "out")
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in same if "embeddings.word" in name}
    assert not {name for name in same if "attention.output.dense.weight" in name}


@pytest.mark.parametrize(("pooling", "mode"), [(None, "mean"), ("cls", "cls"), ("last", "lasttoken")])
def test_a_transformers_folder_gets_the_pooling_and_prompts_that_are_asked_for(tmp_path, pooling, mode):
    """Without modules.json the mean is taken unless another pooling is named."""
    arguments = {"query_prompt": "query : "} | ({"pooling": pooling} if pooling else {})
    found = model_folder.load(Init(str(make_bert(tmp_path / "bert")), arguments)).model
    assert found[1].pooling_mode in (mode, (mode,))
    assert found.prompts["query"] == "query : "


def test_a_folder_without_tokenizer_is_refused(tmp_path):
    """A model whose tokenizer's files are missing is refused before anything is trained."""
    folder = make_bert(tmp_path / "bert")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(EncoderError, match=r"cannot be loaded|no tokenizer"):
        model_folder.load(Init(str(folder), {}))


def test_lengths_beyond_the_models_positions_are_refused(folder):
    """A longest passage that the network has no positions for is named."""
    with pytest.raises(EncoderError, match=r"max_passage_length is 25, but .* takes 24"):
        model_folder.load(Init(str(folder / "tiny"), {}, max_passage_length=25))
