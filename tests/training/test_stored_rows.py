"""Tests of pair files whose texts stay in files: all is as it is of the same file in memory."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from tests.training.made_pairs import ROWS, write_pairs
from xlbench.errors import DataError
from xlbench.training import stored_rows
from xlbench.training.data import Data
from xlbench.training.hard_negatives import HardNegatives
from xlbench.training.pairs import read_pairs
from xlbench.training.plan import Plan
from xlbench.training.recipes import load
from xlbench.training.stored_rows import StoredRows

LANGUAGES = ("de", "en", "fr", "th")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(stored_rows, "BATCH_LINES", 7)


def ragged(n: int = 120) -> list[dict]:
    """Rows that lack languages, share passages by an id and by a text, and have negatives and scores."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(n):
        texts = {role: {code: f"{code} {role} {i}" for code in LANGUAGES if rng.random() < 0.7} for role in ("q", "p")}
        row = {"id": f"row {i}", "queries": texts["q"], "passages": texts["p"] or {"de": f"only {i}"}}
        if i % 10 == 3:
            row["passage_id"] = f"row {i - 1}"
            row["passages"] = {"fr": f"fr of both {i}"}
            rows[i - 1]["passages"].pop("fr", None)
        if i % 25 == 4:
            row["queries"] = {**row["queries"], "en": f"EN q {i - 1}!"}
        if i % 3 == 0:
            row["negatives"] = {"de": [f"no {i}", f"de p {i - 2}"], "en": [f"en p {i // 2}"]}
            row["scores"] = {"passages": {"de": 1.5}, "negatives": {"de": [0.5, 2]}}
        rows.append(row)
    return [*rows, {"id": "alone", "queries": {}, "passages": {"en": "Nobody asks."}}]


def both(tmp_path, rows):
    """The same file in memory and stored."""
    path = write_pairs(tmp_path / "pairs.jsonl", rows)
    return read_pairs(path), read_pairs(path, store=tmp_path / "store", least=1)


@pytest.mark.parametrize("rows", [ROWS, ragged()], ids=["few", "ragged"])
def test_rows_languages_and_presence_are_those_of_the_file_in_memory(tmp_path, rows):
    """Row by row, in slices, and from another process; small files stay in memory."""
    plain, stored = both(tmp_path, rows)
    assert isinstance(stored.rows, StoredRows)
    assert list(stored.rows) == list(plain.rows)
    assert [stored.rows[-1], *stored.rows[1:3]] == [plain.rows[-1], *plain.rows[1:3]]
    assert list(pickle.loads(pickle.dumps(stored.rows))) == list(plain.rows)
    assert (stored.languages, stored.sha256) == (plain.languages, plain.sha256)
    for ours, theirs in zip(stored.presence(("en", "xx", "fr")), plain.presence(("en", "xx", "fr")), strict=True):
        assert np.array_equal(ours, theirs)
    assert isinstance(read_pairs(plain.path, store=tmp_path / "store").rows, tuple)


@pytest.mark.parametrize("recipe", ["hybrid", "x-y"])
def test_groups_and_batches_are_those_of_files_in_memory(tmp_path, recipe):
    """Of a stored file beside a plain one, with negatives that other rows' passages are."""
    plain, stored = both(tmp_path, ragged())
    other = read_pairs(write_pairs(tmp_path / "other.jsonl", [row | {"id": f"x{row['id']}"} for row in ROWS]))
    ours, theirs = (
        Data.of([file, other], weights=[2.0, 1.0], languages=["de", "en", "fr"]) for file in (stored, plain)
    )
    assert np.array_equal(ours.group, theirs.group)
    assert len(set(ours.group.tolist())) < len(ours.rows)
    plans = [Plan(data.presence, load(recipe), 10, 12, uses=data.uses) for data in (ours, theirs)]
    for epoch in range(plans[0].n_epochs):
        batches = [one.epoch(epoch) for one in plans]
        for number in range(len(batches[0])):
            ours_of, theirs_of = (
                data.batch(of, number, hard=HardNegatives(2), step=number)
                for data, of in zip((ours, theirs), batches, strict=True)
            )
            assert ours_of.queries == theirs_of.queries
            assert ours_of.passages == theirs_of.passages
            assert np.array_equal(ours_of.passage_groups, theirs_of.passage_groups)
            assert np.array_equal(ours_of.scores, theirs_of.scores, equal_nan=True)


def test_a_file_is_stored_once(tmp_path):
    """The second time the folder is taken as it is; a file with another content has a folder of its own."""
    _, stored = both(tmp_path, ragged())
    (folder,) = (tmp_path / "store/pairs").iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = read_pairs(stored.path, store=tmp_path / "store", least=1)
    assert list(again.rows) == list(stored.rows)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    both(tmp_path, ROWS)
    assert len(list((tmp_path / "store/pairs").iterdir())) == 2


@pytest.mark.parametrize(
    "rows",
    [
        [*ROWS, ROWS[1]],
        [*ROWS, {"id": "x", "passage_id": "sky", "queries": {"de": "Was?"}, "passages": {"de": "Ein anderer."}}],
        [*ROWS, {"id": "x", "queries": {"de": " "}, "passages": {"de": "Text."}}],
        [ROWS[2]],
        [],
    ],
    ids=["same id", "two texts", "no text", "no rows", "empty"],
)
def test_what_is_wrong_with_a_file_is_said_as_in_memory(tmp_path, rows):
    """The same sentence, and no folder afterwards."""
    path = write_pairs(tmp_path / "pairs.jsonl", rows)
    with pytest.raises(DataError) as plain:
        read_pairs(path)
    with pytest.raises(DataError) as stored:
        read_pairs(path, store=tmp_path / "store", least=0)
    assert str(stored.value) == str(plain.value)
    assert not list((tmp_path / "store/pairs").iterdir())


def test_files_of_more_languages_than_bits_are_refused(tmp_path):
    """64 languages are the most of a stored file."""
    rows = [{"id": str(i), "queries": {f"l{i}": "q"}, "passages": {f"l{i}": "p"}} for i in range(65)]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="line 65 is in the 65th language; expected 64 at most"):
        read_pairs(path, store=tmp_path / "store", least=1)
