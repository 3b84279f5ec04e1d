"""The table of a suite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.made_settings import keyed
from tests.reports.made_results import made_result
from xlbench.catalogue.suites import Suite, SuiteEntry
from xlbench.reports.suite_tables import suite_table

SUITE = Suite(
    "both",
    "Two tasks",
    (SuiteEntry("one", "multi", "AP"), SuiteEntry("two", "cross", "R@1", "eng-*")),
    "nobody",
    {"three": "nobody has it"},
)


def test_the_values_of_a_model_are_the_means_over_the_settings_that_count():
    """The other direction does not; what a model was not evaluated on is empty, and what is lacking is said."""
    values = {
        "one": {"de>*": {"AP": 0.5}, "en>*": {"AP": 0.3}, "de>de": {"AP": 1.0}},
        "two": {"gle>eng-gle": {"R@1": 0.2}, "ita>eng-ita": {"R@1": 0.4}, "eng-ita>ita": {"R@1": 1.0}},
    }
    results = [
        replace(made_result(), task=task, values=keyed(of), queries=dict.fromkeys(keyed(of), 10))
        for task, of in values.items()
    ]
    other = replace(results[0], model={**results[0].model, "name": "other"})
    table = suite_table(SUITE, [*results, other])
    assert table.header == ("model", "one, multi: AP", "two, cross in eng-*: R@1")
    (_, *cells), (name, *others) = table.rows
    assert [cell.value for cell in cells] == [pytest.approx(0.4), pytest.approx(0.3)]
    assert (name.text, others[0].value, others[1].text) == ("other", pytest.approx(0.4), "")
    assert table.note == "Without three: nobody has it."
