"""Tests of ``xlbench score``."""

from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from tests.cli.conftest import finish, start

RUN = """\
de:1 Q0 de:a 1 2 tag
de:1 Q0 en:x 2 1.5 tag
de:1 Q0 en:a 3 1 tag
en:1 Q0 de:a 9 3 tag
en:1 Q0 en:a 8 3 tag
fr:7 Q0 de:a 1 1 tag
"""
QRELS = """\
de:1 0 de:a 1
de:1 0 en:a 2
en:1 0 de:a 1
en:1 0 en:a 1
en:2 0 de:x 0
"""
LANGUAGES = "de:a\tde\nde:x\tde\nen:a\ten\nen:x\ten\n"


@pytest.fixture
def files(folder):
    """A run, judgements and a language map in the current folder."""
    (folder / "a.run").write_text(RUN, encoding="utf-8")
    (folder / "a.qrels").write_text(QRELS, encoding="utf-8")
    (folder / "languages.tsv").write_text(LANGUAGES, encoding="utf-8")
    return folder


def cells(table: str) -> list[list[str]]:
    """The cells of a table of text, without its title and rule."""
    lines = table.splitlines()
    return [line.split() for line in (lines[1], *lines[3:])]


def test_the_table_has_trec_evals_means(xlbench, files):
    """By default four measures, over the queries with a relevant passage; the others are said on standard error."""
    outcome = xlbench("score", "a.run", "a.qrels")
    assert outcome.code == 0
    # de:1 has the gains 1, 0, 2; en:1 has both relevant passages first, and en:2 none: nDCG@10 is (d + 1) / 2
    # with d = (1 + 2 / 2) / (2 + 1 / log2(3)) = .7602.
    assert cells(outcome.out.strip()) == [
        ["measure", "value"],
        ["nDCG@10", ".8801"],
        ["AP", ".9167"],
        ["R@100", "1.0000"],
        ["RR@10", "1.0000"],
    ]
    assert outcome.out.startswith("a.run, 2 queries\n")
    assert outcome.err.splitlines() == [
        "xlbench: Judged queries without a relevant passage, which are left out: 1.",
        "xlbench: Queries of the run that are not judged, which are passed over: 1.",
    ]
    assert xlbench("score", "a.run", "a.qrels", "--quiet").err == ""


def test_measures_are_those_of_ir_measures(xlbench, files):
    """Named measures come in their order, by one option or several; aliases and parameters are known."""
    outcome = xlbench("score", "a.run", "a.qrels", "-m", "AP(rel=2)", "MAP", "--measure", "P@1", "-m", "NumRel")
    assert cells(outcome.out.strip())[1:] == [
        ["AP(rel=2)", ".1667"],
        ["AP", ".9167"],
        ["P@1", "1.0000"],
        ["NumRel", "4.0000"],
    ]


def test_values_of_each_query(xlbench, files):
    """With --per-query there is a row for each judged query, in the order of the judgements."""
    outcome = xlbench("score", "a.run", "a.qrels", "-m", "AP", "RR", "--per-query")
    _, by_query = outcome.out.strip().split("\n\n")
    assert cells(by_query) == [
        ["query", "AP", "RR"],
        ["de:1", ".8333", "1.0000"],
        ["en:1", "1.0000", "1.0000"],
    ]


def test_language_bias_with_a_language_map(xlbench, files):
    """A map of the passages adds a table by language, with the mean, and the perfect and the random value."""
    outcome = xlbench("score", "a.run", "a.qrels", "--language-map", "languages.tsv", "-m", "LPR", "RankDistance", "AP")
    _, by_language = outcome.out.strip().split("\n\n")
    assert cells(by_language) == [
        ["language", "AP", "LPR", "RankDistance", "queries"],
        ["de", ".8333", "1.000", "2", "1"],
        # The tie of en:a and de:a goes to the higher id.
        ["en", "1.0000", "1.000", "1", "1"],
        ["mean", ".9167", "1.000", "2"],
        ["perfect", "1"],  # LPR has none.
        # (n - 1)(N + 1) / (n + 1) for 2 of 4.
        ["random", ".500", "2"],
    ]
    outcome = xlbench("score", "a.run", "a.qrels", "--language-map", "languages.tsv")
    assert "Share@10 is left out: the run has 3 passages of a query at most." in outcome.err
    assert "PEER@10 is left out: " in outcome.err


