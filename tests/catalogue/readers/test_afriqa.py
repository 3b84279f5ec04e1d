"""The reader of AfriQA's questions and gold passages."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from xlbench.catalogue import load, needed, read_collection
from xlbench.catalogue.readers import forms, is_whole, optional, parts, read, why_not
from xlbench.errors import DataError

NAME = "gold_span_passages.afriqa.{}.{}.{}.json"


def files(folder, rows, languages=("bem", "en", "fon", "fr", "swa")):
    """The files of the parts, from rows (question, passage, title) by (language, of passages, part)."""
    for (language, answered, part), listed in rows.items():
        records = [
            {"id": str(i), "question_lang": question, "context": passage, "title": title}
            for i, (question, passage, title) in enumerate(listed)
        ]
        path = folder / NAME.format(language, answered, part)
        path.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")
    return {
        part: {language: sorted(folder.glob(NAME.format(language, "*", part))) for language in languages}
        for part in ("test", "dev", "train")
    }


ROWS = {
    ("bem", "en", "test"): [("Q1?", "one ", "A"), ("Q2?", None, None), ("Q1? ", "two", None), ("Q3?", "  ", "")],
    ("bem", "en", "dev"): [(float("nan"), None, None), ("Q4?", "three", "B"), ("Q5?", "one", "A")],
    ("fon", "fr", "test"): [("Q6?", "un", "C")],
    ("swa", "en", "test"): [("Q7?", "one", "A")],
}


def test_test_questions_are_asked_of_the_passages_of_all_parts(tmp_path):
    """Each distinct passage is there once; rows without one are left out, also where the question is NaN."""
    collection = read("afriqa", files(tmp_path, ROWS), text="passage")
    assert collection.queries.ids == ("bem:bem-0", "bem:bem-2", "fon:fon-0", "swa:swa-0")
    assert dict(zip(collection.passages.ids, collection.passages.text, strict=True)) == {
        "en:0": "one",
        "en:1": "two",
        "en:2": "three",
        "fr:0": "un",
    }


def test_equal_questions_have_each_others_passages(tmp_path):
    """A passage that answers a question is not wrong for the same question asked again."""
    collection = read("afriqa", files(tmp_path, ROWS), text="passage")
    judged = [
        (collection.queries.ids[query], collection.passages.ids[passage])
        for query, passage in zip(collection.pairs.query, collection.pairs.passage, strict=True)
    ]
    assert judged == [
        ("bem:bem-0", "en:0"), ("bem:bem-0", "en:1"), ("bem:bem-2", "en:0"), ("bem:bem-2", "en:1"),
        ("fon:fon-0", "fr:0"), ("swa:swa-0", "en:0"),
    ]  # fmt: skip


def test_questions_on_one_article_are_a_cluster_in_all_languages(tmp_path):
    """By its title; without one the passage stands for it."""
    collection = read("afriqa", files(tmp_path, ROWS), text="passage")
    assert collection.clusters.unit == "article"
    assert len(set(collection.clusters.of_query)) == 3
    assert collection.clusters.of_query[0] == collection.clusters.of_query[3]


def test_some_languages_have_no_questions_to_train_on():
    """A task file need not name such files, and all files are read whichever languages are evaluated."""
    assert forms("afriqa") == ("passage",)
    assert parts("afriqa") == ("test", "dev", "train")
    assert optional("afriqa") == ("dev", "train")
    assert is_whole("afriqa")
    assert needed(load("afriqa"), ["bem", "en"]) == load("afriqa").languages
    assert needed(load("xquad"), ["de"]) == ("de",)
    assert "are in different languages" in why_not("afriqa", "mono", text="passage")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({("bem", "en", "test"): [(3.5, "one", "A")]}, "line 1, 'question_lang' is 3.5; expected a string"),
        ({("bem", "en", "test"): [("Q?", 7, "A")]}, "line 1, 'context' is 7; expected a string"),
        ({("bem", "xx", "test"): [("Q?", "one", "A")]}, "does not say in which language its passages are"),
    ],
)
def test_another_shape_is_refused(tmp_path, rows, message):
    """With the file and the line."""
    with pytest.raises(DataError, match=message):
        read("afriqa", files(tmp_path, rows), text="passage")


@pytest.mark.real_data
def test_afriqa(real_data):
    """3,107 questions of 3,111 test rows, four of which have no passage; 6,151 passages, whichever languages are asked.

    python -c 'import json, sys; print(sum(bool((json.loads(l)["context"] or "").strip()) for l in sys.stdin))' and
    wc -l on the published files, by language.
    """
    task = load("afriqa")
    collection = read_collection(task, languages=task.languages, data_dir=real_data, cache_dir=None)
    asked = Counter(id_.partition(":")[0] for id_ in collection.queries.ids)
    assert asked == {
        "bem": 308, "fon": 386, "hau": 300, "ibo": 409, "kin": 345, "swa": 295, "twi": 486, "yor": 253, "zul": 325
    }  # fmt: skip
    assert Counter(id_.partition(":")[0] for id_ in collection.passages.ids) == {"en": 5_361, "fr": 790}
    published = real_data / "afriqa/gold_passages/twi" / NAME.format("twi", "en", "test")
    records = [json.loads(line) for line in published.read_text(encoding="utf-8").splitlines()]
    texts = dict(zip(collection.queries.ids, collection.queries.text, strict=True))
    for place in (0, 9, -1):
        assert texts[f"twi:twi-{records[place]['id']}"] == records[place]["question_lang"].strip()
    some = read_collection(task, languages=["en", "yor"], data_dir=real_data, cache_dir=None)
    assert some.passages.ids == tuple(id_ for id_ in collection.passages.ids if id_.startswith("en:"))
