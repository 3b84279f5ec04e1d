"""Published parallel data as rows of pair files."""

from __future__ import annotations

import gzip
import json

import pytest

from xlbench.errors import DataError, UnknownNameError
from xlbench.training.convert import Dropped, from_lines, from_mmarco, from_squad, with_letters
from xlbench.training.pairs import read_pairs, write_rows

TRIPLES = [(7, 20, 30), (8, 21, 31), (7, 20, 32), (7, 22, 30), (7, 20, 30), (8, 21, 33)]


@pytest.fixture
def mmarco(tmp_path):
    """The folders of the Hub's data set with a few rows of two languages; other ids are there too."""
    data = tmp_path / "mmarco" / "data"
    for folder in ("google/queries/train", "google/collections"):
        (data / folder).mkdir(parents=True)
    write_table(data / "triples.train.ids.small.tsv", TRIPLES)
    for name, code in (("english", "en"), ("german", "de")):
        queries = [(i, f"{code} query {i}") for i in range(10)]
        passages = [(i, f"{code} passage {i}") for i in range(40)]
        write_table(data / f"google/queries/train/{name}_queries.train.tsv", queries)
        write_table(data / f"google/collections/{name}_collection.tsv", passages)
    return tmp_path / "mmarco"


def write_table(path, rows):
    """Writes rows with tabs between their columns."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def test_mmarco_gives_a_row_for_each_query_and_passage_of_the_triples(mmarco):
    """Rows come in the order of the triples, in the languages asked for; the passage's id is its identity."""
    rows = list(from_mmarco(mmarco, ["de", "en"]))
    assert [row["id"] for row in rows] == ["7-20", "8-21", "7-22"]
    assert rows[0] == {
        "id": "7-20",
        "passage_id": "20",
        "queries": {"de": "de query 7", "en": "en query 7"},
        "passages": {"de": "de passage 20", "en": "en passage 20"},
    }
    assert [list(row["queries"]) for row in from_mmarco(mmarco, ["en"])] == [["en"]] * 3


def test_mmarco_gives_the_first_rows_with_their_first_negatives(mmarco):
    """Negatives come from all triples of a row, each once, also where only the first rows are taken."""
    rows = list(from_mmarco(mmarco, ["en"], n_rows=2, n_negatives=2))
    assert [row["id"] for row in rows] == ["7-20", "8-21"]
    assert rows[0]["negatives"] == {"en": ["en passage 30", "en passage 32"]}
    assert rows[1]["negatives"] == {"en": ["en passage 31", "en passage 33"]}


def test_rows_of_mmarco_are_a_pair_file(mmarco, tmp_path):
    """What is written can be trained on."""
    path = tmp_path / "pairs.jsonl.gz"
    assert write_rows(from_mmarco(mmarco, ["de", "en"], n_negatives=1), path) == 3
    assert [row.passage for row in read_pairs(path).rows] == ["20", "21", "22"]


def test_a_language_that_mmarco_lacks_is_refused(mmarco):
    """The nearest that it has is named."""
    with pytest.raises(UnknownNameError, match="Unknown language 'el'"):
        list(from_mmarco(mmarco, ["el"]))


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("triples.train.ids.small.tsv", None, "triples.train.ids.small.tsv was not found"),
        ("triples.train.ids.small.tsv", "7\t20\n", "line 1 has 2 columns; expected 3"),
        ("google/collections/english_collection.tsv", "20\tx\n", "has no text of '2[12]', which the triples name"),
        ("google/queries/train/english_queries.train.tsv", "7\n", "line 1 has 1 columns; expected 2"),
    ],
)
def test_a_file_of_mmarco_that_is_missing_or_cut_off_is_refused(mmarco, file, content, message):
    """The message has the file and what was expected."""
    path = mmarco / "data" / file
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        list(from_mmarco(mmarco, ["en"]))


