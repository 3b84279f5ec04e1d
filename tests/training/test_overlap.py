"""The guard against contamination."""

from __future__ import annotations

import pytest

from tests.training.made_pairs import write_pairs
from xlbench.catalogue import load, read_collection
from xlbench.collection import Collection, Judgement, Text
from xlbench.training import overlap as overlap_module
from xlbench.training.overlap import check_overlap, overlap
from xlbench.training.pairs import read_pairs

QUERY = "In which year did the last wild aurochs die in the forest of Jaktorów?"
ANSWER = "The last recorded aurochs, a cow, died in 1627 in the Jaktorów forest in Poland of natural causes."
OTHER = "A pool needs passages that answer nothing, such as this one about the tides of the northern sea."


@pytest.fixture
def collection() -> Collection:
    """One query, its answer, and a passage that is not relevant to it."""
    passages = [Text("en:p", "en", ANSWER), Text("en:o", "en", OTHER)]
    return Collection.build(["en"], [Text("en:q", "en", QUERY)], passages, [Judgement("en:q", "en:p", 1)])


def row(
    id_="row", query="Nothing like it is asked there at all", passage="Nor is this what anything there says", **more
):
    """A row in one language."""
    return {"id": id_, "queries": {"en": query}, "passages": {"en": passage}, **more}


@pytest.mark.parametrize(
    ("found", "n_equal", "known"),
    [
        (row(query=QUERY), 1, (1, 0)),
        (row(query=QUERY.upper().replace(" ", "  ")), 1, (1, 0)),
        (row(passage=ANSWER), 1, (0, 1)),
        (row(passage=QUERY), 1, (1, 0)),
        (row(passage=f"Much goes before. {ANSWER} And much comes after it, in a long paragraph."), 0, (0, 1)),
        (row(passage=ANSWER.replace("recorded", "known")), 0, (0, 1)),
        (row(passage=ANSWER[:70]), 0, (0, 1)),
        (row(negatives={"en": [ANSWER]}), 1, (0, 1)),
        (row(), 0, (0, 0)),
        (row(passage=OTHER), 0, (0, 0)),
        (row(passage=ANSWER[:40]), 0, (0, 0)),
        (row(query="?!"), 0, (0, 0)),
    ],
)
def test_rows_with_equal_and_near_texts_are_found(tmp_path, collection, found, n_equal, known):
    """Queries and relevant passages are found in any place of a row; irrelevant ones and small parts are not."""
    pairs = read_pairs(write_pairs(tmp_path / "pairs.jsonl", [row("before"), found | {"id": "it"}]))
    result = overlap(pairs, collection, task="made")
    assert result.rows == (("it",) if any(known) else ())
    assert (result.n_equal, result.n_queries, result.n_passages) == (n_equal, *known)
    assert (result.n_compared, result.n_evaluated, result.task) == (2, 2, "made")


def test_short_texts_overlap_if_equal_and_not_if_near(tmp_path):
    """A text of less than 32 n-grams is only known word by word."""
    made = Collection.build(
        ["en"],
        [Text("en:q", "en", "Who won the cup in 1998?")],
        [Text("en:p", "en", "France")],
        [Judgement("en:q", "en:p", 1)],
    )
    pairs = read_pairs(
        write_pairs(
            tmp_path / "pairs.jsonl", [row("a", "who won the cup in 1998"), row("b", "Who won the cup in 1994?")]
        )
    )
    assert overlap(pairs, made, task="made").rows == ("a",)


def test_the_sentence_says_what_was_found(tmp_path, collection):
    """It has the numbers, the file and some rows; and says as plainly that nothing was found."""
    pairs = read_pairs(write_pairs(tmp_path / "pairs.jsonl", [row(str(i), QUERY) for i in range(7)]))
    assert overlap(pairs, collection, task="made").describe() == (
        "7 of the 7 rows of pairs.jsonl have texts of the 2 queries and relevant passages of made in en, 7 of them "
        "word by word: they know 1 of the queries and 0 of the passages (rows 0, 1, 2, 3, 4 and others)."
    )
    clean = read_pairs(write_pairs(tmp_path / "clean.jsonl", [row()]))
    assert overlap(clean, collection, task="made").describe() == (
        "None of the 1 rows of clean.jsonl has a text of the 2 queries and relevant passages of made in en."
    )


def test_without_data_the_tasks_that_come_with_xlbench_are_at_hand(tmp_path):
    """Nothing is downloaded: of the tasks, only the built-in collection is compared."""
    demo = load("demo")
    collection = read_collection(demo, languages=demo.languages, data_dir=None, cache_dir=tmp_path)
    known = read_pairs(write_pairs(tmp_path / "known.jsonl", [row("it", query=collection.queries.text[0]), row()]))
    clean = read_pairs(write_pairs(tmp_path / "clean.jsonl", [row()]))
    found = check_overlap([known, clean], None, cache_dir=tmp_path)
    assert [(each.task, each.path.name, each.rows) for each in found] == [
        ("demo", "known.jsonl", ("it",)),
        ("demo", "clean.jsonl", ()),
    ]


@pytest.mark.real_data
def test_the_libreoffice_pairs_have_no_text_of_a_task(real_data, tmp_path, monkeypatch):
    """None of 9,850 rows overlaps with XQuAD-R, MLQA-R, MIRACL Yoruba or the built-in collection."""
    pairs = read_pairs(real_data / "train" / "libreoffice-help-7.4.jsonl.gz")
    monkeypatch.setattr(overlap_module, "names", lambda: ["demo", "miracl", "mlqa-r", "xquad-r"])  # One form of each.
    found = check_overlap([pairs], real_data, cache_dir=tmp_path)
    assert {each.task: each.n_rows for each in found} == dict.fromkeys(["demo", "miracl", "mlqa-r", "xquad-r"], 0)
