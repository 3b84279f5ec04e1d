"""The reader of data in BEIR form."""

from __future__ import annotations

import gzip
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.catalogue.readers import beir, forms, read
from xlbench.errors import DataError, XlbenchError

PASSAGES = [
    {"_id": "d1", "title": "Ti", "text": "tle", "metadata": {}},
    {"_id": "d2", "title": "", "text": " alone "},
    {"_id": "d3", "title": " ", "text": ""},
    {"_id": "10", "text": "no title"},
]
QUERIES = [{"_id": "q1", "text": "one?"}, {"_id": "of another set", "text": "?"}, {"_id": "10", "text": "ten?"}]
JUDGED = [("q1", "d1", 2), ("q1", "d2", 0), ("10", "10", 1), ("10", "d1", -1), ("of another set", "d1", 0)]
HEAD = "query-id\tcorpus-id\tscore\n"


def jsonl(records):
    """Records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def table(rows):
    """Judgements as a table with its head."""
    return (HEAD + "".join("\t".join(map(str, row)) + "\n" for row in rows)).encode()


def judgement_records(rows):
    """Judgements as records."""
    return [dict(zip(("query-id", "corpus-id", "score"), row, strict=True)) for row in rows]


def files_of(folder, language="en", passages=PASSAGES, queries=QUERIES, judged=JUDGED):
    """The three files of a language."""
    contents = {"passages.jsonl": jsonl(passages), "queries.jsonl": jsonl(queries), "judgements.tsv": table(judged)}
    for name, content in contents.items():
        (folder / f"{language}-{name}").write_bytes(content)
    return {name.partition(".")[0]: {language: [folder / f"{language}-{name}"]} for name in contents}


def judged(collection):
    """The judged pairs by id, with their gains."""
    pairs = collection.pairs
    return {
        (collection.queries.ids[q], collection.passages.ids[p]): gain
        for q, p, gain in zip(pairs.query, pairs.passage, pairs.gain.tolist(), strict=True)
    }


def in_zip(folder):
    """All parts in one archive, as BEIR publishes them."""
    path = folder / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/corpus.jsonl", jsonl(PASSAGES))
        archive.writestr("set/queries.jsonl", jsonl(QUERIES))
        archive.writestr("set/qrels/test.tsv", table(JUDGED))
        archive.writestr("set/qrels/train.tsv", "another set")
    return {part: {"en": [path]} for part in beir.PARTS}


def in_gzip(folder):
    """Passages and queries in gzip files, judgements as JSON lines."""
    contents = {"passages": PASSAGES, "queries": QUERIES, "judgements": judgement_records(JUDGED)}
    for part, records in contents.items():
        (folder / f"{part}.jsonl.gz").write_bytes(gzip.compress(jsonl(records)))
    return {part: {"en": [folder / f"{part}.jsonl.gz"]} for part in contents}


def in_parquet(folder, name="_id"):
    """All parts as parquet, passages in two files, as in MTEB's copies."""
    texts = {"passages": PASSAGES, "queries": QUERIES}
    rows = {part: [{name: r["_id"], **r} for r in records] for part, records in texts.items()}
    for record in (record for records in rows.values() for record in records):
        record.pop("metadata", None)
        if name != "_id":
            del record["_id"]
    rows["judgements"] = [{**record, "score": float(record["score"])} for record in judgement_records(JUDGED)]
    shards = {f"{part}-{i}": some for part, r in rows.items() for i, some in enumerate((r[:2], r[2:]))}
    for shard, some in shards.items():
        pq.write_table(pa.Table.from_pylist(some), folder / f"{shard}.parquet", row_group_size=1)
    return {part: {"en": [folder / f"{part}-{i}.parquet" for i in (0, 1)]} for part in rows}


@pytest.mark.parametrize(
    "make", [files_of, in_zip, in_gzip, in_parquet, pytest.param(lambda f: in_parquet(f, name="id"), id="parquet-id")]
)
def test_each_form_of_files_gives_the_same_collection(tmp_path, make):
    """Queries without a relevant passage and passages without text are left out; titles stand before texts."""
    collection = read("beir", make(tmp_path), text="title+text")
    assert collection.languages == ("en",)
    assert collection.queries.ids == ("en:q1", "en:10")
    assert collection.passages.ids == ("en:d1", "en:d2", "en:10")
    assert list(collection.passages.text) == ["Ti tle", "alone", "no title"]
    assert judged(collection) == {("en:q1", "en:d1"): 2, ("en:10", "en:10"): 1}