def test_query_languages_from_a_map(xlbench, files):
    """Queries whose ids begin with no language have it from a second map."""
    for name in ("a.run", "a.qrels"):
        text = (files / name).read_text(encoding="utf-8")
        (files / name).write_text("".join(line[3:] for line in text.splitlines(keepends=True)), encoding="utf-8")
    run, qrels = (files / "a.run").read_text(encoding="utf-8"), (files / "a.qrels").read_text(encoding="utf-8")
    (files / "a.run").write_text("".join(run.splitlines(keepends=True)[:3]), encoding="utf-8")
    (files / "a.qrels").write_text("".join(qrels.splitlines(keepends=True)[:2]), encoding="utf-8")
    arguments = ["score", "a.run", "a.qrels", "--language-map", "languages.tsv", "-m", "LPR"]
    outcome = xlbench(*arguments)
    assert outcome.code == 1
    assert "'1' does not begin with the language of a passage and a colon, as in 'de:42'" in outcome.err
    (files / "queries.tsv").write_text("1 en\n", encoding="utf-8")
    outcome = xlbench(*arguments, "--query-language-map", "queries.tsv")
    assert cells(outcome.out.strip())[:2] == [["language", "LPR", "queries"], ["en", ".000", "1"]]


def test_csv_and_json_have_every_number_in_full(xlbench, files):
    """Each number is one record; CSV and JSON have the same, and null where a measure is not defined."""
    arguments = ["score", "a.run", "a.qrels", "--language-map", "languages.tsv", "-m", "AP", "LPR", "--per-query"]
    records = json.loads(xlbench(*arguments, "--format", "json").out)
    assert records[0] == {
        "of": "total",
        "language": None,
        "query": None,
        "measure": "AP",
        "value": pytest.approx(11 / 12),
    }
    assert [record["of"] for record in records] == (
        ["total"] + ["language"] * 4 + ["mean"] * 2 + ["random"] + ["query"] * 4
    )
    rows = list(csv.DictReader(io.StringIO(xlbench(*arguments, "--format", "csv").out)))
    assert rows == [{k: "" if v is None else str(v) for k, v in record.items()} for record in records]


def test_output_goes_to_a_file(xlbench, files):
    """--output writes what would be printed, and says where it is."""
    printed = xlbench("score", "a.run", "a.qrels", "--format", "csv").out
    outcome = xlbench("score", "a.run", "a.qrels", "--format", "csv", "--output", "scores.csv")
    assert (outcome.code, outcome.out) == (0, "Saved to scores.csv\n")
    assert (files / "scores.csv").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize("name", ["a.run", "a.qrels", "languages.tsv", "queries.tsv", "link"])
