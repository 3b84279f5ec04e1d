"""Tests of ``xlbench remedies``."""

from __future__ import annotations

import json

LANGUAGES = ["--language", "de", "en"]


def test_the_tables_say_what_each_remedy_does_and_asks_for(xlbench):
    """On standard output, with the sentences at the end."""
    outcome = xlbench("remedies", "--model", "hash", "--task", "demo", *LANGUAGES, "--quiet")
    assert outcome.code == 0
    assert outcome.out.startswith("hash on demo: remedies for a mixed index (partial: without ar, el, es,")
    assert "paired randomisation test over" in outcome.out
    assert "What each asks for" in outcome.out
    assert outcome.out.splitlines()[-3].startswith("AP with an answer in every language: ")


def test_json_has_a_record_for_each_mean(xlbench, folder):
    """With the difference from one index, its test, and what was drawn; written to a file if one is named."""
    options = ["--format", "json", "--output", "found.json", "--quiet"]
    outcome = xlbench("remedies", "--model", "hash", "--task", "demo", *LANGUAGES, *options)
    assert outcome.code == 0
    assert outcome.out == "Saved to found.json\n"
    records = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    first, last = records[0], records[-1]
    assert (first["remedy"], first["kind"], first["p_adjusted"]) == ("one index", "mono", None)
    assert last["remedy"] == "fusion with bm25"
    assert last["unit"] == "question"
    of_center = {record["measure"]: record for record in records if record["remedy"] == "center"}
    plain = {record["measure"]: record for record in records if record["remedy"] == "one index"}
    for measure, record in of_center.items():
        assert abs(record["difference"] - (record["value"] - plain[measure]["value"])) < 1e-9


def test_latex_markdown_and_html_have_intervals(xlbench):
    """All are of the same tables; the page begins with the sentences."""
    command = ["remedies", "--model", "hash", "--task", "demo", *LANGUAGES, "--quiet", "--format"]
    markdown, latex = (xlbench(*command, form).out for form in ("markdown", "latex"))
    assert "| remedy " in markdown
    assert "[." in markdown
    assert r"\toprule" in latex
    page = xlbench(*command, "html").out
    assert "<title>hash on demo · xlbench</title>" in page
    assert "round-robin" in page
    assert "AP with an answer in every language: " in page
    assert "round-robin" in latex


def test_one_language_is_a_usage_error(xlbench):
    """There is nothing to mend."""
    outcome = xlbench("remedies", "--model", "hash", "--task", "demo", "--language", "de", "--quiet")
    assert outcome.code == 2
    assert "expected two languages or more" in outcome.err
