"""A model's folder may have Python files; none is run unless the user says so."""

from __future__ import annotations

import json
import sys
import tomllib
from contextlib import nullcontext
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.models.made_models import make_bert, make_sentence_bert
from xlbench import models
from xlbench.errors import EncoderError

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
CODE = """
from pathlib import Path
Path(__file__).with_name("it-ran").touch()
from sentence_transformers.models import Normalize
from transformers import BertConfig, BertModel, BertTokenizerFast
class Other(Normalize): pass
class OtherConfig(BertConfig): pass
class OtherModel(BertModel): pass
class OtherTokenizer(BertTokenizerFast): pass
"""


def with_module(folder: Path) -> None:
    """Has sentence-transformers take a module of the folder."""
    make_sentence_bert(folder)
    path = folder / "modules.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found[-1]["type"] = "other.Other"
    path.write_text(json.dumps(found), encoding="utf-8")


def with_model(folder: Path) -> None:
    """Has transformers take a model and its configuration of the folder."""
    make_bert(folder)
    edit(folder / "config.json", AutoConfig="other.OtherConfig", AutoModel="other.OtherModel")
    found = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**found, "model_type": "other"}), encoding="utf-8")


def with_tokenizer(folder: Path) -> None:
    """Has transformers take a tokenizer of the folder."""
    make_sentence_bert(folder)
    for name in ("tokenizer_config.json", "config.json"):
        edit(next(folder.rglob(name)), AutoTokenizer=["other.OtherTokenizer", "other.OtherTokenizer"])


def edit(path: Path, **classes: object) -> None:
    """Names classes of the folder in a configuration."""
    found = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**found, "auto_map": classes}), encoding="utf-8")


@pytest.mark.parametrize(
    ("make", "refusal"),
    [
        (with_module, pytest.raises(EncoderError, match=r"'other\.Other'")),
        (with_model, pytest.raises(EncoderError, match="cannot be loaded")),
        (with_tokenizer, nullcontext()),  # It has one that needs no code.
    ],
)
def test_code_in_a_model_s_folder_is_not_run(tmp_path, make, refusal):
    """Neither by sentence-transformers, which ran modules of local folders before version 6, nor by transformers."""
    folder = tmp_path / "model"
    folder.mkdir()
    make(folder)
    (folder / "other.py").write_text(CODE, encoding="utf-8")
    with refusal:
        models.load(str(folder)).encoder.encode_queries(["a b"])
    assert not list(tmp_path.rglob("it-ran"))
    assert "other" not in sys.modules


def test_the_library_that_refuses_is_required():
    """Version 6 of sentence-transformers is the first that asks for trust_remote_code in a local folder."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    required = {each.name: each for each in map(Requirement, project["dependencies"])}
    assert "5.9" not in required["sentence-transformers"].specifier
    assert "6.0" in required["sentence-transformers"].specifier
