"""The reader of MIRACL."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench import catalogue
from xlbench.catalogue.readers import forms, miracl, parts, read
from xlbench.collection.clusters import question_of
from xlbench.errors import DataError, XlbenchError

PASSAGES = {
    "yo": [[("10#0", "Kin", "Ni."), ("10#1", "", "Bẹẹ.")], [("2#0", "Tani", "Emi. ")]],
    "sw": [[("10#0", "Nini", "Hii.")]],
}
TOPICS = {"yo": [("10#0", "Kin ni?"), ("7#0", "Tani?")], "sw": [("10#0", "Nini?")]}
JUDGED = {"yo": [("10#0", "10#0", 0), ("10#0", "10#1", 1), ("7#0", "2#0", 1), ("7#0", "10#0", 1)]}
JUDGED["sw"] = [("10#0", "10#0", 1)]


def jsonl(path, passages):
    """Writes passages as gzipped JSON lines."""
    lines = [json.dumps(dict(zip(("docid", "title", "text"), passage, strict=True))) + "\n" for passage in passages]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    return path


def tsv(path, rows):
    """Writes rows with tabs."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path):
    """Yoruba in two files and Swahili in one, with the same ids in both, in the upstream form."""
    return {
        "passages": {
            language: [jsonl(tmp_path / f"{language}-{i}.jsonl.gz", some) for i, some in enumerate(shards)]
            for language, shards in PASSAGES.items()
        },
        "queries": {language: [tsv(tmp_path / f"{language}-topics.tsv", rows)] for language, rows in TOPICS.items()},
        "judgements": {
            language: [tsv(tmp_path / f"{language}-qrels.tsv", [(q, "Q0", p, gain) for q, p, gain in rows])]
            for language, rows in JUDGED.items()
        },
    }


def judged(collection):
    """The judged pairs by id."""
    pairs = collection.pairs
    return [
        (collection.queries.ids[q], collection.passages.ids[p]) for q, p in zip(pairs.query, pairs.passage, strict=True)
    ]


def test_topics_passages_and_judgements_give_a_collection(files):
    """Files are read in their order; what has the gain 0 is no pair; titles that are empty leave no space."""
    collection = read("miracl", files, text="title+text")
    assert collection.languages == ("yo", "sw")
    assert list(collection.queries.text) == ["Kin ni?", "Tani?", "Nini?"]
    assert collection.passages.ids == ("yo:10#0", "yo:10#1", "yo:2#0", "sw:10#0")
    assert list(collection.passages.text) == ["Kin Ni.", "Bẹẹ.", "Tani Emi.", "Nini Hii."]
    assert judged(collection) == [
        ("yo:yo-10#0", "yo:10#1"),
        ("yo:yo-7#0", "yo:10#0"),
        ("yo:yo-7#0", "yo:2#0"),
        ("sw:sw-10#0", "sw:10#0"),
    ]


def test_an_empty_line_may_stand_between_title_and_text(files):
    """The second form of text is Anserini's."""
    assert forms("miracl") == ("title+text", "title+newlines+text")
    texts = read("miracl", files, text="title+newlines+text").passages.text
    assert list(texts) == ["Kin\n\nNi.", "Bẹẹ.", "Tani\n\nEmi.", "Nini\n\nHii."]


def test_a_query_and_a_passage_of_one_id_have_nothing_to_do_with_each_other(files):
    """The passage 10#0 stays among those that the query 10#0 is asked of, and is not relevant to it."""
    collection = read("miracl", files, text="title+text")
    assert "yo:10#0" in collection.passages.ids
    assert ("yo:yo-10#0", "yo:10#0") not in judged(collection)


def test_topics_of_different_languages_are_different_questions(files):
    """Two languages have a topic 10#0, which are no translations of each other: statistics must not join them."""
    questions = [question_of(id_) for id_ in read("miracl", files, text="title+text").queries.ids]
    assert questions == ["yo-10#0", "yo-7#0", "sw-10#0"]


