"""Tests of tables for a paper, compiled by a real LaTeX where there is one."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from tests.reports.made_results import HOSTILE, made_result
from xlbench.comparison import compare
from xlbench.measures.values import QueryValues
from xlbench.reports.cells import Cell, Table, row
from xlbench.reports.latex import escaped, latex, latex_tables

FIRST, WORSE, BETTER = (made_result(name, level=level) for name, level in (("one", 0.5), ("two", 0.3), ("three", 0.7)))


def tables_of(text):
    """The table environments of a LaTeX text."""
    return re.findall(r"\\begin\{table\*?\}.*?\\end\{table\*?\}", text, re.DOTALL)


def line_of(table, name):
    """The cells of the row that begins with a name."""
    line = next(line for line in table.splitlines() if line.startswith(f"{name} &"))
    return line.removesuffix(r" \\").split(" & ")


def test_the_tables_are_those_of_the_paper():
    """An overview, then by language the headline, R@1 and R@10, and the rank distance."""
    overview, by_headline, by_success, by_distance = tables_of(latex([FIRST, BETTER]))
    assert r"Model & mono & cross & multi \\" in overview
    assert r"\multicolumn{2}{c}{monolingual, AP} & \multicolumn{2}{c}{cross-lingual, AP}" in by_headline
    assert "{multilingual, R@10}" in by_success
    assert r"\multicolumn{2}{c}{multilingual, RankDistance} \\" in by_distance
    assert r" & one & three \\" in by_distance
    assert "lower is better" in by_distance
    for table in (by_headline, by_success, by_distance):
        assert [line_of(table, name)[0] for name in ("de", "en", "th", "mean")] == ["de", "en", "th", "mean"]


def test_the_caption_says_task_version_and_number_of_queries():
    """A table can be read without its paper."""
    for table in tables_of(latex([FIRST, BETTER])):
        assert "tiny, version 2, n = 120 queries in 3 languages" in table


def test_the_best_is_bold_by_the_direction_of_the_measure():
    """In a row of the rank distance the lowest is bold, in others the highest, in each kind of setting."""
    _, by_headline, _, by_distance = tables_of(latex([WORSE, BETTER]))
    bold = [r"\textbf" in cell for cell in line_of(by_headline, "de")[1:]]
    assert bold == [False, True] * 3
    assert [r"\textbf" in cell for cell in line_of(by_distance, "de")[1:]] == [True, False]


def test_the_means_are_those_of_the_result():
    """The numbers of the overview and of the row of means are the summary's."""
    overview, by_headline, *_ = tables_of(latex([FIRST]))
    expected = [f"{FIRST.summary[kind]['AP']:.3f}".lstrip("0") for kind in ("mono", "cross", "multi")]
    assert line_of(overview, "one")[1:] == expected
    assert line_of(by_headline, "mean")[1:] == expected


def test_marks_say_better_and_worse_than_the_first():
    """A dagger marks better, a double dagger worse; what has no mark cannot be told apart. RankDistance is turned."""
    alike = made_result("alike", level=0.5, seed=1)
    _, by_headline, _, by_distance = tables_of(latex([FIRST, WORSE, BETTER, alike]))
    for table, (two, three) in ((by_headline, ("ddagger", "dagger")), (by_distance, ("dagger", "ddagger"))):
        one, worse, better, same = line_of(table, "mean")[1:5]
        assert rf"$^{{\{two}}}$" in worse
        assert rf"$^{{\{three}}}$" in better
        assert "dagger" not in one + same
    assert r"\textdagger{} better and \textdaggerdbl{} worse than one: paired randomisation test" in by_headline
    assert "after Holm's correction for 57 tests" in by_headline  # 3 models x 16, and 3 pairs of these in 3 kinds.


def noisy(name, shift, seed):
    """FIRST with noise that is larger than its shift."""
    rng = np.random.default_rng(seed)
    per_query = [
        QueryValues(s.setting, s.query, {m: v + rng.normal(shift, 0.1, size=v.shape) for m, v in s.values.items()})
        for s in FIRST.per_query
    ]
    return replace(FIRST, model={**FIRST.model, "name": name}, per_query=tuple(per_query))


