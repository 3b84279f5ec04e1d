"""The reader of Belebele."""

from __future__ import annotations

import json

import pytest

from xlbench.catalogue.readers import forms, read
from xlbench.collection.clusters import question_of
from xlbench.errors import DataError


def line(link, number, **changes):
    """A line of the upstream form."""
    record = {
        "link": link,
        "question_number": number,
        "flores_passage": f"About {link}.",
        "question": f"What of {link}, {number}?",
        "mc_answer1": "a",
        "correct_answer_num": "1",
        "dialect": "deu_Latn",
        "ds": "2023-05-03",
    }
    return record | changes


LINES = [line("https://x/a", 1), line("https://x/b", 1), line("https://x/a", 2)]


def write(path, lines):
    """Writes records as JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in lines), encoding="utf-8")
    return path


def test_questions_on_one_text_share_their_passage(tmp_path):
    """A link is one passage a language; its questions are answered by it in all languages."""
    files = {language: write(tmp_path / f"{language}.jsonl", LINES) for language in ("de", "th")}
    collection = read("belebele", files, text="passage")
    assert forms("belebele") == ("passage",)
    assert collection.languages == ("de", "th")
    assert collection.queries.ids[:3] == ("de:https://x/a#1", "de:https://x/b#1", "de:https://x/a#2")
    assert collection.passages.ids == ("de:https://x/a", "de:https://x/b", "th:https://x/a", "th:https://x/b")
    assert collection.passages.text[0] == "About https://x/a."
    pairs = collection.pairs
    asked = [collection.queries.ids[q] for q in pairs.query]
    answered_by = [collection.passages.ids[p] for p in pairs.passage]
    assert len(pairs) == 6 * 2
    assert collection.clusters.unit == "page"
    assert collection.clusters.of_query[:3] == ("https://x/a", "https://x/b", "https://x/a")
    assert all(question_of(q).rpartition("#")[0] == question_of(p) for q, p in zip(asked, answered_by, strict=True))


def test_a_question_that_a_language_lacks_is_not_judged_there(tmp_path):
    """A passage that a language does not have is no answer."""
    files = {"de": write(tmp_path / "de.jsonl", LINES), "th": write(tmp_path / "th.jsonl", LINES[1:2])}
    assert len(read("belebele", files, text="passage").pairs) == 2 + 2 + 2


def test_the_passage_of_a_link_is_that_of_its_first_line(tmp_path):
    """Where the lines of a link differ in their passage, the first one counts, as in MTEB."""
    other = [LINES[0], line("https://x/a", 2, flores_passage="Something else.")]
    collection = read("belebele", {"de": write(tmp_path / "de.jsonl", other)}, text="passage")
    assert list(collection.passages.text) == ["About https://x/a."]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (line("a", "1"), "line 2, 'question_number' is '1'; expected an integer"),
        (line(None, 1), "line 2, 'link' is None; expected a string"),
        ({"link": "a"}, "line 2 has no 'flores_passage'; expected it beside 'link'"),
        (line("https://x/a", 1), "The id 'de:https://x/a#1' occurs twice"),
        (line("c", 1, question=" "), "the text of 'de:c#1' is empty"),
        ([], r"line 2 is \[\]; expected an object"),
    ],
)
def test_a_line_of_another_shape_is_refused(tmp_path, record, said):
    """A line that is not of the shape is a DataError that says which line and what is wrong."""
    path = write(tmp_path / "bad.jsonl", [LINES[0], record])
    with pytest.raises(DataError, match=said):
        read("belebele", {"de": path}, text="passage")
