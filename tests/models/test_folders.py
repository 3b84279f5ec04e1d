"""Folders and Hub ids of models."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys

import pytest

from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models import folders


@pytest.fixture
def folder(tmp_path):
    """A folder as of a model, with files that are of the model and files that are not."""
    model = tmp_path / "some-model"
    for name in ("config.json", "model.safetensors", "1_Pooling/config.json", "README.md", "plot.png", ".cache/x.json"):
        path = model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{{}} {name}")
    return model


def revision(folder):
    """The revision of a folder."""
    return folders.revision_of(str(folder), revision=None)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "1_Pooling/config.json", "new.json"])
def test_a_changed_file_is_another_revision(folder, name):
    """A folder in which a file of the model is changed, added or taken away has another revision."""
    before = revision(folder)
    path = folder / name
    content = path.read_text() if path.exists() else None
    path.write_text("changed")
    assert revision(folder) != before
    path.unlink()
    assert (revision(folder) == before) == (content is None)
    if content is not None:
        path.write_text(content)
    assert revision(folder) == before


@pytest.mark.parametrize(
    "name", ["README.md", "plot.png", ".cache/x.json", ".gitattributes", "checkpoint-10/model.safetensors"]
)
def test_what_is_not_the_model_does_not_count(folder, name):
    """A card, a picture, hidden files and checkpoints of training leave the revision as it is."""
    before = revision(folder)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed")
    assert revision(folder) == before


def test_a_renamed_file_is_another_revision_and_a_moved_folder_is_not(folder):
    """The revision goes by the files' names and contents below the folder, wherever that is."""
    before = revision(folder)
    assert before.startswith("sha256:")
    moved = folder.rename(folder.with_name("other-name"))
    assert revision(moved) == before
    (moved / "model.safetensors").rename(moved / "model2.safetensors")
    assert revision(moved) != before


def test_a_folder_is_named_by_its_last_part(folder, monkeypatch):
    """The name of a folder's model is the folder's own, however the path is written; of a Hub model, its id."""
    assert folders.name_of(f"{folder}/") == "some-model"
    monkeypatch.chdir(folder)
    assert folders.name_of(".") == "some-model"
    assert folders.name_of("owner/model") == "owner/model"


def test_the_kind_of_a_folder_goes_by_its_files(folder):
    """A folder with modules.json is of sentence-transformers, one with config.json alone of transformers."""
    assert folders.adapter_of(str(folder), revision=None) == "transformers"
    (folder / "modules.json").write_text("[]")
    assert folders.adapter_of(str(folder), revision=None) == "sentence-transformers"


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    """A folder with neither file is an EncoderError that says which files were expected."""
    with pytest.raises(EncoderError, match=rf"The folder {tmp_path} has neither modules\.json nor config\.json"):
        folders.adapter_of(str(tmp_path), revision=None)


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        ("owner/model", True),
        ("intfloat/multilingual-e5-small", True),
        ("bert-base-uncased", True),
        ("a/b/c", False),
        ("./model", False),
        ("../model", False),
        ("/model", False),
        ("owner/", False),
        ("owner/mo del", False),
        ("", False),
    ],
)
def test_a_hub_id_is_an_owner_and_a_name(name, is_id):
    """A Hub id has at most one slash and no spaces; a path is none."""
    assert folders.is_hub_id(name) == is_id


def test_a_hub_model_without_a_network_is_refused_with_advice(monkeypatch):
    """A model that is no folder, on a machine without the Hub, is an EncoderError that says what to do."""
    constants = importlib.import_module("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match="nobody/nothing is no folder here, and the model hub cannot be reached"):
        folders.adapter_of("nobody/nothing", revision=None)


def test_a_folder_has_the_files_that_it_has(folder):
    """A file of a folder is its path, one that is not there is None."""
    assert folders.config_file(str(folder), "config.json", revision=None) == folder / "config.json"
    assert folders.config_file(str(folder), "nothing.json", revision=None) is None


def hub_cache(root, *, name="config.json", absent="modules.json"):
    """The hub's cache of a model that has one file and is known not to have another."""
    repository = root / "hub" / "models--some--model"
    commit = "c" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).mkdir(parents=True)
    (repository / "snapshots" / commit / name).write_text("{}")
    (repository / ".no_exist" / commit).mkdir(parents=True)
    (repository / ".no_exist" / commit / absent).touch()
    return commit


def known_offline(home):
    """What a process without a network says of the model in `hub_cache`: its adapter and its commit."""
    program = (
        "from xlbench.models import folders\n"
        "print(folders.adapter_of('some/model', revision=None), folders.revision_of('some/model', revision=None))"
    )
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


def test_a_hub_model_that_was_used_before_needs_no_network(tmp_path):
    """Of a model in the hub's cache the files, the absent files and the commit are known without a network."""
    commit = hub_cache(tmp_path)
    assert known_offline(tmp_path) == ["transformers", commit]


