"""Runs, judgements and language maps: read as trec_eval reads them, or refused with the line."""

from __future__ import annotations

import gzip
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from xlbench.errors import DataError
from xlbench.trec import read
from xlbench.trec.read import read_judgements, read_languages, read_run

RUN = "q1 Q0 a 1 2.5 tag\nq1 Q0 b 2 1.5 tag\nq2 Q0 a 1 7 tag\n"


@pytest.fixture
def file(tmp_path):
    """Writes a file of text or bytes, and gives its path."""

    def write(content: str | bytes, name: str = "file.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rankings(path: Path) -> dict[str, list[str]]:
    """All rankings of the run in a file."""
    run = read_run(path)
    return {query: run.ranking(query) for query in run.rows}


@pytest.mark.parametrize(
    ("passages", "expected"),
    [
        # The file's rank is the other way round.
        ([("a", 1, "1.5"), ("b", 2, "2.5")], ["b", "a"]),
        # As text 9 is above 10; é and 中 are above ASCII, and an astral character is above them, as by bytes.
        (
            [("10", 1, "1"), ("9", 1, "1"), ("é", 1, "1"), ("中", 1, "1"), ("𝒳", 1, "1"), ("Z", 1, "1")],
            ["𝒳", "中", "é", "Z", "9", "10"],
        ),
        # Differ in double precision only.
        ([("a", 1, "0.30000000000000004"), ("b", 2, "0.3")], ["b", "a"]),
        ([("a", 1, "-1e-3"), ("b", 2, "-2"), ("c", 3, "+.5")], ["c", "a", "b"]),
    ],
)
def test_a_run_is_in_trec_evals_order(file, passages, expected):
    """Passages are by descending score in single precision, then by descending id, whatever their rank says."""
    assert rankings(file("".join(f"q Q0 {id_} {rank} {score} t\n" for id_, rank, score in passages))) == {"q": expected}


@pytest.mark.parametrize(
    "content",
    [
        RUN,
        RUN.removesuffix("\n"),
        RUN.replace(" ", "\t"),
        RUN.replace(" ", " \t "),
        RUN.replace("\n", "\r\n"),
        RUN.replace("\n", "\n \n\n"),
        b"\xef\xbb\xbf" + RUN.encode(),
        gzip.compress(RUN.encode(), mtime=0),
        gzip.compress(RUN.encode()[:30], mtime=0) + gzip.compress(RUN.encode()[30:], mtime=0),
        "".join(RUN.splitlines(keepends=True)[i] for i in (1, 2, 0)),
    ],
    ids=["plain", "cut", "tabs", "mixed", "crlf", "blank", "bom", "gzip", "members", "ungrouped"],
)
def test_forms_of_a_run_read_alike(file, content):
    """Tabs, line ends, blank lines, a byte order mark, gzip and the order of the lines make no difference."""
    assert rankings(file(content)) == {"q1": ["a", "b"], "q2": ["a"]}


@pytest.mark.parametrize("id_", ['"a', "a,b", "a\u00a0b", "a\u3000b", "12#0", "'", "\\N", "NA", "007", "1_0"])
def test_ids_are_kept_as_they_are(file, id_):
    """Quotes, commas, white space that is not ASCII, and what looks like a number or a null are part of an id."""
    assert rankings(file(f"{id_} Q0 {id_} 1 1 t\n")) == {id_: [id_]}
    assert read_judgements(file(f"{id_} 0 {id_} 1\n")) == {id_: {id_: 1}}
    assert read_languages(file(f"{id_}\tde\n")) == {id_: "de"}


def test_a_run_reads_alike_in_blocks_of_any_size(file, monkeypatch):
    """Blocks that end within a line, a character or a query change nothing."""
    rng = np.random.default_rng(0)
    lines = [f"ü{i % 7} Q0 日{i} 1 {rng.integers(5)} t\n" for i in rng.permutation(300)]
    path = file("".join(lines))
    expected = rankings(path)
    assert sum(map(len, expected.values())) == 300
    for block in (1, 2, 7, 100):
        monkeypatch.setattr(read, "_BLOCK", block)
        monkeypatch.setattr(read, "_ROWS_AT_ONCE", block)
        assert rankings(path) == expected


def test_a_run_can_come_through_a_pipe(tmp_path):
    """A named pipe, which can be read but once, gives the run."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[gzip.compress(RUN.encode(), mtime=0)])
    writer.start()
    assert rankings(pipe) == {"q1": ["a", "b"], "q2": ["a"]}
    writer.join()


def test_a_query_that_the_run_lacks_has_no_ranking(file):
    """Its ranking is empty."""
    assert read_run(file(RUN)).ranking("q9") == []


def test_judgements_keep_their_order_and_negative_gains(file):
    """Queries are in the order of the file; the same judgement twice is one."""
    found = read_judgements(file("q2 0 a -2\nq1 0 b +3\nq2 0 c 0\nq2 0 a -2\n"))
    assert list(found) == ["q2", "q1"]
    assert found == {"q2": {"a": -2, "c": 0}, "q1": {"b": 3}}


GOOD = {read_run: "q Q0 p 1 1 t\n", read_judgements: "q 0 p 1\n", read_languages: "p de\n"}


@pytest.mark.parametrize(
    ("read", "bad", "said"),
    [
        (read_run, "q Q0 p 1 .5\n", "line 2, has 5 columns: 'q Q0 p 1 .5'; expected 6: qid Q0 docid rank score tag."),
        (read_run, "q Q0 p 1 .5 my tag\n", "has 7 columns"),
        (read_run, "q 0 p 1\n", "looks like 'qid iter docid gain': were the run and the judgements exchanged?"),
        (read_run, "q Q0 r 1 high t\n", "line 2, has the score 'high'; expected a number between -3.4e+38 and"),
        (read_run, "q Q0 r 1 nan t\n", "has the score 'nan'"),
        (read_run, "q Q0 r 1 -inf t\n", "has the score '-inf'"),
        (read_run, "q Q0 r 1 1e39 t\n", "has the score '1e39'"),
        (read_run, "q Q0 r 1 1_0 t\n", "has the score '1_0'"),
        (read_run, "r Q0 p 1 1 t\n\nq Q0 p 2 .5 t\n", "line 4, has the passage 'p' of query 'q' again, after line 1"),
        (read_judgements, "q 0 p\n", "line 2, has 3 columns: 'q 0 p'; expected 4: qid iter docid gain."),
        (read_judgements, "q\n", "line 2, has 1 column: 'q'"),
        (read_judgements, GOOD[read_run], "looks like 'qid Q0 docid rank score tag': were the run and the judgements"),
        (read_judgements, "q 0 r 1.0\n", "line 2, has the gain '1.0'; expected an integer from -32,767 to 32,767."),
        (read_judgements, "q 0 r 1_0\n", "has the gain '1_0'"),
        (read_judgements, "q 0 r 40000\n", "has the gain '40000'"),
        (read_judgements, f"q 0 r {'9' * 9999}\n", "has the gain '999"),
        (
            read_judgements,
            "q 0 p 2\n",
            "line 2, judges the passage 'p' of query 'q' with 2, and a line above it with 1",
        ),
        (read_languages, "a\n", "line 2, has 1 column: 'a'; expected 2: id language."),
        (read_languages, "p en\n", "line 2, says that 'p' is in 'en', and a line above it that it is in 'de'"),
    ],
)
def test_a_malformed_line_is_refused_with_its_number(file, read, bad, said):
    """The message has the file, the line, what was found and what was expected."""
    path = file(GOOD[read] + bad)
    assert read(file(GOOD[read], "good"))
    with pytest.raises(DataError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}, line ")
    assert said in str(error.value)
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("read", GOOD)
@pytest.mark.parametrize(
    ("content_of", "said"),
    [
        (lambda good: b"", "is empty; expected lines of the form "),
        (lambda good: b"\n \n", "is empty"),
        (lambda good: gzip.compress(b""), "is empty"),
        (lambda good: gzip.compress(good)[:-9], "ends in the middle of its gzip data, or is damaged"),
        (lambda good: gzip.compress(good)[:-8] + b"12345678", "is damaged"),
        (lambda good: good + good + b"\xff", "is not UTF-8 text at byte {twice}, in line 3 (found 0xff)"),
        (lambda good: good.decode().encode("utf-16-le"), "is not UTF-8 text at byte 1, in line 1 (found 0x00)"),
        (lambda good: good + "Grüße".encode("latin-1"), "(found 0xfc); expected plain text or gzip."),
        (lambda good: good + b"x" * 30_000_000, "line 2, is longer than 1,048,576 bytes and begins with 'xxx"),
        (lambda good: good + b"x " * 15_000_000 + b"\n" + good, "line 2, is longer than 1,048,576 bytes"),
    ],
    ids=["empty", "blank", "gzip-empty", "gzip-cut", "gzip-damaged", "utf8", "utf16", "latin1", "long", "long-columns"],
)
def test_a_file_of_another_kind_is_refused(file, read, content_of, said):
    """An empty, cut-off, damaged or binary file, and one line of 30 MB, are refused in a short sentence."""
    good = GOOD[read].encode()
    path = file(content_of(good))
    with pytest.raises(DataError) as error:
        read(path)
    assert said.format(twice=2 * len(good)) in str(error.value)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < 500


def test_judgements_may_be_a_table_of_beir(tmp_path):
    """Three columns with their names in the first line are BEIR's; without the names they are refused."""
    (tmp_path / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\n", encoding="utf-8")
    assert read_judgements(tmp_path / "test.tsv") == {"q1": {"d1": 1, "d2": 0}}
    (tmp_path / "bare.tsv").write_text("q1\td1\t1\n", encoding="utf-8")
    with pytest.raises(DataError, match="has 3 columns"):
        read_judgements(tmp_path / "bare.tsv")
