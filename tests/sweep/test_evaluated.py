"""Tests of the files of sweeps: what they say, and errors with line and key."""

from __future__ import annotations

import pytest

from xlbench.errors import UsageError
from xlbench.sweep import read

WHOLE = """\
models:
  - hash
  - model: bm25
    name: words
    arguments:
      - {k1: 1}
      - k1: 2
    variants: [{}]
tasks: [demo, demo, xquad-r]
variants:
  - {}
  - transform: center
    pool: balanced:10
"""


@pytest.fixture
def refusal(tmp_path):
    """What is said of a file with this content, without the folder."""

    def said(text):
        file = tmp_path / "sweep.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError) as error:
            read(file)
        return str(error.value).replace(f"{tmp_path}/", "")

    return said


def test_a_sweep_is_the_product_of_models_arguments_and_variants(tmp_path):
    """A model has the sweep's variants unless it has its own; each knows the lines that it is from."""
    file = tmp_path / "sweep.yaml"
    file.write_text(WHOLE, encoding="utf-8")
    sweep = read(file)
    assert sweep.tasks == ("demo", "xquad-r")
    assert [(m.model, m.name, m.arguments, m.changes, m.where.removeprefix(str(file))) for m in sweep.models] == [
        ("hash", None, {}, {}, ", line 2"),
        ("hash", None, {}, {"transform": "center", "pool": "balanced:10"}, ", lines 2 and 12"),
        ("bm25", "words", {"k1": 1}, {}, ", line 3"),
        ("bm25", "words", {"k1": 2}, {}, ", line 3"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sweep.yaml, line 1: Expected `object`, got `null`."),
        ("models: [hash]\n", "sweep.yaml, line 1: Object missing required field `tasks`."),
        ("models: [hash]\ntasks: []\n", "sweep.yaml, line 2, tasks: Expected `array` of length >= 1."),
        ("models:\n- hash\n- {model: hash,\n   size: 3}\ntasks: [demo]\n", "sweep.yaml, line 4, models[1]: Object"),
        (
            "models: [hash]\ntasks: [demo]\nvariants:\n- pool: one\n  depth: x\n",
            "sweep.yaml, line 5, variants[0].depth",
        ),
        ("models: [hash]\nmodels: [bm25]\ntasks: [demo]\n", "the key 'models' is given twice"),
        ("models: [hash\n", "sweep.yaml is no sweep"),
        ("models: [hash]\ntasks: [demo]\nwhen: 2020-13-45\n", "sweep.yaml is no sweep"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_said_with_line_and_key(refusal, text, expected):
    """Whatever is wrong, the message leads to it."""
    assert expected in refusal(text)
