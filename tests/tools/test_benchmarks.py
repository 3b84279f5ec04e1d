"""The benchmarks that write figures for the documents."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from tests.models.made_models import make_sentence_bert, one_thread

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
