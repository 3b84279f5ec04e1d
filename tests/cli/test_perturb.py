"""Tests of ``xlbench run --perturb``, and of what is done with its results."""

from __future__ import annotations


def test_a_perturbed_result_is_verified_and_compared(xlbench, task):
    """It has a folder of its own beside the plain one, and is of the same questions."""
    plain = ("run", "--model", "hash", "--task", task, "--quiet")
    assert xlbench(*plain).code == 0
    assert xlbench(*plain, "--perturb", "mixed").code == 0
    result = "results/hash+mixed-queries/tiny.json"
    assert xlbench("verify", result, "--model", "hash", "--task", task, "--quiet").code == 0
    outcome = xlbench("compare", "results/hash/tiny.json", result)
    assert outcome.code == 0
    assert "hash+mixed-queries against hash" in outcome.out


def test_mixing_without_english_is_said(xlbench, task):
    """With the languages that there are."""
    outcome = xlbench("run", "--model", "hash", "--task", task, "--language", "de", "th", "--perturb", "mixed")
    assert outcome.code == 1
    assert "in which there are none; the languages are de, th" in outcome.err