def test_marks_are_those_of_compare():
    """Where differences are neither sure nor absent, the marks agree with the verdicts of ``compare``."""
    others = [noisy("two", 0.05, 1), noisy("three", -0.03, 2)]
    verdicts = compare(FIRST, *others, measures=["AP", "RankDistance"]).differences
    expected = {
        (d.model, d.quantity.kind, d.quantity.name): {"better": "dagger", "worse": "ddagger"}.get(d.verdict, "")
        for d in verdicts
        if d.quantity.measure == "AP"
    }
    _, table, *_ = tables_of(latex([FIRST, *others]))
    found = {}
    for name in ("de", "en", "th", "mean"):
        cells = iter(line_of(table, name)[1:])
        for kind in ("mono", "cross", "multi"):
            for model in ("one", "two", "three"):
                found[model, kind, name] = "".join(re.findall(r"\$\^\{\\(d?dagger)\}\$", next(cells)))
    assert {key: mark for key, mark in found.items() if key[0] != "one"} == expected
    assert {*expected.values()} == {"dagger", "ddagger", ""}


def test_without_per_query_scores_there_are_no_marks():
    """Results of which only the JSON file is there are shown untested, and so are those of other languages."""
    loaded = replace(BETTER, per_query=())
    partial = made_result("part", level=0.9, languages=["de", "en"])
    for other, reason in (
        (loaded, "Not tested: three has no scores of single queries"),
        (partial, "Not tested: one has all languages of the task, part (partial: without th) is partial"),
    ):
        assert "dagger" not in latex([FIRST, other])
        assert reason in latex([FIRST, other])
        # The others are tested all the same.
        assert r"$^{\ddagger}$" in latex([FIRST, other, WORSE])
        assert reason in latex([FIRST, other, WORSE])


def test_results_that_cannot_be_compared_say_why():
    """A result of other queries is left untested, and the caption says so."""
    changed = tuple(replace(s, query=tuple(f"{query}x" for query in s.query)) for s in BETTER.per_query)
    text = latex([FIRST, replace(BETTER, per_query=changed)])
    assert "Not tested: one and three have other queries in 'de" in text
    assert "$^" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b&c%$#{}", r"a\_b\&c\%\$\#\{\}"),
        ("~^\\", r"\textasciitilde{}\textasciicircum{}\textbackslash{}"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ("''", "'{}'"),
        ("[red]*", "{[}red]{*}"),
        ("a\nb\x1b", "a b "),
    ],
)
def test_what_means_something_to_latex_is_escaped(text, expected):
    """Special characters, dashes, quotes and what an option could begin with are printed as they are."""
    assert escaped(text) == expected


def test_any_table_can_be_latex():
    """Negative numbers have a minus, marks and bold stand where the cells have them."""
    table = Table("T", ("model", "x"), (row("a", Cell("-.5", -0.5, best=True, mark="*")), row("b", 1190)), "A note.")
    (made,) = tables_of(latex_tables([table]))
    assert r"a & \textbf{$-$.5}{*} \\" in made
    assert r"b & 1,190 \\" in made
    assert r"\begin{tabular}{lr}" in made
    assert "A note." in made


@pytest.mark.latex
def test_the_tables_compile(tmp_path):
    """A real LaTeX makes a PDF of them, nothing runs over the page, and a hostile name is printed as it is."""
    names = [HOSTILE, "a_b&c%$#{}~^\\", "[x]", "*", "Ünï-cödé", *(f"a rather long name of model {i}" for i in range(5))]
    results = [made_result(name, level=0.1 * i) for i, name in enumerate(names)]
    text = latex([*results, *(replace(result, task="other") for result in results)])
    (tmp_path / "tables.tex").write_text(text, encoding="utf-8")
    (tmp_path / "paper.tex").write_text(
        r"\documentclass[twocolumn]{article}\usepackage{booktabs}\usepackage{graphicx}"
        r"\begin{document}\input{tables}\end{document}",
        encoding="utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace")
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert (tmp_path / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert "Overfull" not in ran.stdout
