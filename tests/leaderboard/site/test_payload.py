"""The file with the values of single questions."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from tests.leaderboard.made_sites import several
from xlbench.comparison import compare
from xlbench.leaderboard.site.payload import payload


def read(content):
    """The head and the columns of a file."""
    whole = zlib.decompress(content)
    (length,) = struct.unpack_from("<I", whole)
    head = json.loads(whole[4 : 4 + length])
    return head, np.frombuffer(whole[4 + length :], "<f8").reshape(len(head["columns"]), head["questions"])


@pytest.mark.parametrize("at", [0, 1], ids=["all questions in all languages", "some in some"])
def test_columns_have_what_compare_tests(at):
    """The quantities of `xlbench compare` are the weighted means of the columns."""
    result = several()[at].result
    head, columns = read(payload(result))
    compared = compare(result, result, measures=["AP", "RankDistance"])
    assert compared.n_tests == len(compared.differences) == 4 * 5
    for difference in compared.differences:
        quantity = difference.quantity
        of_language = {}
        for (kind, measure, language, n), values in zip(head["columns"], columns, strict=True):
            if (kind, measure) == (quantity.kind, quantity.measure) and quantity.name in ("mean", language):
                of_language.setdefault(language, []).append((np.nanmean(values), n))
        means = [
            np.average([mean for mean, _ in values], weights=[n for _, n in values]) for values in of_language.values()
        ]
        assert np.mean(means) == pytest.approx(difference.value, rel=1e-12)


def test_pools_with_the_same_questions_are_one_column():
    """The cross-lingual pools of a language that have the same questions are one column."""
    even, uneven = (read(payload(several()[at].result))[0]["columns"] for at in (0, 1))
    assert [column for column in even if column[0] == "cross"] == [
        ["cross", "AP", a, 3] for a in ("ar", "de", "en", "th")
    ]
    assert [column[2:] for column in uneven if column[0] == "cross"] == [
        ["ar", 2], ["ar", 1], ["de", 2], ["de", 1], ["en", 2], ["en", 1], ["th", 3]
    ]  # fmt: skip


def test_the_head_says_what_can_be_compared():
    """The heads of two models agree if they have the same task, version, languages and questions."""
    first, other = several()[0].result, several()[2].result
    head = read(payload(first))[0]
    assert read(payload(other))[0] == head
    for changed in (replace(first, task_version=2), replace(first, missing_languages=["x"]), several()[1].result):
        assert read(payload(changed))[0] != head


def test_the_same_values_give_the_same_bytes():
    """A file depends on the values alone, and is compressed."""
    result = several()[0].result
    content = payload(result)
    assert payload(replace(result, timing={}, environment={})) == content
    assert len(content) < len(zlib.decompress(content)) / 2
