"""Tests of the files of training sweeps: cells, their names, and errors with line and key."""

from __future__ import annotations

import pytest

from xlbench.errors import UsageError
from xlbench.sweep import read_training

OPTIONS = {"recipe": False, "alpha": False, "symmetric": False, "language": True, "pairs": True, "trainer_arg": True}
WHOLE = """\
models: [lab/small, {model: large, name: l, arguments: {pooling: cls}}]
variants:
- {}
- {recipe: own/mine.yaml, alpha: [0, .5]}
- {symmetric: true, language: [de, en], trainer_arg: {optim: adafactor}}
seeds: [3, 1]
options: {pairs: [a.jsonl, b.jsonl]}
tasks: [demo]
"""


def read(tmp_path, text):
    """The sweep of a file with this content."""
    file = tmp_path / "sweep.yaml"
    file.write_text(text, encoding="utf-8")
    return read_training(file, OPTIONS, ["limit"])


def test_a_sweep_is_the_product_of_seeds_models_and_variants(tmp_path):
    """Seed after seed; a list is a variant each unless the option takes several values, and names say what differs."""
    sweep = read(tmp_path, WHOLE)
    arms = ["small", "small-mine-alpha-0", "small-mine-alpha-0.5", "small-symmetric-language-de-en-trainer-arg-optim-"]
    names = [f"{arm}adafactor" if arm.endswith("-") else arm for arm in arms]
    names += [name.replace("small", "l") for name in names]
    assert [cell.name for cell in sweep.cells] == [f"{name}-seed{seed}" for seed in (3, 1) for name in names]
    last = sweep.cells[-1]
    assert last.options == {
        "pairs": ["a.jsonl", "b.jsonl"],
        "symmetric": True,
        "language": ["de", "en"],
        "trainer_arg": {"optim": "adafactor"},
        "init": "large",
        "model_arg": {"pooling": "cls"},
        "seed": 1,
    }
    assert last.where.removeprefix(str(tmp_path)) == "/sweep.yaml, lines 1 and 5"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("symmetric: true", "symetric: true", "sweep.yaml, line 5: 'symetric' is no option of xlbench train here. Did"),
        ("tasks: [demo]", "tasks: [demo]\nevaluation: {limits: 3}", "line 9: 'limits' is no option of xlbench run"),
        ("name: l,", "nam: l,", "sweep.yaml, line 1, models[1]: Object contains unknown field `nam`. Did you mean 'n"),
        ("seeds: [3, 1]", "seeds: [-1]", "sweep.yaml, line 6, seeds[0]: Expected `int` >= 0."),
        ("tasks: [demo]", "", "Object missing required field `tasks`"),
        ("- {}", "- {alpha: 0, recipe: mine}\n- {alpha: 0, recipe: mine}", "small-alpha-0-mine-seed3 is trained"),
    ],
)
def test_what_is_wrong_with_a_sweep_is_said_with_line_and_key(tmp_path, old, new, said):
    """Whatever is wrong, the message leads to it, and says what an unknown key may mean."""
    with pytest.raises(UsageError) as error:
        read(tmp_path, WHOLE.replace(old, new))
    assert said in str(error.value)
