"""Settings: the families mono, cross and multi."""

from __future__ import annotations

import pytest

from xlbench.settings import KINDS, Setting, settings


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        (Setting("de", "de"), "de>de"),
        (Setting("de", "en"), "de>en"),
        (Setting("de", None), "de>*"),
    ],
)
def test_a_name_says_query_and_pool_and_gives_it_back(setting, name):
    """A setting's name is QUERY>POOL, with * for all languages, and gives the setting again."""
    assert str(setting) == name
    assert Setting.of(name) == setting


@pytest.mark.parametrize(("n_languages", "counts"), [(11, (11, 110, 11)), (7, (7, 42, 7)), (1, (1, 0, 1))])
def test_each_kind_has_one_setting_a_language_or_ordered_pair(n_languages, counts):
    """XQuAD-R's 11 languages give 11 + 110 + 11 settings, MLQA-R's 7 give 7 + 42 + 7, and no name occurs twice."""
    languages = [f"l{i}" for i in range(n_languages)]
    assert tuple(len(settings([kind], languages)) for kind in KINDS) == counts
    names = [str(setting) for setting in settings(KINDS, languages)]
    assert len(set(names)) == len(names) == sum(counts)


def test_the_order_of_settings_does_not_depend_on_the_order_of_kinds():
    """Settings come mono, cross, multi, each in the order of the languages, however the kinds are asked for."""
    names = [str(setting) for setting in settings(["multi", "cross", "mono"], ["b", "a"])]
    assert names == ["b>b", "a>a", "b>a", "a>b", "b>*", "a>*"]


def test_queries_and_passages_may_be_in_different_languages():
    """A language is asked only where there are queries, and is in a pool only where there are passages."""
    names = [str(setting) for setting in settings(KINDS, ["te", "en"], pooled=["en", "fr"])]
    assert names == ["en>en", "te>en", "te>fr", "en>fr", "te>*", "en>*"]
    assert settings(["multi"], ["te"], pooled=["en"]) == [Setting("te", None)]
    assert settings(KINDS, ["te"], pooled=[]) == []


def test_the_multi_pool_is_all_languages():
    """A multilingual setting has passages of every language in its pool, the query's own among them."""
    assert settings(["multi"], ["b", "a"])[1] == Setting("a", None)