def test_output_is_none_of_the_files_to_read(xlbench, files, name):
    """--output that names the run, the judgements or a map, also by a link, is refused, and they stay as they are."""
    (files / "queries.tsv").write_text("de:1 de\nen:1 en\nen:2 en\n", encoding="utf-8")
    (files / "link").symlink_to(files / "a.run")
    before = (files / name).read_bytes()
    maps = ["--language-map", "languages.tsv", "--query-language-map", "queries.tsv"]
    outcome = xlbench("score", "a.run", "a.qrels", *maps, "--output", f"./{name}", "--format", "json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "is one of the files to read: choose another." in outcome.err
    assert (files / name).read_bytes() == before


def test_gzip_is_told_by_content(xlbench, files):
    """Packed files of any name score alike."""
    expected = xlbench("score", "a.run", "a.qrels").out
    for name in ("a.run", "a.qrels"):
        (files / name).write_bytes(gzip.compress((files / name).read_bytes()))
    assert xlbench("score", "a.run", "a.qrels").out == expected


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.run",
            RUN + "de:9 Q0 de:a 1 2\n",
            "a.run, line 7, has 5 columns: 'de:9 Q0 de:a 1 2'; expected 6: qid Q0 docid",
        ),
        ("a.run", RUN + "de:9 Q0 de:a 1 two tag\n", "a.run, line 7, has the score 'two'; expected a number between"),
        ("a.run", RUN + "de:9 Q0 de:a 1 NaN tag\n", "a.run, line 7, has the score 'NaN'"),
        (
            "a.run",
            RUN + "de:1 Q0 de:a 4 0 tag\n",
            "a.run, line 7, has the passage 'de:a' of query 'de:1' again, after line 1",
        ),
        ("a.run", QRELS, "were the run and the judgements exchanged?"),
        ("a.run", "", "a.run is empty; expected lines of the form 'qid Q0 docid rank score tag'."),
        ("a.run", RUN.encode() + b"de:\xe4", f"not UTF-8 text at byte {len(RUN) + 3}, in line 7 (found 0xe4)"),
        ("a.run", gzip.compress(RUN.encode(), mtime=0)[:-12], "a.run ends in the middle of its gzip data"),
        ("a.run", b"x" * 30_000_000, "a.run, line 1, is longer than 1,048,576 bytes and begins with 'xxx"),
        ("a.run", "1 Q0 de:a 1 2 tag\n", "None of the 1 queries of the run is judged: the run begins with '1'"),
        ("a.qrels", RUN, "were the run and the judgements exchanged?"),
        ("a.qrels", QRELS + "en:2 0 de:x 0.5\n", "a.qrels, line 6, has the gain '0.5'; expected an integer"),
        ("a.qrels", QRELS + "en:1 0 en:a 3\n", "a.qrels, line 6, judges the passage 'en:a' of query 'en:1' with 3"),
        (
            "languages.tsv",
            LANGUAGES.replace("en:x", "en:y"),
            "The language map lacks the passage 'en:x' of query 'de:1'",
        ),
        ("languages.tsv", LANGUAGES + "en:a de\n", "languages.tsv, line 5, says that 'en:a' is in 'de'"),
        ("languages.tsv", "x de 1\n", "languages.tsv, line 1, has 3 columns: 'x de 1'; expected 2: id language."),
    ],
)
def test_malformed_files_are_refused(xlbench, files, name, content, said):
    """The file, the line, what was found and what was expected are said; exit code 1, and nothing is scored."""
    (files / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    outcome = xlbench("score", "a.run", "a.qrels", "--language-map", "languages.tsv", "--output", "scores.txt")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("xlbench: ")
    assert said in outcome.err
    assert len(outcome.err) < 500
    assert not (files / "scores.txt").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.run"], "Missing argument 'QRELS'"),
        (["b.run", "a.qrels"], "File 'b.run' does not exist"),
        (["a.run", "a.qrels", "-m", "nDGC@10"], "Unknown measure 'nDGC@10'. Did you mean 'nDCG@10'?"),
        (["a.run", "a.qrels", "-m", "LPR"], "LPR is a measure of language bias and needs --language-map."),
        (["a.run", "a.qrels", "--query-language-map", "languages.tsv"], "--query-language-map needs --language-map."),
        (["a.run", "a.qrels", "--format", "xml"], "'xml' is not one of 'table', 'csv', 'json'"),
    ],
)
def test_usage_errors(xlbench, files, arguments, said):
    """They exit with 2 before a file is read."""
    outcome = xlbench("score", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_the_command_imports_no_torch(files):
    """As a process of its own it scores without torch and numba, which take longer to import than the rest."""
    setup = "import sys; sys.modules['torch'] = sys.modules['numba'] = None"
    outcome = finish(start(files, "score", "a.run", "a.qrels", "--language-map", "languages.tsv", setup=setup))
    assert outcome.code == 0
