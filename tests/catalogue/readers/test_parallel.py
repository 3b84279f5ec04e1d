"""The reader of parallel text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.catalogue.readers import forms, read
from xlbench.collection import Clusters
from xlbench.errors import DataError, XlbenchError

RECORDS = [
    {"id": "b", "queries": {"de": "wer?", "en": "who?"}, "passages": {"de": "ich", "en": "I", "fr": "moi"}},
    {"id": "a", "queries": {}, "passages": {"en": "nobody asks"}},
    {"id": "c", "queries": {"en": "what?"}, "passages": {"de": "das", "en": "that"}},
]


def write(path, records):
    """Writes records as JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def judged(collection):
    """The judged pairs by id, with their gains."""
    pairs = collection.pairs
    return {
        (collection.queries.ids[q], collection.passages.ids[p]): gain
        for q, p, gain in zip(pairs.query, pairs.passage, pairs.gain.tolist(), strict=True)
    }


def test_one_file_gives_every_language(tmp_path):
    """A line gives a query and a passage in each of its languages; its passages answer all its queries."""
    path = write(tmp_path / "all.jsonl", RECORDS)
    collection = read("parallel", {"en": path, "de": path}, text="passage")
    assert collection.languages == ("en", "de")
    assert collection.queries.ids == ("en:b", "en:c", "de:b")
    assert collection.passages.ids == ("en:b", "en:a", "en:c", "de:b", "de:c")
    assert list(collection.passages.text) == ["I", "nobody asks", "that", "ich", "das"]
    assert judged(collection) == {
        ("en:b", "en:b"): 1,
        ("en:b", "de:b"): 1,
        ("en:c", "en:c"): 1,
        ("en:c", "de:c"): 1,
        ("de:b", "en:b"): 1,
        ("de:b", "de:b"): 1,
    }


def test_a_file_for_each_language_gives_pairs_within_a_language(tmp_path):
    """With a file for each language, a query is answered by the passages of its own file."""
    files = {language: write(tmp_path / f"{language}.jsonl", [RECORDS[0]]) for language in ("de", "en")}
    assert judged(read("parallel", files, text="passage")) == {("de:b", "de:b"): 1, ("en:b", "en:b"): 1}


SHARED = [
    {"id": "1", "passage_id": "p", "queries": {"de": "wer?"}, "passages": {"de": "ich"}},
    {"id": "2", "passage_id": "p", "queries": {"de": "wann?", "en": "when?"}, "passages": {"de": "ich", "en": "I"}},
]


def test_lines_may_share_a_passage(tmp_path):
    """Questions about one text are lines with one passage_id: the text is one passage, and answers all of them."""
    path = write(tmp_path / "x.jsonl", SHARED)
    collection = read("parallel", {"de": path, "en": path}, text="passage")
    assert collection.queries.ids == ("de:1", "de:2", "en:2")
    assert collection.passages.ids == ("de:p", "en:p")
    assert set(judged(collection)) == {(q, p) for q in collection.queries.ids for p in collection.passages.ids}
    assert collection.clusters == Clusters("passage", ("p", "p", "p"))


def test_lines_may_name_a_cluster(tmp_path):
    """Lines of one cluster are drawn together; where no line names one or shares a passage, each is by itself."""
    lines = [line | {"cluster": cluster} for line, cluster in zip([*SHARED, *SHARED[:1]], "abc", strict=True)]
    lines[2] |= {"id": "3"}
    path = write(tmp_path / "x.jsonl", lines)
    assert read("parallel", {"de": path}, text="passage").clusters == Clusters("cluster", ("a", "b", "c"))
    alone = [{name: value for name, value in line.items() if name != "passage_id"} for line in SHARED]
    path = write(tmp_path / "y.jsonl", alone)
    assert read("parallel", {"de": path, "en": path}, text="passage").clusters.unit == "question"


def test_one_text_is_one_passage(tmp_path):
    """Two texts of one passage_id and language are a DataError that says where."""
    other = SHARED[0] | {"id": "3", "passages": {"de": "du"}}
    path = write(tmp_path / "x.jsonl", [*SHARED, other])
    said = "line 3 has another text than a line above for the passage 'p' in 'de'; expected one text for each"
    with pytest.raises(DataError, match=said):
        read("parallel", {"de": path, "en": path}, text="passage")