def test_the_title_may_be_left_out(tmp_path):
    """With the form text a passage is its text alone."""
    assert forms("beir") == ("title+text", "text")
    assert list(read("beir", files_of(tmp_path), text="text").passages.text) == ["tle", "alone", "no title"]


def merged(*of_languages, **without):
    """The files of several languages; those named in ``without`` lack a part."""
    languages = [language for files in of_languages for language in files["passages"]]
    found = {part: {} for part in beir.PARTS}
    for files in of_languages:
        for part in beir.PARTS:
            found[part] |= files[part]
    for part, lacking in without.items():
        found[part] |= {language: [] for language in lacking}
    return {part: {language: its[language] for language in languages} for part, its in found.items()}


def test_each_language_has_files_of_its_own(tmp_path):
    """The judgements of a language are of its own passages; the same id in two languages is two passages."""
    files = merged(*(files_of(tmp_path, language) for language in ("sw", "en")))
    collection = read("beir", files, text="text")
    assert collection.languages == ("sw", "en")
    assert set(judged(collection)) == {
        (f"{a}:{i}", f"{a}:{j}") for a in ("sw", "en") for i, j in (("q1", "d1"), ("10", "10"))
    }


def test_queries_may_be_answered_in_another_language(tmp_path):
    """Where one language alone has passages, the judgements of all name those: XOR-TyDi's form."""
    made = [files_of(tmp_path, language) for language in ("te", "en", "ar")]
    files = merged(*made, passages=["te", "ar"], queries=["en"], judgements=["en"])
    collection = read("beir", files, text="text")
    assert collection.queries.ids == ("te:q1", "te:10", "ar:q1", "ar:10")
    assert collection.passages.ids == ("en:d1", "en:d2", "en:10")
    assert set(judged(collection)) == {
        (f"{a}:{i}", f"en:{j}") for a in ("te", "ar") for i, j in (("q1", "d1"), ("10", "10"))
    }


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (["te"], "There are no passages in 'te', and passages in en, ar; expected one language"),
        (["te", "en", "ar"], r"There are no passages in 'te', and passages in no other language; .* Was it left out\?"),
    ],
)
def test_it_must_be_clear_which_passages_are_judged(tmp_path, lacking, said):
    """A language whose queries have no passages of their own, and not one other language that has, is a DataError."""
    files = merged(*(files_of(tmp_path, language) for language in ("te", "en", "ar")), passages=lacking)
    with pytest.raises(DataError, match=said):
        read("beir", files, text="text")


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("passages", b'{"_id": "d1"}\n', r"line 1 has no 'text'; expected it beside '_id'"),
        ("passages", b'{"text": "x"}\n', r"line 1 has no '_id'; expected it beside 'text'"),
        ("passages", b'{"_id": 1, "text": "x"}\n', "line 1, '_id' is 1; expected a string"),
        ("passages", b'{"_id": "", "text": "x"}\n', "line 1, '_id' is empty; expected an id"),
        ("passages", b'{"_id": "a", "text": "x", "title": 1}\n', "line 1, 'title' is 1; expected a string"),
        ("passages", b"[]\n", r"line 1 is \[\]; expected an object"),
        ("passages", b'{"_id": "d1"', "line 1 is not valid JSON"),
        ("passages", jsonl(PASSAGES[:2] * 2), r"'en:d1' occurs twice.*passages.*line 1, and .*line 3"),
        ("passages", jsonl(PASSAGES[:1]), "names the passage 'en:10', which the collection does not have"),
        ("queries", jsonl(QUERIES[1:]), "names the query 'en:q1', which the collection does not have"),
        ("queries", b'{"_id": "q1", "text": null}', "line 1, 'text' is None; expected a string"),
        (
            "judgements",
            b"q1\td1\t1\n",
            r"line 1 is 'q1 \| d1 \| 1'; expected the names of columns: query-id, corpus-id",
        ),
        (
            "judgements",
            (HEAD + "q1\td1\n").encode(),
            r"line 2 has 2 columns: 'q1 \| d1'; expected 3, with tabs between",
        ),
        ("judgements", (HEAD + "q1\td1\t.5\n").encode(), "line 2 has the gain '.5'; expected an integer"),
        ("judgements", (HEAD + "q1\td1\tnan\n").encode(), "line 2 has the gain 'nan'; expected an integer"),
        ("judgements", (HEAD + "q1\td1\t1_0\n").encode(), "line 2 has the gain '1_0'; expected an integer"),
        ("judgements", (HEAD + "q1\td1\t99999\n").encode(), "is 99999; expected at most 32,767"),
        ("judgements", (HEAD + "q1\td1\t1\nq1\td1\t0\n").encode(), "'en:q1' and passage 'en:d1' are judged twice"),
    ],
)
def test_files_of_another_shape_are_refused(tmp_path, part, content, said):
    """What is not of the shape is a DataError that says where, what was found and what was expected."""
    files = files_of(tmp_path)
    files[part]["en"][0].write_bytes(content)
    with pytest.raises(DataError, match=said):
        read("beir", files, text="title+text")


