"""Tests of what transformers' Trainer is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from huggingface_hub import HfApi

from tests.training.test_train import (  # noqa: F401 (fixtures)
    STEPS,
    _one_thread,
    a_run,
    calling,
    folder,
    trained,
    weights,
)
from xlbench.errors import MissingLibraryError, TrainingError, UnknownNameError, UsageError
from xlbench.training.train import train
from xlbench.training.trainer_arguments import arguments_of, check


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"learning_rate": 1e-3}, "is set by xlbench: use --learning-rate"),
        ({"gradient_accumulation_steps": 2}, "use --batch-size with --gradient-cache"),
        ({"eval_steps": 2}, "use --eval-every"),
        ({"ignore_data_skip": True}, "so that --resume gives the same weights"),
        ({"fsdp": "full_shard"}, "start them with torchrun"),
        ({"hub_token": "x"}, "use `hf auth login`"),
        ({"run_name": "hf_aB3dE5gH7jK9mN1pQ3sT5v"}, "run_name looks like a secret"),
        ({"label_smoothing_factor": 0.1}, "would change nothing here"),
        ({"activation_checkpointing": "yes"}, "is 'yes'; expected true or false"),
        ({"dataloader_num_workers": 1.5}, "is 1.5; expected a whole number"),
        ({"adam_beta1": "high"}, "is 'high'; expected a number"),
        ({"optim": "adamm"}, "is 'adamm'; expected one of adamw_torch"),
        ({"report_to": "wandbb"}, "wandbb is not supported"),
        ({"hub_model_id": "lab/mine"}, "add push_to_hub=true"),
        ({"push_to_hub": True}, "needs hub_model_id=OWNER/NAME"),
    ],
)
def test_what_is_not_to_be_set_is_refused_by_name(given, said):
    """What xlbench sets is refused with its option, what breaks a promise with the reason, a wrong type by its name."""
    with pytest.raises(UsageError, match=said):
        check(given)


def test_a_misspelt_argument_and_a_missing_library_are_named(monkeypatch):
    """The nearest argument is suggested; a library to report to that is not installed is named with pip install."""
    with pytest.raises(UnknownNameError, match="Did you mean 'torch_compile'"):
        check({"torch_compil": True})
    monkeypatch.setattr("transformers.integrations.integration_utils.is_tensorboard_available", lambda: False)
    with pytest.raises(MissingLibraryError, match="pip install tensorboard"):
        check({"report_to": "tensorboard"})


def test_what_the_library_refuses_is_one_sentence(folder, tmp_path):  # noqa: F811
    """Arguments that do not go together are an error with the library's words and the arguments."""
    run = replace(a_run(folder, tmp_path / "out"), trainer={"dataloader_prefetch_factor": 2})
    with pytest.raises(TrainingError, match=r"can only be set when .* has dataloader_prefetch_factor=2"):
        arguments_of(run, resumed=False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"optim_args": "x"}, "cannot make the optimiser .* optim and optim_args"),
        ({"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"x": 1}}, "cannot make the learning rate .*'x'"),
    ],
)
def test_what_the_optimiser_refuses_names_the_arguments(folder, tmp_path, given, said):  # noqa: F811
    """It is only made when the training begins; the message has the library's words, and is no stack trace."""
    with pytest.raises(TrainingError, match=said):
        train(replace(a_run(folder, tmp_path / "out", steps=1), trainer=given))


@pytest.mark.parametrize(
    "given", [{"activation_checkpointing": True}, {"dataloader_num_workers": 1, "dataloader_persistent_workers": True}]
)
def test_checkpointing_and_workers_change_no_weight(folder, trained, tmp_path, given):  # noqa: F811
    """Activations computed anew, and batches made by another process, give the weights of a plain run."""
    done = train(replace(a_run(folder, tmp_path / "out"), trainer=given))
    assert done.steps == STEPS
    expected, found = weights(trained), weights(tmp_path / "out")
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_an_argument_takes_effect_and_is_in_card_and_identity(folder, trained, tmp_path):  # noqa: F811
    """Another optimiser gives other weights, the card names it, and a run without it does not go on there."""
    run = replace(a_run(folder, tmp_path / "out", steps=2), trainer={"optim": "sgd", "lr_scheduler_type": "constant"})
    done = train(run)
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    assert "| optimiser | sgd, weight decay 0.01, learning rate 0.001, warm-up 0.1, constant decay" in card
    assert '`optim="sgd"`, `lr_scheduler_type="constant"`' in card
    assert [line["learning_rate"] for line in done.history if "loss" in line] == [0.001, 0.001]
    with pytest.raises(TrainingError, match=r"its trainer optim is sgd, not None"):
        train(replace(run, trainer={}), resume=True)


def test_a_finished_model_is_pushed_with_its_card(folder, tmp_path, monkeypatch):  # noqa: F811
    """The repository is made before the first step; the folder is pushed when model, card and record are there."""
    asked: list[tuple] = []

    def upload(_, *, folder_path, repo_id, ignore_patterns, **options):
        whole = {"README.md", "training.json", "model.safetensors"} <= {path.name for path in folder_path.iterdir()}
        asked.append(("upload", repo_id, whole, options["revision"]))

    monkeypatch.setattr(HfApi, "create_repo", lambda _, name, **options: asked.append(("repository", name, options)))
    monkeypatch.setattr(HfApi, "upload_folder", upload)
    given = {"push_to_hub": True, "hub_model_id": "lab/mine", "hub_private_repo": True}
    with calling(1, lambda: asked.append(("step",))) as progress:
        train(replace(a_run(folder, tmp_path / "out", steps=2), trainer=given), progress=progress)
    assert asked == [
        ("repository", "lab/mine", {"private": True, "exist_ok": True}),
        ("step",),
        ("upload", "lab/mine", True, None),
    ]
    assert json.loads((tmp_path / "out/training.json").read_text())["run"]["trainer"] == given


def test_a_hub_that_refuses_is_said_before_the_training(folder, tmp_path, monkeypatch):  # noqa: F811
    """Without a login nothing is trained, and the message says how to log in."""

    def refuse(*_, **__):
        raise OSError("401 Client Error")

    monkeypatch.setattr(HfApi, "create_repo", refuse)
    run = replace(a_run(folder, tmp_path / "out"), trainer={"push_to_hub": True, "hub_model_id": "lab/mine"})
    with pytest.raises(TrainingError, match=r"lab/mine cannot be made .*401 Client Error.*hf auth login"):
        train(run)
    assert not (tmp_path / "out").exists()
