"""The door: what `import xlbench` gives, and that it gives it lazily."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import xlbench
from xlbench import catalogue
from xlbench.errors import DataError, UnknownNameError, UsageError
from xlbench.settings import Setting

HEAVY = {"torch", "datasets", "transformers", "sentence_transformers", "pandas", "numba", "pyarrow", "scipy"}
CODE = "import json, sys, xlbench; print(json.dumps([[n for n in dir(xlbench) if n[0] != '_'], sorted(sys.modules)]))"

QUERIES = {"de:1": "Wo liegt Bonn?", "en:1": "Where is Bonn?"}
PASSAGES = {"de:a": "Bonn liegt am Rhein.", "en:a": "Bonn is on the Rhine.", "en:b": "Where is it?"}
JUDGEMENTS = {"de:1": ["de:a", "en:a"], "en:1": {"de:a": 1, "en:a": 2, "en:b": 0}}


def function(texts):
    """A model that counts letters."""
    return np.array([[text.count(letter) for letter in "abeinor"] for text in texts], np.float32)


class WithEncode:
    """A model with encode."""

    def encode(self, texts):
        return function(texts)


def test_what_is_visible_is_all_and_nothing_heavy_is_imported():
    """A fresh `import xlbench` shows just the names in `__all__`, and imports no heavy library."""
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    visible, modules = json.loads(ran.stdout)
    assert visible == sorted(xlbench.__all__, key=str) == xlbench.__all__
    assert HEAVY.isdisjoint(modules)


@pytest.mark.parametrize("name", xlbench.__all__)
def test_every_name_says_what_it_is_with_an_example_that_runs(name):
    """Its docstring has an example, and what the example prints is what it says."""
    thing = getattr(xlbench, name)
    examples = doctest.DocTestFinder(recurse=True).find(thing, name, globs={})
    assert any(example.examples for example in examples)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in examples:
        assert runner.run(example).failed == 0


def test_a_name_that_is_not_there_is_an_attribute_error():
    """As of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'evaluat'"):
        _ = xlbench.evaluat


@pytest.mark.parametrize(
    "model", ["hash", function, WithEncode(), Path("hash")], ids=["name", "function", "object", "path"]
)
def test_a_model_is_a_name_or_an_object(model):
    """Each gives a result in all settings; the queries and passages are those of three dicts."""
    own = xlbench.Collection.from_dicts(QUERIES, PASSAGES, JUDGEMENTS)
    result = xlbench.evaluate(model, own, cache=None, quiet=True)
    assert set(map(str, result.values)) == {"de>de", "en>en", "de>en", "en>de", "de>*", "en>*"}
    assert result.task == "collection"


