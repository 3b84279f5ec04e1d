"""The benchmarks that write figures for the documents."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

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


def test_figures_of_a_gpu_stand_on_the_page(benchmark):
    """Where a GPU was measured its rows have hours, in proportion to its speed; before they say that it was not."""
    scale = benchmark("scale")
    figures = json.loads(scale.FIGURES.read_text(encoding="utf-8"))
    counted = {"products_a_second": 1e9, "dimensions": 384}
    gpu = {"device": "G1", "encoding": {"passages_a_second": 106_332_152 / 7200}, "counting": [counted]}
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