def test_a_hub_model_that_was_downloaded_needs_no_network_for_files_that_it_lacks(tmp_path):
    """`hf download` leaves no trace of the files that a model does not have: the snapshot itself says it."""
    commit = hub_cache(tmp_path)
    shutil.rmtree(tmp_path / "hub" / "models--some--model" / ".no_exist")
    assert known_offline(tmp_path) == ["transformers", commit]


def test_a_linked_folder_is_part_of_the_revision(folder, tmp_path):
    """Other weights behind a link are another model; a link to a folder above is followed once."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "weights.bin").write_bytes(b"1")
    (folder / "2_Dense").symlink_to(tmp_path / "shared")
    (folder / "loop").symlink_to(folder)
    first = folders.revision_of(str(folder), revision=None)
    (tmp_path / "shared" / "weights.bin").write_bytes(b"2")
    assert folders.revision_of(str(folder), revision=None) != first


SPARSE = {"config_sentence_transformers.json": {"model_type": "SparseEncoder"}, "modules.json": []}
LATE = {"config_sentence_transformers.json": {"model_type": "MultiVectorEncoder"}}
PYLATE = {"config_sentence_transformers.json": {"model_type": "ColBERT"}}
COLBERT = {"config.json": {"architectures": ["HF_ColBERT"]}}
SPLADE = {"modules.json": [{"type": "sentence_transformers.sparse_encoder.models.SpladePooling"}]}
MASKED = {"config.json": {"architectures": ["BertForMaskedLM"]}}
DENSE = {"modules.json": []}
PLAIN = {"config.json": {"architectures": ["BertModel"]}}


def written(folder, files):
    """A folder with these configurations."""
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return str(folder)


@pytest.mark.parametrize(
    ("files", "kind", "adapter"),
    [
        (SPARSE, None, "sparse-encoder"),
        (SPLADE, None, "sparse-encoder"),
        (LATE, None, "late-interaction"),
        (PYLATE, None, "late-interaction"),
        (COLBERT, None, "late-interaction"),
        (DENSE, None, "sentence-transformers"),
        (DENSE, "dense", "sentence-transformers"),
        (DENSE, "late", "late-interaction"),
        (PLAIN, None, "transformers"),
        (PLAIN, "late", "late-interaction"),
        (MASKED, "dense", "transformers"),
        (MASKED, "sparse", "sparse-encoder"),
        (MASKED, "late", "late-interaction"),
    ],
)
def test_the_adapter_is_that_of_what_the_files_say(tmp_path, files, kind, adapter):
    """Or of the kind that the user says, where a model can be of it."""
    assert folders.adapter_of(written(tmp_path, files), revision=None, kind=kind) == adapter


@pytest.mark.parametrize(
    ("files", "kind", "said"),
    [
        (SPARSE, "dense", "is a sparse encoder.*not a dense encoder"),
        (SPARSE, "late", "is a sparse encoder, and has no vectors of tokens"),
        (LATE, "dense", "is a late-interaction model.*not a dense encoder"),
        (LATE, "sparse", "no weights for terms"),
        (DENSE, "sparse", "no weights for terms"),
        (MASKED, None, "say which it is with --kind"),
        ({"config_sentence_transformers.json": {"model_type": "CrossEncoder"}}, None, "is a reranker.*cannot search"),
        ({"config.json": {"architectures": ["XLMRobertaForSequenceClassification"]}}, None, "is a reranker"),
        ({"config.json": {"architectures": ["XLMRobertaForSequenceClassification"]}}, "dense", "is a reranker"),
    ],
)
def test_a_model_of_another_kind_is_refused(tmp_path, files, kind, said):
    """It would give plausible numbers that are wrong: the error says which kind it is, and what to do."""
    with pytest.raises(EncoderError, match=said):
        folders.adapter_of(written(tmp_path, files), revision=None, kind=kind)


def test_an_unknown_kind_is_refused(tmp_path):
    """The error names those that there are."""
    with pytest.raises(UnknownNameError, match="dense, sparse, late"):
        folders.adapter_of(written(tmp_path, DENSE), revision=None, kind="reranker")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("e5-small", "e5-small"),
        ("mine/checkpoint-500", "mine/checkpoint-500"),
        ("mine/model", "mine/model"),
        ("mine/final", "mine/final"),
        (f"hub/models--owner--name/snapshots/{'0a' * 20}", "owner/name"),
        (f"mine/{'0a' * 20}", f"mine/{'0a' * 20}"),
    ],
)
def test_a_folders_name_says_which_model_it_is(tmp_path, path, name):
    """A name that many models have has the parent's before it; a snapshot in the Hub's cache has its Hub id."""
    (tmp_path / path).mkdir(parents=True)
    assert folders.name_of(str(tmp_path / path)) == name
