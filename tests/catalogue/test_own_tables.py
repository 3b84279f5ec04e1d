"""One's own index from parquet, CSV and JSON lines; and what is said of files that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xlbench.catalogue.own_tables import read_index, read_queries
from xlbench.errors import DataError

RECORDS = [{"id": "a", "text": "Hier.", "language": "de"}, {"id": "b", "text": "Here, there.", "language": "en"}]


def write(path: Path, records: list[dict[str, object]] = RECORDS) -> Path:
    """The records in a file of the form that its name says."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif path.suffix in (".csv", ".tsv"):
        lines = [records[0].keys(), *(record.values() for record in records)]
        separator = "\t" if path.suffix == ".tsv" else ","
        path.write_text("".join(separator.join(f'"{cell}"' for cell in line) + "\n" for line in lines), "utf-8")
    else:
        content = "".join(json.dumps(record) + "\n" for record in records).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["x.parquet", "x.csv", "x.tsv", "x.jsonl", "x.jsonl.gz"])
def test_each_form_gives_the_same_rows(tmp_path, name):
    """A file, and the same alone in a folder."""
    file = write(tmp_path / name)
    for path in (file, tmp_path):
        rows = read_index(path).rows
        assert [(row.id, row.text, row.language) for row in rows] == [
            ("a", "Hier.", "de"),
            ("b", "Here, there.", "en"),
        ]


def test_semicolons_may_separate_and_text_may_have_line_breaks(tmp_path):
    """As spreadsheets write it, with a mark at the beginning."""
    file = tmp_path / "x.csv"
    file.write_text('\ufeffid;text\n1;"Hier,\nda"\n', encoding="utf-8")
    assert [(row.id, row.text) for row in read_index(file).rows] == [("1", "Hier,\nda")]


def test_a_folder_of_files_is_one_index_with_rows_numbered(tmp_path):
    """Rows without an id are numbered over all files; a language that is not there is None."""
    write(tmp_path / "a.jsonl", [{"chunk": "eins"}, {"chunk": "zwei"}])
    write(tmp_path / "b.csv", [{"content": "three"}])
    (tmp_path / "readme.md").write_text("no data")
    rows = read_index(tmp_path).rows
    assert [(row.id, row.text, row.language) for row in rows] == [
        ("1", "eins", None),
        ("2", "zwei", None),
        ("3", "three", None),
    ]


def test_in_a_folder_in_beir_form_the_folders_are_the_languages(tmp_path):
    """An id is the language and the id, as everywhere."""
    for language in ("de", "en"):
        (tmp_path / language).mkdir()
        write(tmp_path / language / "corpus.jsonl", [{"_id": "1", "title": "", "text": language}])
    rows = read_index(tmp_path).rows
    assert [(row.id, row.text, row.language) for row in rows] == [("de:1", "de", "de"), ("en:1", "en", "en")]


def test_columns_can_be_named(tmp_path):
    """By what they are."""
    file = write(tmp_path / "x.jsonl", [{"nr": 7, "inhalt": "Hier", "sprache": "de", "text": "no"}])
    row = read_index(file, {"id": "nr", "text": "inhalt", "language": "sprache"}).rows[0]
    assert (row.id, row.text, row.language) == ("7", "Hier", "de")


def test_rows_without_text_are_counted(tmp_path):
    """Blank and null ones are left out."""
    file = write(tmp_path / "x.parquet", [{"text": "Hier"}, {"text": "  "}, {"text": None}])
    rows = read_index(file)
    assert (len(rows.rows), rows.n_empty) == (1, 2)


def test_queries_name_the_passage_that_answers_them_or_none(tmp_path):
    """The passage's id may be a number, and is no id of the query."""
    file = write(tmp_path / "q.jsonl", [{"query": "Wo?", "passage_id": 3, "language": "de"}, {"query": "Who?"}])
    rows = read_queries(file).rows
    assert [(row.id, row.text, row.language, row.passage) for row in rows] == [
        ("1", "Wo?", "de", "3"),
        ("2", "Who?", None, None),
    ]


def test_two_languages_may_ask_one_question(tmp_path):
    """The same id is then a translation; twice in one language it is an error."""
    records = [{"id": "1", "query": "Wo?", "language": "de"}, {"id": "1", "query": "Where?", "language": "en"}]
    assert len(read_queries(write(tmp_path / "q.jsonl", records)).rows) == 2
    with pytest.raises(DataError, match="'1' occurs twice"):
        read_queries(write(tmp_path / "q.jsonl", [records[0], records[0]]))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.parquet", b"PAR1 no", "is no whole parquet file after row 0"),
        ("x.jsonl", b'{"body": "Hier", "id": "1"}\n', "has no 'text' or 'passage' or .* but 'body', 'id'; --column"),
        ("x.jsonl", b'{"text": 3}\n', "'text' is 3; expected a string"),
        ("x.jsonl", b'["text"]\n', "expected an object"),
        ("x.jsonl", b'{"text": "a", "id": "1"}\n{"text": "b", "id": "1"}\n', r"line 1, and .*line 2\); expected one"),
        ("x.jsonl", b'{"text": "a", "id": ["1"]}\n', "'id' is .*; expected a string"),
        ("x.csv", b"id,text\n1,a,b\n", "line 2 has 3 columns; expected 2: 'id', 'text'"),
        ("x.csv", b'id,text\n1,"a\n', "is no CSV .*: is a quote open"),
        ("x.csv", b"id,text\n1,\xff\n", "is not UTF-8 at byte"),
        ("x.csv", b"", "has no text in 0 rows"),
        ("x.csv", b"text\n\n \n", "has no text in 1 rows"),
        ("x.txt", b"Hier", "ends in '.txt'; expected .parquet"),
    ],
)
def test_what_is_no_index_is_said(tmp_path, name, content, said):
    """With the file, and what there is instead."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(DataError, match=said) as raised:
        read_index(file)
    assert str(file) in str(raised.value)


def test_a_folder_without_data_is_said(tmp_path):
    """With what was looked for."""
    with pytest.raises(DataError, match=r"has no file that ends in \.parquet"):
        read_index(tmp_path)
