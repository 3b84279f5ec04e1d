"""When a setting is sound, when its data is at fault, and when that cannot be told."""

from __future__ import annotations

import pytest

from xlbench.examination.chance import ChanceStanding
from xlbench.examination.verdicts import flagged, is_open, verdicts
from xlbench.settings import settings

LANGUAGES = ("de", "en", "th")


def stand(model: str, better: dict[str, float], *, power: float = 1.0, languages=LANGUAGES) -> list[ChanceStanding]:
    """How a model stands: where it is better than chance, and at .5 elsewhere."""
    return [
        ChanceStanding(
            setting, model, 100, 100, better.get(str(setting), 0.5), 0.0 if str(setting) in better else 1.0, power
        )
        for setting in settings(["mono", "cross"], languages)
    ]


def said(lexical: list[ChanceStanding], semantic: list[ChanceStanding]) -> dict[str, set[str]]:
    """The settings of each verdict."""
    found: dict[str, set[str]] = {}
    for verdict in verdicts(lexical, semantic):
        found.setdefault(verdict.said, set()).add(str(verdict.setting))
    return found


MONO = {"de>de": 0.9, "en>en": 0.9, "th>th": 0.9}
CROSS = {"de>en": 0.9, "en>de": 0.9, "de>th": 0.9, "th>de": 0.9, "en>th": 0.9, "th>en": 0.9}
ALL = MONO | CROSS


def without(names: set[str]) -> dict[str, float]:
    """All settings but these."""
    return {name: value for name, value in ALL.items() if name not in names}


def test_any_model_that_is_better_than_chance_shows_that_a_setting_is_sound():
    """What one model ranks well, another need not."""
    found = said(stand("hash", MONO), stand("known", CROSS))
    assert found == {"better than chance": set(ALL)}


def test_a_language_in_which_letters_do_not_help_is_at_chance():
    """Within a language, comparing letters is enough to lay it to the data, without another model."""
    assert said(stand("hash", without({"th>th"})), []) == {
        "better than chance": set(ALL) - {"th>th"},
        "at chance": {"th>th"},
    }


def test_a_pair_that_a_model_knows_from_other_settings_is_at_chance():
    """A model that ranks well from German and to English elsewhere would do so from German to English."""
    found = said(stand("hash", MONO), stand("known", without({"de>en"})))
    assert found["at chance"] == {"de>en"}


@pytest.mark.parametrize(
    "unknown",
    [
        {"de>th", "en>th", "th>de", "th>en"},
        {"de>th", "en>th"},
        {"th>de", "th>en"},
        set(CROSS),
    ],
)
def test_a_language_that_a_model_may_not_know_cannot_be_told(unknown):
    """Where nothing shows that the model links a language in its role, its settings are not flagged."""
    found = said(stand("hash", MONO), stand("known", without(unknown)))
    assert found == {"better than chance": set(ALL) - unknown, "cannot tell": unknown}


def test_ranks_a_little_better_than_chance_do_not_show_that_a_model_knows_a_language():
    """Names and numbers make a model a little better than chance in languages that it does not know."""
    weak = MONO | dict.fromkeys(CROSS, 0.6)
    del weak["de>en"]
    assert said(stand("hash", MONO), stand("known", weak))["cannot tell"] == {"de>en"}


def test_where_nothing_at_all_is_better_than_chance_all_is_at_chance():
    """A model that does well nowhere, in no language and none of six pairs, meets shuffled judgements."""
    assert said(stand("hash", {}), stand("known", {})) == {"at chance": set(ALL)}


def test_in_two_languages_a_model_that_knows_one_does_as_badly():
    """With two languages, nothing better than chance across them may be the model's fault."""
    two = stand("hash", {}, languages=("de", "en")), stand("known", {}, languages=("de", "en"))
    assert said(*two) == {"at chance": {"de>de", "en>en"}, "cannot tell": {"de>en", "en>de"}}


def test_too_few_queries_say_nothing():
    """Where a fair model would not be told from chance, nothing is flagged."""
    assert said(stand("hash", {}, power=0.9), []) == {"too few queries": set(ALL)}


@pytest.mark.parametrize(
    ("better", "power", "is_needed"), [(ALL, 1.0, False), (MONO, 1.0, True), (MONO, 0.5, False), ({}, 0.5, False)]
)
def test_another_model_is_needed_where_letters_leave_a_setting_open(better, power, is_needed):
    """A model is asked only if a setting with enough queries is open."""
    assert is_open(stand("hash", better, power=power)) == is_needed


def test_findings_name_the_settings_and_the_worst_of_them():
    """What is at chance is wrong and comes with its standing; what cannot be told is a note, with what to do."""
    lexical, semantic = stand("hash", MONO), stand("known", without({"th>de", "de>th", "en>th"}))
    findings = flagged(verdicts(stand("hash", without({"th>th"})), []), None)
    assert [(finding.weight, finding.where) for finding in findings] == [("wrong", ("th>th",))]
    assert "In th>th, hash ranks the first relevant passage higher than 50% of random rankings" in findings[0].sentence
    findings = flagged(verdicts(lexical, semantic), "known")
    assert [(finding.weight, finding.where) for finding in findings] == [
        ("wrong", ("th>de",)),
        ("note", ("de>th", "en>th")),
    ]
    assert "--model" in findings[1].meaning
    findings = flagged(verdicts(stand("hash", {}, power=0.1), []), None)
    assert [(finding.weight, finding.about) for finding in findings] == [
        ("note", "settings with too few queries to test")
    ]