def test_it_has_one_form_of_text():
    """The reader gives passages in one form."""
    assert forms("parallel") == ("passage",)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"queries": {}, "passages": {}}, "line 2 has no 'id'; expected it beside 'queries', 'passages'"),
        ({"id": 7, "queries": {}, "passages": {}}, "line 2, 'id' is 7; expected a string"),
        ({"id": "x", "queries": {}}, "line 2 has no 'passages'"),
        ({"id": "x", "queries": [], "passages": {}}, r"line 2, 'queries' is \[\]; expected an object"),
        ({"id": "x", "queries": {"de": None}, "passages": {}}, "line 2, queries in 'de' is None; expected a string"),
        ({"id": "x", "queries": {"de": "wer?"}, "passages": {}}, "line 2 has a query but no passage"),
        ({"id": "b", "queries": {"en": "who?"}, "passages": {"en": "me"}}, "The id 'en:b' occurs twice"),
        ({"id": "x", "queries": {"de": " \n"}, "passages": {"de": "ich"}}, "line 2: the text of 'de:x' is empty"),
        ({"id": "x", "queries": {}, "passages": {"de": ""}}, "line 2: the text of 'de:x' is empty"),
        ({"id": "x", "passage_id": 7, "queries": {}, "passages": {}}, "line 2, 'passage_id' is 7; expected a string"),
        (["id", "queries", "passages"], "line 2 is .*; expected an object"),
    ],
)
def test_a_line_of_another_shape_is_refused(tmp_path, record, said):
    """A line that is not of the shape is a DataError that says which line and what is wrong."""
    path = write(tmp_path / "bad.jsonl", [RECORDS[0], record])
    with pytest.raises(DataError, match=said):
        read("parallel", {"de": path, "en": path}, text="passage")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"id": "x", "quer', r"line 1 is not valid JSON at line 1, column 13 \(.*\): is the file cut off\?"),
        (b'{"id": "\xe9"}\n', "line 1 is not UTF-8 at byte 8"),
        (rb'{"id": "x", "queries": {"de": "\udc00"}, "passages": {"de": "y"}}', "half of a surrogate pair"),
        (b'{"id": NaN, "queries": {}, "passages": {}}', "line 1, 'id' is nan"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, said):
    """Bytes that are no JSON lines are a DataError that names file and line."""
    path = tmp_path / "damaged.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        read("parallel", {"de": path}, text="passage")
    assert f"{path}, line 1" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.dictionaries(st.sampled_from(["de", "en", "fr"]), st.text(st.characters(), max_size=4) | JSON, max_size=3)
NEARLY_RECORDS = st.fixed_dictionaries(
    {}, optional={"id": st.text(max_size=1) | JSON, "queries": TEXTS | JSON, "passages": TEXTS | JSON}
)


@given(content=st.binary() | st.lists(NEARLY_RECORDS | JSON, max_size=3))
def test_any_content_gives_a_collection_or_an_xlbench_error(tmp_path, content):
    """Any bytes and any lines of JSON give a collection or an XlbenchError, never another exception."""
    path = tmp_path / "any.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else "\n".join(map(json.dumps, content)).encode())
    try:
        collection = read("parallel", {"de": path, "en": path}, text="passage")
        said = [*collection.queries.text, *collection.passages.text]
    except XlbenchError as error:
        said = [str(error)]
    assert all(text.encode() for text in said)


def test_a_query_may_lack_a_passage_in_the_languages_at_hand(tmp_path):
    """A query that is answered in a language which is not read stays, without a judgement."""
    path = write(tmp_path / "x.jsonl", [{"id": "x", "queries": {"de": "wer?"}, "passages": {"fr": "moi"}}, RECORDS[0]])
    collection = read("parallel", {"de": path}, text="passage")
    assert collection.queries.ids == ("de:x", "de:b")
    assert judged(collection) == {("de:b", "de:b"): 1}
