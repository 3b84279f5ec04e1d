"""``xlbench run --representation``: a result for each representation and for their sum, from one encoding."""

from __future__ import annotations

import json

from tests.cli.conftest import calls

NAMES = ("dense", "sparse", "late", "sum:1,0.5,2")


def test_one_encoding_gives_a_result_for_each(xlbench, folder, task, monkeypatch):
    """The calls of the encoder are those of one run and the probes of the others; each result says what it is of."""
    log = folder / "calls"
    monkeypatch.setenv("CALLS", str(log))
    run = ["run", "--model", "models.py:Several", "--task", task]
    outcome = xlbench(*run, "--representation", *NAMES)
    assert outcome.code == 0, outcome.err
    assert len([call for call in calls(log) if not call.endswith(" 2")]) == 6
    results = {path: json.loads(path.read_text(encoding="utf-8")) for path in (folder / "results").rglob("tiny.json")}
    assert {of["model"]["representation"] for of in results.values()} == set(NAMES)
    assert {of["model"]["name"] for of in results.values()} == {f"owner/several+{name}" for name in NAMES}
    for path, of in results.items():
        command = of["environment"]["command"]
        assert command.endswith(f"--representation {of['model']['representation']}")
        verified = xlbench("verify", path, "--model", "models.py:Several", "--task", task, "--quiet")
        assert verified.code == 0, verified.err


def test_a_sweep_may_name_them(xlbench, folder, task):
    """As variants."""
    sweep = f"models: ['models.py:Several']\ntasks: ['{task}']\nvariants:\n"
    (folder / "sweep.yaml").write_text(sweep + "  - {representation: late}\n  - {representation: sum}\n")
    assert xlbench("run", "sweep.yaml").code == 0
    assert len(list((folder / "results").rglob("tiny.json"))) == 2


def test_what_is_to_be_scored_must_be_said(xlbench, task):
    """A model that gives several without --representation, and one that gives one with it."""
    for model, options, code, said in (
        ("models.py:Several", [], 1, "say which are scored with --representation"),
        ("hash", ["--representation", "sparse"], 1, "hash gives one representation alone"),
        ("models.py:Several", ["--representation", "both"], 2, "--representation is 'both'; expected dense, sparse"),
        ("models.py:Several", ["--representation", "dense", "--workers", "2"], 2, "cannot be given to workers"),
    ):
        outcome = xlbench("run", "--model", model, "--task", task, *options)
        assert (outcome.code, said in outcome.err) == (code, True), outcome.err