@pytest.mark.parametrize("dictionary", [True, False])
def test_a_small_parquet_file_cannot_be_gigabytes_of_texts(tmp_path, dictionary):
    """One text that is repeated takes kilobytes there, by a dictionary or packed; it is refused while it is small."""
    files = in_parquet(tmp_path)
    path = files["passages"]["en"][0]
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 400, pa.int32()), ["a" * 500_000])
    table = pa.table({"_id": list(map(str, range(400))), "title": [""] * 400, "text": texts.dictionary_decode()})
    pq.write_table(table, path, compression="zstd", use_dictionary=dictionary)
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match=rf"{path.name} has [\d,]+ bytes, and its texts more than [\d,]+ together"):
        read("beir", files, text="title+text")


@pytest.mark.parametrize("make", [in_zip, in_gzip, in_parquet])
@pytest.mark.parametrize("part", beir.PARTS)
def test_a_file_that_is_cut_off_is_refused(tmp_path, make, part):
    """An archive, a gzip or a parquet file that lacks its end is a DataError that names it and says what to do."""
    files = make(tmp_path)
    path = files[part]["en"][0]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=rf"{path.name}.*copy or download it again"):
        read("beir", files, text="title+text")


def test_a_damaged_file_in_an_archive_is_refused(tmp_path):
    """A file in a zip archive whose checksum is wrong is a DataError."""
    files = in_zip(tmp_path)
    path = files["queries"]["en"][0]
    content = path.read_bytes()
    at = content.index(b"set/queries.jsonl") + len(b"set/queries.jsonl") + 10
    path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
    with pytest.raises(DataError, match=r"set\.zip, set/queries\.jsonl"):
        read("beir", files, text="title+text")


def test_an_archive_of_something_else_is_refused(tmp_path):
    """A zip archive without one of the files is a DataError that names it."""
    files = in_zip(tmp_path)
    with zipfile.ZipFile(files["queries"]["en"][0], "w") as archive:
        archive.writestr("set/corpus.jsonl", "")
    with pytest.raises(DataError, match=r"set\.zip has 0 files qrels/test\.tsv; expected one"):
        read("beir", files, text="title+text")


@given(
    part=st.sampled_from(beir.PARTS),
    make=st.sampled_from([files_of, in_zip, in_gzip, in_parquet]),
    content=st.binary()
    | st.text().map(str.encode)
    | st.builds(lambda at, new: (at, new), st.integers(0), st.binary(max_size=3)),
)
def test_any_content_gives_a_collection_or_an_xlbench_error(tmp_path, part, make, content):
    """Any bytes, and any change of a sound file, give a collection or an XlbenchError, never another exception."""
    files = make(tmp_path)
    path = files[part]["en"][0]
    if isinstance(content, tuple):
        sound = path.read_bytes()
        at = content[0] % len(sound)
        content = sound[:at] + content[1] + sound[at + len(content[1]) :]
    path.write_bytes(content)
    try:
        said = [*read("beir", files, text="title+text").passages.text]
    except XlbenchError as error:
        said = [str(error)]
    assert all(text.encode() for text in said)
