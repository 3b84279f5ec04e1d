"""The judged pairs that come with xlbench are those of the data."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import random_collection
from xlbench import catalogue
from xlbench.errors import TaskError
from xlbench.leaderboard import judgements
from xlbench.measures.ranks import Judged

FOLDER = Path(judgements.__file__).parents[2] / "tasks" / "judgements"


def test_those_of_the_demo_are_right(tmp_path):
    """What `tools/judgements.py` wrote for the built-in collection is what the collection has."""
    task = catalogue.load("demo")
    collection = catalogue.read_collection(task, languages=task.languages, data_dir=None, cache_dir=tmp_path)
    known = judgements.known(task)
    assert known.pairs == judgements.pairs_of(Judged.of(collection))
    assert (known.n_pairs, len(known.pairs), known.languages) == (7744, 121, task.languages)


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["xquad-r", "mlqa-r"])
def test_those_of_real_tasks_are_right(name, real_data, tmp_path):
    """They are made from the data, and those of the same sentences with their paragraphs are the same."""
    task = catalogue.load(name)
    collection = catalogue.read_collection(task, languages=task.languages, data_dir=real_data, cache_dir=tmp_path)
    expected = judgements.pairs_of(Judged.of(collection))
    assert judgements.known(task).pairs == expected
    assert judgements.known(catalogue.load(f"{name}-context")).pairs == expected


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_each_file_is_of_the_task_s_version(path):
    """Raising a task's version without making its judgements anew is found out here."""
    assert judgements.known(catalogue.load(path.stem)).n_pairs > 0


def test_a_task_without_judgements_has_none(tmp_path):
    """A task file of one's own has no judgements beside it."""
    assert judgements.known(replace(catalogue.load("demo"), file=tmp_path / "demo.yaml")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged: make it anew with tools/judgements.py"),
        ('{"version": 2}', "damaged"),
        ('{"version": 2, "languages": ["de"], "pairs": {"de>de": "many x"}}', "damaged"),
        ('{"version": 1, "languages": [], "pairs": {}}', "is of version 1 of demo, which is at version 2"),
    ],
)
def test_judgements_that_cannot_be_used_are_said(tmp_path, text, message):
    """A damaged file and one of another version say so, and how to make it anew."""
    (tmp_path / "judgements").mkdir()
    (tmp_path / "judgements" / "demo.json").write_text(text)
    with pytest.raises(TaskError, match=message):
        judgements.known(replace(catalogue.load("demo"), file=tmp_path / "demo.yaml"))


def judged(**changes) -> Judged:
    """The judged pairs of a small collection."""
    return replace(Judged.of(random_collection(np.random.default_rng(3))), **changes)


def test_the_order_of_pairs_does_not_matter():
    """Evidence whose rows stand in another order has the same pairs."""
    first = judged()
    order = np.lexsort((np.random.default_rng(0).random(len(first.query)), first.query))
    shuffled = replace(
        first,
        passage_ids=[first.passage_ids[row] for row in order],
        passage_language=first.passage_language[order],
        gain=first.gain[order],
    )
    assert judgements.pairs_of(shuffled) == judgements.pairs_of(first)
    assert judgements.fault(shuffled, judgements.pairs_of(first)) is None


def test_other_pairs_are_a_fault():
    """Another gain, id or language of a pair is found, and where it is."""
    expected = judgements.pairs_of(judged())
    first = judged()
    gain = first.gain.copy()
    gain[0] += 1
    ids = [*first.passage_ids[:-1], "other"]
    language = first.passage_language.copy()
    language[0] = (language[0] + 1) % 3
    for changed in ({"gain": gain}, {"passage_ids": ids}, {"passage_language": language}):
        assert "pairs of " in judgements.fault(judged(**changed), expected)


def test_a_part_of_the_languages_is_held_against_that_part():
    """Pairs with a language that a submission leaves out are not expected of it."""
    of_three = judged()
    keep = (of_three.query_language[of_three.query] < 2) & (of_three.passage_language < 2)
    part = replace(
        of_three,
        languages=of_three.languages[:2],
        query=of_three.query[keep],
        passage_ids=[id_ for id_, kept in zip(of_three.passage_ids, keep, strict=True) if kept],
        passage_language=of_three.passage_language[keep],
        gain=of_three.gain[keep],
        n_passages=of_three.n_passages[:2],
    )
    assert judgements.fault(part, judgements.pairs_of(of_three)) is None


def test_the_file_can_be_read_by_people():
    """One line a pair of languages, so that a change shows in a diff."""
    lines = (FOLDER / "demo.json").read_text(encoding="utf-8").splitlines()
    assert sum('": "64 ' in line for line in lines) == 121
    assert json.loads("".join(lines))["version"] == 2