def squad(path, paragraphs):
    """Writes a SQuAD-style file: of each paragraph, its text and its questions by id."""
    found = [
        {
            "context": context,
            "sentence_breaks": [[0, context.index(".") + 1], [context.index(".") + 2, len(context)]],
            "qas": [
                {"id": id_, "question": question, "answers": [{"answer_start": at, "text": ""}] if at >= 0 else []}
                for id_, (question, at) in questions.items()
            ],
        }
        for context, questions in paragraphs
    ]
    path.write_text(json.dumps({"data": [{"paragraphs": found}]}), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path):
    """Two languages; a question is in one of them only."""
    english = [("One is odd. Two is even.", {"a": ("What is odd?", 0), "b": ("What is even?", 12)})]
    german = [("Eins ist ungerade. Zwei ist gerade.", {"a": ("Was ist ungerade?", 2)})]
    return {"en": squad(tmp_path / "en.json", english), "de": squad(tmp_path / "de.json", german)}


def test_squad_gives_a_row_for_each_question_with_its_paragraph(files):
    """Rows of one paragraph in the same languages have one passage_id."""
    rows = list(from_squad(files))
    assert [(row["id"], list(row["queries"])) for row in rows] == [("a", ["en", "de"]), ("b", ["en"])]
    assert rows[0]["passages"] == {"en": "One is odd. Two is even.", "de": "Eins ist ungerade. Zwei ist gerade."}
    first, second = from_squad({"en": files["en"]})
    assert first["passage_id"] == second["passage_id"]


def test_squad_with_sentence_breaks_gives_the_sentence_of_the_answer(files):
    """The passage is the sentence in which the answer starts."""
    passages = {row["id"]: row["passages"] for row in from_squad(files, sentences=True)}
    assert passages == {"a": {"en": "One is odd.", "de": "Eins ist ungerade."}, "b": {"en": "Two is even."}}


def test_questions_without_an_answer_are_left_out(tmp_path):
    """SQuAD 2 asks what a paragraph does not say."""
    path = squad(tmp_path / "en.json", [("One is odd. Two is even.", {"a": ("What?", 0), "b": ("Who?", -1)})])
    assert [row["id"] for row in from_squad({"en": path})] == ["a"]


def test_an_id_that_occurs_twice_is_refused(tmp_path):
    """The place of the second is named."""
    path = squad(tmp_path / "en.json", [("One is odd. Two.", {"a": ("What?", 0)})] * 2)
    with pytest.raises(DataError, match="paragraph 1, question 0 has the id 'a'"):
        list(from_squad({"en": path}))


def test_texts_without_letters_are_dropped_and_counted_and_so_are_rows_that_have_none_left():
    """A row keeps its other languages; without a query or a passage it is no row."""
    rows = [
        {
            "id": "1",
            "queries": {"en": "a", "de": "???"},
            "passages": {"en": "b", "de": ""},
            "negatives": {"en": ["—", "c"]},
        },
        {"id": "2", "queries": {"en": "a"}, "passages": {"en": " "}},
    ]
    dropped = Dropped()
    assert list(with_letters(rows, dropped)) == [
        {"id": "1", "queries": {"en": "a"}, "passages": {"en": "b"}, "negatives": {"en": ["c"]}}
    ]
    assert dropped == Dropped(n_texts=4, n_rows=1)


def test_lines_give_a_row_for_each_sentence(tmp_path):
    """Line by line; a blank line is left out in its language alone, and packed files and a byte order mark are read."""
    (tmp_path / "a.de").write_text("\ufeffeins\nzwei\n\nvier", encoding="utf-8")
    with gzip.open(tmp_path / "a.en.gz", "wt", encoding="utf-8") as file:
        file.write("one\ntwo \nthree\nfour\n")
    files = {"de": tmp_path / "a.de", "en": tmp_path / "a.en.gz"}
    rows = list(from_lines(files))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[1] == {"id": "2", "queries": {"de": "zwei", "en": "two"}, "passages": {"de": "zwei", "en": "two"}}
    assert rows[2]["passages"] == {"en": "three"}
    assert list(from_lines(files, n_rows=3)) == rows[:3]


def test_files_of_different_length_are_refused(tmp_path):
    """Their lines could not be translations of each other."""
    (tmp_path / "a.de").write_text("eins\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.de has 1 lines and .*a\.en 2"):
        list(from_lines({"de": tmp_path / "a.de", "en": tmp_path / "a.en"}))
