"""The benchmarks that write figures for the documents."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.models.made_models import make_sentence_bert, one_thread
from tests.models.test_reranker import make_cross_encoder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a benchmark by name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module


def test_the_page_on_scale_is_what_its_script_writes(benchmark):
    """docs/scale.md has no figure but those that are computed from benchmarks/scale.json."""
    scale = benchmark("scale")
    text = scale.PAGE.read_text(encoding="utf-8")
    assert scale.page(text, json.loads(scale.FIGURES.read_text(encoding="utf-8"))) == text


def test_the_page_of_questions_is_what_its_script_writes(benchmark):
    """docs/experiments/questions.md has tables of benchmarks/questions.json only, which is small."""
    questions = benchmark("questions")
    text, figures = questions.PAGE.read_text(encoding="utf-8"), questions.FIGURES.read_text(encoding="utf-8")
    assert len(figures) < 100_000
    assert questions.page(text, json.loads(figures)) == text


def test_the_page_of_questions_has_intervals_where_seeds_are(benchmark):
    """Two seeds of an arm give mean and t interval: .40 and .42 give .41 -+ 12.706 x .01; a single seed gives none."""
    figures = benchmark("question_figures")
    of_task = {"summary": {"multi": {"AP": 0.4}}, "values": {"a>*": {"AP": 0.4}}, "alignment": {"n_parallel": 1}}
    cell = {"settings": dict.fromkeys(figures.SETTINGS), "device": "G1", "arm": "x-x", "seed": 0, "text": "no text"}
    other = {**of_task, "summary": {"multi": {"AP": 0.42}}, "values": {"a>*": {"AP": 0.5}}}
    cells = [cell | {"tasks": {"afriqa": of_task}}, cell | {"seed": 1, "tasks": {"afriqa": other}}]
    cells.append(cells[0] | {"arm": "en-en"})
    written = figures.written(figures.kept(cells))
    assert "no text" not in written
    arms = figures.Arms(json.loads(written)["cells"])
    assert arms.shown("x-x", "afriqa multi AP") == ".410 [.283, .537]"
    assert arms.shown("en-en", "afriqa multi AP") == ".400"
    assert arms.shown("en-en", "miracl mono AP") == ""
    assert arms.languages["x-x"] == {"afriqa a>*": pytest.approx(0.45)}


def test_correlations_of_samples_are_spearmans(benchmark):
    """Of each sample of models, ties included, the correlation is scipy's; a perfect order has the interval [1, 1]."""
    figures = benchmark("question_figures")
    rng = np.random.default_rng(1)
    a, b = rng.integers(5, size=(2, 20, 11)).astype(float)
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(figures.correlations(a, b), expected)
    assert str(figures.spearman(range(11), [2 * i for i in range(11)])) == "+1.00 [+1.00, +1.00]"
    assert str(figures.spearman(range(11), [-i for i in range(11)])) == "-1.00 [-1.00, -1.00]"


def test_figures_of_a_gpu_stand_on_the_page(benchmark):
    """Where a GPU was measured its rows have hours, in proportion to its speed; before they say that it was not."""
    scale = benchmark("scale")
    figures = json.loads(scale.FIGURES.read_text(encoding="utf-8"))
    measured = figures["gpu"]
    counted = {**measured["counting"][-1], "products_a_second": 1e9, "dimensions": 384}
    tokens = figures["models"][0]["tokens"] / figures["models"][0]["passages"]
    encoding = {**measured["encoding"], "tokens_a_second": tokens * 106_332_152 / 7200}
    gpu = {**measured, "device": "G1", "encoding": encoding, "counting": [counted]}
    assert scale.NOT_MEASURED in "\n".join(scale.lines(figures | {"gpu": None}))
    text = "\n".join(scale.lines(figures | {"gpu": gpu}))
    assert scale.NOT_MEASURED not in text
    assert "| one G1 | 2.0 h | 23.9 min |" in text


def test_the_benchmark_of_a_gpu_runs_on_a_cpu(benchmark, tmp_path, monkeypatch, capsys):
    """With a tiny model and few passages it gives all figures, and values and counts are those of the CPU."""
    gpu = benchmark("gpu")
    with one_thread():
        folder = make_sentence_bert(tmp_path / "tiny")
        arguments = [
            "--model",
            str(folder),
            "--device",
            "cpu",
            "--task",
            "demo",
            "--limit",
            "3",
            "--texts",
            "40",
            "--runs",
            "1",
        ]
        arguments += ["--passages", "600", "--queries", "20", "--out", str(tmp_path / "gpu.json")]
        monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
        gpu.main()
    figures = json.loads((tmp_path / "gpu.json").read_text())
    assert max(figures["task"]["differences"].values()) == 0
    assert figures["encoding"]["texts"] == 40
    assert figures["encoding"]["difference"] < 1e-5
    assert figures["encoding"]["busy_share"] is None
    (counted,) = figures["counting"]
    assert (counted["counts"], counted["counts_that_differ"]) == (100, 0)
    assert "device busy" in capsys.readouterr().out


def test_the_benchmark_of_kinds_runs(benchmark, tmp_path, monkeypatch, capsys):
    """With tiny models and few texts each part gives its ratio, and MaxSim is that of the library."""
    with one_thread():
        encoder = make_sentence_bert(tmp_path / "tiny")
        arguments = ["--model", encoder, "--reranker", make_cross_encoder(tmp_path / "cross"), "--task", "demo"]
        numbers = {"limit": 4, "languages": 3, "texts": 8, "depth": 2, "queries": 3, "runs": 1}
        arguments += [word for name, number in numbers.items() for word in (f"--{name}", number)]
        arguments += ["--dimensions", 8, 4, 2, "--cache-dir", tmp_path / "cache"]
        monkeypatch.setattr(sys, "argv", ["kinds.py", *map(str, arguments)])
        benchmark("kinds").main()
    shown = capsys.readouterr().out
    for part in ("sparse, all settings", "MaxSim of 8 x", "reranking 3 queries x 2", "8 rows / one row"):
        assert part in shown
