"""The page that compares two models: its figures are those of `xlbench compare`."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.leaderboard.made_sites import checked, several, sound, submission
from tests.leaderboard.site.conftest import served
from xlbench.comparison import compare
from xlbench.leaderboard.site import build

pytestmark = pytest.mark.browser

READ = "async (file) => JSON.stringify(await (await fetch(file)).json())"


def computed(page, site, one, other):
    """The two submissions in the order of their file, and the figures that the page reads for them."""
    task = f"{one.result.task}@{one.result.task_version}"
    for pair in ((one, other), (other, one)):
        file = f"data/{task}/{'--'.join(each.folder.parent.name for each in pair)}.json"
        if (site / file).exists():
            return pair, json.loads(page.evaluate(READ, file))
    raise LookupError("no file has the two models")


def assert_same(found, comparison):
    """Asserts that all figures of a comparison are the same: p-values and verdicts exactly, others but for rounding."""
    assert (found["draws"], found["resamples"], found["alpha"]) == (
        comparison.draws,
        comparison.resamples,
        comparison.alpha,
    )
    assert len(found["differences"]) == len(comparison.differences) == comparison.n_tests
    for shown, expected in zip(found["differences"], comparison.differences, strict=True):
        quantity = expected.quantity
        assert (shown["measure"], shown["kind"], shown["name"]) == (quantity.measure, quantity.kind, quantity.name)
        assert (shown["p"], shown["verdict"]) == (expected.p, expected.verdict)
        assert (shown["questions"], shown["isBound"]) == (expected.n_questions, expected.p_is_bound)
        assert shown["adjusted"] == pytest.approx(expected.p_adjusted, rel=1e-12)
        numbers = [shown[key] for key in ("baseline", "value", "low", "high", "effect")]
        wanted = [expected.baseline, expected.value, *expected.interval, expected.d_z]
        assert [np.nan if number is None else number for number in numbers] == pytest.approx(
            wanted, rel=1e-9, abs=2e-6, nan_ok=True
        )


@pytest.mark.parametrize(
    ("baseline", "model"),
    [(0, 2), (2, 4), (1, 3)],
    ids=["close", "far", "questions that differ by language"],
)
def test_the_figures_are_those_of_compare(opened, site, baseline, model):
    """Every mean, interval, p-value, effect size and verdict is that of `xlbench compare`, for all quantities."""
    one, other = several()[baseline], several()[model]
    with opened(site) as page:
        pair, found = computed(page, site, one, other)
    assert_same(found, compare(*(each.result for each in pair), measures=["AP", "RankDistance"]))


def test_few_questions_are_tested_exactly(opened, tmp_path):
    """With so few questions that all sign flips are taken, the figures are the same as well."""
    pair = [few(skill) for skill in (2.0, 0.5)]
    build([sound(each) for each in pair], tmp_path / "site")
    with opened(tmp_path / "site") as page:
        pair, found = computed(page, tmp_path / "site", *pair)
    comparison = compare(pair[0].result, pair[1].result, measures=["AP", "RankDistance"])
    assert comparison.draws >= 2**9
    assert_same(found, comparison)


def few(skill):
    """A submission with nine questions."""
    from tests.leaderboard.made_sites import Made, manifest, ranking, result

    ranked = ranking(skill, n_questions=9)
    of = result(ranked, f"few-{skill:g}")
    return Made(several()[0].folder.parent.parent / of.model["name"] / "made", manifest(of), of, ranked)


def test_the_page_shows_the_figures(opened, site):
    """The tables have a row for each language and the mean, with the difference, its interval, p and the verdict."""
    comparison = compare(several()[0].result, several()[4].result, measures=["AP", "RankDistance"])
    (mean,) = [d for d in comparison.differences if (d.quantity.kind, d.quantity.name) == ("mono", "mean")]
    with opened(site, "compare.html#a=alpha&b=gamma") as page:
        page.wait_for_selector("#found table")
        assert page.locator("#found h2").all_inner_texts() == [
            "Monolingual AP", "Cross-lingual AP", "Multilingual AP", "RankDistance"
        ]  # fmt: skip
        assert page.locator("#found tbody").first.locator("th").all_inner_texts() == ["ar", "de", "en", "th"]
        cells = page.locator("#found tfoot").first.locator("td").all_inner_texts()
        assert cells[0] == f"{mean.baseline:.3f}".removeprefix("0")
        assert cells[2].split() == [
            "−." + f"{mean.difference:.3f}".split(".")[1],
            "−." + f"{mean.interval[0]:.3f}".split(".")[1],
            "to",
            "−." + f"{mean.interval[1]:.3f}".split(".")[1],
        ]
        assert (cells[5], cells[6]) == ("<.001", "▼ worse")
        assert "monolingual AP worse" in page.inner_text(".state")
        assert "for the 20 differences" in page.inner_text("#how")
        page.locator(".swap").click()
        page.locator(".state", has_text="monolingual AP better").wait_for()
        assert "a=gamma&b=alpha" in page.url


def test_several_models_stand_side_by_side(opened, site):
    """Means of all are in one table with verdicts against the baseline; models are added, taken out and unfolded."""
    one, *others = (several()[i].result for i in (0, 2, 4))
    verdicts = {
        (d.quantity.measure, d.quantity.kind): []
        for other in others
        for d in compare(one, other, measures=["AP", "RankDistance"]).differences
    }
    for other in others:
        for d in compare(one, other, measures=["AP", "RankDistance"]).differences:
            if d.quantity.name == "mean":
                verdicts[d.quantity.measure, d.quantity.kind].append(d.verdict)
    with opened(site, "compare.html#a=alpha&b=beta") as page:
        page.wait_for_selector("#found table")
        page.locator("button.add").click()
        page.wait_for_selector("#side")
        assert page.url.endswith("b=beta%2Cgamma")
        rows = page.locator("#side tbody tr")
        heads = page.locator("#side thead th").all_inner_texts()
        assert [head.split("\n")[0] for head in heads] == ["alpha", "beta", "gamma"]
        for i, key in enumerate([("AP", "mono"), ("AP", "cross"), ("AP", "multi"), ("RankDistance", "multi")]):
            shown = rows.nth(i).locator(".verdict").all_inner_texts()
            assert [text.split(" ", 1)[1] for text in shown] == [
                {"cannot be told apart": "told apart"}.get(verdict, verdict) for verdict in verdicts[key]
            ]
        folded = page.locator("#found details", has_text="gamma against alpha")
        assert not folded.locator("table").first.is_visible()
        folded.locator("summary").click()
        assert folded.locator("h3").all_inner_texts()[0] == "Monolingual AP"
        assert folded.locator("table").first.is_visible()
        page.locator("select[name=b]").nth(1).select_option("")
        page.locator(".state", has_text="beta against alpha").wait_for()
        assert page.locator("#side").count() == 0


def test_models_that_cannot_be_compared_say_why(opened, tmp_path):
    """Models that were asked other questions, and a model with itself, get a sentence and no figures."""
    uneven = replace(submission("uneven", 2.0, ragged=True))
    build([checked()[0], sound(uneven)], tmp_path / "site")
    with opened(tmp_path / "site", "compare.html#a=alpha&b=uneven") as page:
        page.locator(".state", has_text="cannot be compared").wait_for()
        assert page.locator("#found table").count() == 0
        page.select_option("select[name=b]", "alpha")
        page.locator(".state", has_text="one and the same").wait_for()


def test_a_comparison_that_is_gone_is_an_error_that_says_so(chromium, tmp_path):
    """A file that cannot be read gives a sentence."""
    build(checked()[:3], tmp_path / "site")
    for path in (tmp_path / "site/data").rglob("*.json"):
        path.unlink()
    with served(tmp_path / "site") as address:
        page = chromium.new_page()
        page.goto(f"{address}compare.html#a=alpha&b=beta")
        page.locator(".state", has_text="could not be read").wait_for()
        page.close()
