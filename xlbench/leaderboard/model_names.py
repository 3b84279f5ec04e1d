"""Names of models that are not taken for other names: of one form, of one script, and unlike those that are there."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from xlbench.leaderboard.hostile_json import text_fault
from xlbench.support.extras import require

_LONGEST = 200
_CJK = frozenset({"HAN", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"})
"""Written together, and with Latin: the level "highly restrictive" of Unicode Technical Standard 39."""
# Of the confusables of UTS 39 those within ASCII, after upper case is folded; separators are one.
_ASCII = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "m": "rn", "w": "vv"} | dict.fromkeys("_. ", "-"))


def name_fault(value: object) -> str | None:
    """What is wrong with the name of a model; None if nothing is.

    It has the form NFKC, in which a letter is written in one way only, and letters of one script; not all of them look
    like Latin ones if they are others.
    """
    if not isinstance(value, str) or (fault := text_fault(value, longest=_LONGEST)):
        return text_fault(value, longest=_LONGEST)
    if fault := form_fault(value):
        return fault
    if value.isascii():
        return None
    scripts = {script for character in value if (script := _script(character)) not in ("COMMON", "INHERITED")}
    if len(scripts) > 1 and scripts - {"LATIN"} - _CJK:
        return f"has letters of {' and '.join(sorted(scripts))}; expected those of one script"
    letters = [character for character in value if character.isalpha()]
    if scripts != {"LATIN"} and all(_looks_like(character) for character in letters):
        return f"looks like {''.join(_looks_like(c) or c for c in value)!r}; expected a name that cannot be mistaken"
    return None


def form_fault(value: str) -> str | None:
    """What is wrong with the form of a text that identifies somebody or something; None if it is NFKC."""
    normal = unicodedata.normalize("NFKC", value)
    return None if value == normal else f"is not in the form NFKC; write {normal!r:.100}"


def skeleton(name: str) -> str:
    """What a name looks like: names of one skeleton are mistaken for each other."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    if not bare.isascii():
        bare = "".join(c if c.isascii() else _looks_like(c) or c for c in bare).casefold()
    return bare.translate(_ASCII)


def _looks_like(character: str) -> str | None:
    """The ASCII letters or digits that a character looks like; None if there are none."""
    if character.isascii():
        return character
    alike = _library()[0].get(character, ())
    return next((each["c"] for each in alike if each["c"].isascii() and each["c"].isalnum()), None)


def _script(character: str) -> str:
    return _library()[1](character)


def _library() -> tuple[Mapping[str, Sequence[Mapping[str, str]]], Callable[[str], str]]:
    """The characters that look like each, and the script of each."""
    require("leaderboard", "A model's name with other letters than a-z")
    from confusable_homoglyphs.categories import alias
    from confusable_homoglyphs.confusables import confusables_data

    return confusables_data, alias
