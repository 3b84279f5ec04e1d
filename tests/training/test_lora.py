"""Tests of LoRA: what is trained, what a checkpoint has of it, and the model at the end."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from tests.models.made_models import TEXTS
from tests.training.test_train import _one_thread, a_measured_run, a_run, calling, folder, weights  # noqa: F401
from xlbench.errors import TrainingError
from xlbench.training import lora, model_folder
from xlbench.training.run import Init, Lora
from xlbench.training.run_folder import checkpoints
from xlbench.training.train import train

pytest.importorskip("peft", reason="peft is not installed: pip install 'xlbench[lora]'")


def test_matrices_are_added_that_change_nothing_yet_and_merged_without_a_trace(folder):  # noqa: F811
    """Only A and B are trained; B begins at 0, and after a change of it the merged model gives the same vectors."""
    model = model_folder.load(Init(str(folder / "tiny"), {})).model.eval()
    names, before = list(model.state_dict()), model.encode(TEXTS)
    lora.add(model, Lora(r=2), seed=1)
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert {name.split(".")[-3] for name in trained} == {"lora_A", "lora_B"}
    assert {name.split(".")[-4] for name in trained} == {"query", "key", "value", "dense"}
    assert not any("pooler" in name for name in trained)
    assert np.array_equal(model.encode(TEXTS), before)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if ".lora_B." in name:
                weight.normal_(generator=torch.Generator().manual_seed(len(name)))
    changed = model.encode(TEXTS)
    lora.merge(model)
    assert list(model.state_dict()) == names
    assert not lora.is_added(model)
    np.testing.assert_allclose(model.encode(TEXTS), changed, atol=1e-5)
    assert np.abs(changed - before).max() > 1e-3


def test_a_trained_model_is_a_plain_folder_and_says_what_was_trained(folder, tmp_path):  # noqa: F811
    """Only the named layers differ from the start; card, log and record have the share; a run without is another."""
    said: list[str] = []
    run = replace(a_run(folder, tmp_path / "out"), lora=Lora(r=2, targets=("query", "value")))
    done = train(run, tell=said.append)
    before, after = weights(folder / "tiny"), weights(tmp_path / "out")
    differing = {name.split(".")[-2] for name in before if not torch.equal(before[name], after[name])}
    assert differing == {"query", "value"}
    assert done.parameters.trained == sum(2 * 2 * 2 * before[n].shape[0] for n in before if n.endswith("query.weight"))
    assert done.parameters.total == sum(p.numel() for p in SentenceTransformer(str(folder / "tiny")).parameters())
    share = f"{done.parameters.trained:,} of {done.parameters.total:,} parameters ("
    assert any(line.startswith(share) and line.endswith("are trained") for line in said)
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert f"| trained | {share}" in card
    assert "LoRA of rank 2, alpha 4, in query, value, merged into the weights" in card
    record = json.loads((tmp_path / "out/training.json").read_text(encoding="utf-8"))
    assert record["run"]["lora"] == {"r": 2, "alpha": 4.0, "dropout": 0.0, "targets": ["query", "value"]}
    with pytest.raises(TrainingError, match=r"its lora r is 2, not None"):
        train(replace(run, lora=None), resume=True)


def test_a_run_goes_on_from_the_matrices_of_its_checkpoint_to_the_same_weights(folder, tmp_path):  # noqa: F811
    """A checkpoint has the trained matrices alone, and resumed after Ctrl-C they give what an undisturbed run gives."""
    whole, cut = (
        replace(a_measured_run(folder, tmp_path / name), lora=Lora(r=2, dropout=0.1)) for name in ("whole", "cut")
    )
    train(whole)
    with calling(6, lambda: os.kill(os.getpid(), signal.SIGINT)) as progress, pytest.raises(KeyboardInterrupt):
        train(cut, progress=progress)
    files = {path.name for path in checkpoints(tmp_path / "cut")[-1].iterdir()}
    assert "adapter.safetensors" in files
    assert "modules.json" not in files
    train(cut, resume=True)
    expected, given = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(given[name], expected[name]) for name in expected)


def test_the_best_matrices_are_those_that_are_kept(folder, tmp_path):  # noqa: F811
    """With patience the model is of the best step, although training went on for a while."""
    run = a_measured_run(folder, tmp_path / "out")
    watch = replace(run.watch, patience=1, criterion="pairs_loss_cross", eval_every=1, save_every=9)
    optimisation = replace(run.optimisation, learning_rate=30.0)
    done = train(replace(run, lora=Lora(r=2), watch=watch, optimisation=optimisation))
    losses = {line["step"]: line["eval_pairs_loss_cross"] for line in done.history if "eval_pairs_loss_cross" in line}
    assert max(losses) > done.steps == min((value, step) for step, value in losses.items() if step)[1]


def test_layers_that_the_network_lacks_are_named_with_those_it_has(folder, tmp_path):  # noqa: F811
    """The error lists what could be meant."""
    with pytest.raises(TrainingError, match=r"targets=q_proj: .* Its linear ones are dense, key, query, value"):
        train(replace(a_run(folder, tmp_path / "out"), lora=Lora(targets=("q_proj",))))
