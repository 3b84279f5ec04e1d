"""Verdicts: what the chance-level test says of each setting, and where it cannot tell the data's fault from a model's.

A setting is sound if any model ranks better than chance in it. If none does, that is laid to the data where a model is
known to do better: within a language, where comparing letters is enough; across two, if the model ranks well from the
one and to the other in other settings; and everywhere, if no model is better than chance in any setting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from xlbench.examination.chance import ChanceStanding
from xlbench.examination.findings import Finding, listed
from xlbench.settings import Setting

Said = Literal["better than chance", "at chance", "cannot tell", "too few queries"]

_KNOWN = 0.75
"""The standing from which a model is known to link a language to another."""


@dataclass(frozen=True)
class Verdict:
    """What the chance-level test says of a setting."""

    setting: Setting
    said: Said
    standings: tuple[ChanceStanding, ...]
    """By the models that were asked: first the one that compares letters."""

    @property
    def best(self) -> ChanceStanding:
        """The standing of the model that does best."""
        return max(self.standings, key=lambda each: each.standing)


def is_open(lexical: Sequence[ChanceStanding]) -> bool:
    """Whether comparing letters leaves any setting open that has enough queries."""
    return any(each.can_tell and not each.is_better for each in lexical)


def verdicts(lexical: Sequence[ChanceStanding], semantic: Sequence[ChanceStanding]) -> list[Verdict]:
    """The verdict on each setting.

    ``lexical`` is how a model stands that compares letters, ``semantic`` how one does that knows languages; the latter
    is empty if there is none.
    """
    by_setting = {one.setting: one for one in semantic}
    languages = {language for one in semantic for language in (one.setting.query, one.setting.passages)}
    # With two languages alone, a model that knows only one of them would do as badly.
    hopeless = len(languages) > 2 and not any(one.is_better for one in (*lexical, *semantic))
    one = []
    for standing in lexical:
        setting = standing.setting
        asked = (standing, *(by_setting[each] for each in [setting] if each in by_setting))
        said: Said = "cannot tell"
        if any(each.is_better for each in asked):
            said = "better than chance"
        elif not standing.can_tell:
            said = "too few queries"
        elif setting.kind == "mono" or hopeless or _is_known(setting, semantic):
            said = "at chance"
        one.append(Verdict(setting, said, asked))
    return one


def _is_known(setting: Setting, semantic: Sequence[ChanceStanding]) -> bool:
    """Whether the model ranks well from the setting's one language and to its other, in other settings."""
    linked = [each.setting for each in semantic if each.setting.kind == "cross" and each.standing >= _KNOWN]
    return any(s.query == setting.query for s in linked) and any(s.passages == setting.passages for s in linked)


def flagged(verdicts: Sequence[Verdict], model: str | None) -> list[Finding]:
    """The settings at chance level, and those of which it cannot be told; ``model`` is the one that knows languages."""
    said: dict[Said, list[Verdict]] = {}
    for verdict in verdicts:
        said.setdefault(verdict.said, []).append(verdict)
    findings = []
    if at_chance := said.get("at chance"):
        findings.append(_at_chance(at_chance))
    if untold := said.get("cannot tell"):
        reason = f"Neither hash nor {model} ranks" if model else "hash, which compares letters, does not rank"
        shows = f"{model} links these languages" if model else "these languages have words in common"
        text = f"{_names(untold)}. {reason} better than chance there, and nothing shows that {shows}."
        meaning = "They may be sound. To have them tested, name a model that knows these languages: --model."
        findings.append(Finding("note", "settings that may be at chance level", text, meaning, _where(untold)))
    if few := said.get("too few queries"):
        meaning = (
            "There are so few queries without a common relevant passage that a model could answer every third one and "
            "still not be told from chance. Read some of them with their relevant passages yourself."
        )
        findings.append(
            Finding("note", "settings with too few queries to test", f"{_names(few)}.", meaning, _where(few))
        )
    return findings


def _at_chance(verdicts: Sequence[Verdict]) -> Finding:
    worst = min((verdict.best for verdict in verdicts), key=lambda standing: standing.standing)
    return Finding(
        "wrong",
        "settings at chance level",
        f"{_names(verdicts)}. In {worst.setting}, {worst.model} ranks the first relevant passage higher than "
        f"{worst.standing:.0%} of random rankings do, in the mean of {worst.n_queries:,} queries: 50% is chance.",
        "A model that is sound here does no better than if judgements were shuffled. Ids of another version of the "
        "data do this, and files that do not belong together: read a few queries with their relevant passages. Until "
        "this is mended, leave these settings out, and with them the pool of all languages.",
        _where(verdicts),
    )


def _names(verdicts: Sequence[Verdict]) -> str:
    return listed(_where(verdicts))


def _where(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    return tuple(str(verdict.setting) for verdict in verdicts)