@pytest.fixture
def beir(tmp_path) -> Path:
    """A folder with a folder in BEIR form for each of two languages."""
    for language in ("de", "en"):
        folder = tmp_path / "Own data" / language
        (folder / "qrels").mkdir(parents=True)
        (folder / "corpus.jsonl").write_text(
            "".join(json.dumps({"_id": f"p{i}", "text": f"{language} text {i}"}) + "\n" for i in range(3))
        )
        (folder / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": f"{language} text 1?"}) + "\n")
        (folder / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tp1\t1\n")
    return tmp_path / "Own data"


def test_a_task_is_a_name_a_file_a_task_a_collection_or_a_folder(beir):
    """All of these are evaluated; the folder's task is named by the folder."""
    task = catalogue.load("demo")
    own = xlbench.Collection.from_dicts(QUERIES, PASSAGES, JUDGEMENTS)
    for given, name in (
        ("demo", "demo"),
        (str(task.file), "demo"),
        (task, "demo"),
        (own, "collection"),
        (beir, "own-data"),
    ):
        languages = ["de", "en"]
        result = xlbench.evaluate("hash", given, languages=languages, settings=["mono"], cache=None, quiet=True)
        assert (result.task, list(map(str, result.values))) == (name, ["de>de", "en>en"])


def test_a_folder_of_one_language_is_a_task(beir):
    """Its language is not known, and it has the monolingual setting alone."""
    result = xlbench.evaluate("hash", beir / "de", cache=None, quiet=True)
    assert list(map(str, result.values)) == ["und>und"]


def test_a_folder_without_data_is_refused(tmp_path):
    """The message says which form is expected, and where it was looked for."""
    with pytest.raises(DataError, match=r"has no passages; expected a folder in BEIR form"):
        xlbench.evaluate("hash", tmp_path, cache=None, quiet=True)


def test_only_some_languages_and_settings():
    """As of the command's options; a name that does not exist is refused with the nearest."""
    result = xlbench.evaluate("hash", "demo", languages=["en", "de"], settings=["multi"], cache=None, quiet=True)
    assert list(map(str, result.values)) == ["de>*", "en>*"]
    with pytest.raises(UnknownNameError, match="Did you mean 'de'"):
        xlbench.evaluate("hash", "demo", languages=["dee"], cache=None, quiet=True)
    with pytest.raises(UsageError, match="has no cross setting in de alone"):
        xlbench.evaluate("hash", "demo", languages=["de"], settings=["cross"], cache=None, quiet=True)


def test_a_result_in_a_few_lines(tmp_path):
    """Its text has at most 12 lines, its HTML names the model, and both have the headline."""
    result = xlbench.evaluate("hash", "demo", cache=None, quiet=True)
    lines = repr(result).splitlines()
    assert lines[0] == "hash on demo (version 2)"
    assert len(lines) <= 12
    assert "multilingual   AP .028 [" in repr(result)
    hostile = replace(result, model={**result.model, "name": "<script>"})
    assert "&lt;script&gt;" in hostile._repr_html_()
    assert "<script>" not in hostile._repr_html_()


def test_a_result_gives_its_numbers(tmp_path):
    """By setting or kind, as objects or by name; as a frame; and again from the files that it was saved to."""
    result = xlbench.evaluate("hash", "demo", languages=["de", "en"], cache=None, quiet=True)
    assert (
        result.value("de>en", "AP")
        == result.value(Setting("de", "en"), "AP")
        == result.values[Setting("de", "en")]["AP"]
    )
    low, high = result.interval("mono", "AP")
    assert low < result.value("mono", "AP") < high
    with pytest.raises(UnknownNameError, match="Did you mean 'mono'"):
        result.value("mno", "AP")
    with pytest.raises(UnknownNameError, match="Did you mean 'AP'"):
        result.value("mono", "ap")
    frame = result.to_frame()
    row = frame[(frame["setting"] == "de>en") & (frame["measure"] == "AP")].iloc[0]
    assert (row["value"], row["query_language"], row["passage_language"]) == (result.value("de>en", "AP"), "de", "en")
    path = result.save(tmp_path)
    assert path == tmp_path / "hash/demo.json"
    assert xlbench.load_result(path) == result
    assert xlbench.Result.load(str(path)).per_query[0].query == result.per_query[0].query


def test_a_comparison_as_a_frame():
    """A row for each difference, with its interval, p-value and verdict."""
    small, large = (
        xlbench.evaluate("hash", "demo", arguments={"dimensions": n}, settings=["mono"], cache=None, quiet=True)
        for n in (16, 1024)
    )
    comparison = xlbench.compare(small, large)
    mean = comparison.to_frame().set_index("setting").loc["mono"]
    assert (mean["verdict"], mean["n_questions"]) == ("better", 64)
    assert mean["low"] < mean["difference"] < mean["high"]
    assert len(repr(comparison).splitlines()) <= 12


def test_own_data_without_a_language_is_refused():
    """The message says where a language is expected."""
    with pytest.raises(DataError, match="The passage 'a' has no language"):
        xlbench.Collection.from_dicts({"de:1": "Wo?"}, {"a": "Hier."}, {"de:1": ["a"]})
    own = xlbench.Collection.from_dicts({"1": "Wo?"}, {"1": "Hier."}, {"1": ["1"]}, languages="de")
    assert own.languages == ("de",)
    own = xlbench.Collection.from_dicts(
        {"1": "Wo?"}, {"1": "Hier."}, {"1": ["1"]}, languages={"1": "de"}, query_languages={"1": "en"}
    )
    assert own.languages == ("de", "en")