def test_passages_are_read_as_they_are_taken(files):
    """The first passage is given before the rest of the file is read, be it damaged."""
    path = files["passages"]["yo"][0]
    path.write_bytes(gzip.compress(b'{"docid": "1#0", "title": "a", "text": "b"}\n' + b"{}\n" * 200_000)[:-50])
    first = next(miracl.passages({"yo": [path]}, text="title+text"))
    assert (first.id, first.text) == ("yo:1#0", "a b")


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("passages", b'{"docid": "1#0", "title": "a"}\n', r"line 1 has no 'text'; expected it beside 'docid', 'title'"),
        ("passages", b'{"docid": 1, "title": "a", "text": "b"}', r"line 1, 'docid' is 1; expected a string"),
        ("passages", b'\n{"docid": "1#0", "ti', r"line 2 is not valid JSON .* is the file cut off\?"),
        ("passages", b'{"docid": "\xff"}', "line 1 is not UTF-8 at byte 11"),
        ("passages", b'{"docid": "1#0", "title": "", "text": " "}', "line 1: the text of 'yo:1#0' is empty"),
        ("passages", b'{"docid": "2#0", "title": "", "text": "x"}', "The id 'yo:2#0' occurs twice"),
        ("passages", b'{"docid": "8#0", "title": "", "text": "x"}', "names the passage 'yo:10#"),
        ("passages", b"x" * 30_000_000, "line 1, is longer than 16,777,216 bytes; expected one record a line"),
        (
            "passages",
            b'{"docid": "1#0", "title": "", "text": "' + b"x" * 30_000_000 + b'"}\n',
            "line 1, is longer than",
        ),
        ("queries", b"10#0 Kin ni?\n", r"line 1, is '10#0 Kin ni\?'; expected a topic, a tab and its text"),
        ("queries", b"10#0\t \n", "expected a topic, a tab and its text"),
        ("queries", b"10#0\ta\tb\n", "expected a topic, a tab and its text"),
        ("queries", b"10#0\t\xff\n", "line 1, is not UTF-8 at byte 5"),
        ("queries", b"10#0\ta?\n10#0\tb?\n7#0\tc?\n", "The id 'yo:yo-10#0' occurs twice"),
        ("queries", b"10#0\ta?\n", "judges the query 'yo:yo-7#0', which is not among the topics of 'yo'"),
        ("queries", b"10#0\ta?\n7#0\tb?\n9#0\tc?\n", "has no relevant passage for the query 'yo:yo-9#0'; expected one"),
        ("judgements", b"10#0\tQ0\t10#1\t1\n7#0\tQ0\t2#0\t0\n", "has no relevant passage for the query 'yo:yo-7#0'"),
        ("judgements", b"10#0\tQ0\t10#1\n", "line 1, has 3 columns"),
        ("judgements", b"10#0\tQ0\t10#1\tyes\n", "line 1, has the gain 'yes'; expected an integer"),
        (
            "judgements",
            b"10#0\tQ0\t9#9\t1\n7#0\tQ0\t2#0\t1\n",
            "names the passage 'yo:9#9', which the collection does not",
        ),
        ("judgements", b"", "is empty; expected lines of the form"),
    ],
)
def test_files_of_another_shape_are_refused(files, part, content, said):
    """What is not of the shape is a DataError that says where, what was found and what was expected."""
    files[part]["yo"][0].write_bytes(gzip.compress(content, 1) if part == "passages" else content)
    with pytest.raises(DataError, match=said):
        read("miracl", files, text="title+text")


@pytest.mark.parametrize("cut", [-1, -9, 30])
def test_a_file_that_is_cut_off_is_refused(files, cut):
    """A gzip file that ends within a member is a DataError with the file and the last line that is whole."""
    path = files["passages"]["yo"][1]
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(
        DataError, match=r"yo-1\.jsonl\.gz ends, or is damaged, after line [01] \(.*\): copy or download"
    ):
        read("miracl", files, text="title+text")


@given(part=st.sampled_from(miracl.PARTS), content=st.binary() | st.text().map(str.encode))
def test_any_content_gives_a_collection_or_an_xlbench_error(files, part, content):
    """Any bytes give a collection or an XlbenchError, never another exception."""
    path = files[part]["sw"][0]
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        said = [*read("miracl", files, text="title+text").passages.text]
    except XlbenchError as error:
        said = [str(error)]
    path.write_bytes(kept)
    assert all(text.encode() for text in said)


def test_its_files_are_in_three_parts():
    """Passages, queries and judgements have files of their own."""
    assert parts("miracl") == ("passages", "queries", "judgements")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["miracl", "miracl-anserini"])
def test_yoruba_is_read_whole(name, real_data, tmp_path):
    """Yoruba has the sizes of the task file and these records; no other language's files are looked for."""
    task = catalogue.load(name)
    collection = catalogue.read_collection(task, languages=["yo"], data_dir=real_data, cache_dir=tmp_path)
    ids, queries = collection.passages.ids, collection.queries.ids
    # zcat docs-0.jsonl.gz | sed -n '1p;10p;$p' | jq .docid; the same of topics; awk '$4' of qrels | wc -l
    assert [ids[i] for i in (0, 9, -1)] == ["yo:598#0", "yo:604#0", "yo:71570#11"]
    assert [queries[i] for i in (0, 9, -1)] == ["yo:yo-10020#0", "yo:yo-13935#0", "yo:yo-9593#0"]
    assert len(collection.pairs) == 144
    between = " " if name == "miracl" else "\n\n"
    assert [text.startswith(f"A{between}a") for text in collection.passages.text[:2]] == [True, True]
