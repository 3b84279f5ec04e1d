"""Perturbation: queries as people type them, which a model was not trained on; what ``--perturb`` names."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from xlbench.collection import Collection
from xlbench.collection.clusters import question_of
from xlbench.errors import DataError, UnknownNameError
from xlbench.support.extras import require

Method = Literal["latin", "mixed", "lower", "accents"]
METHODS: tuple[Method, ...] = get_args(Method)
_ENGLISH = "en"
_MARKS = range(0x300, 0x370)
"""Combining marks of Latin, Greek and Cyrillic; those of Arabic, Hindi and Thai are letters to a reader."""
_SHARE = (0.3, 0.7)
"""Between which shares of a query its language is switched."""


@dataclass(frozen=True)
class Perturbation:
    """A change to the queries' texts, not to their ids, passages and judgements; prints as ``--perturb`` takes it.

    ``latin``: letters of other scripts are transliterated. ``mixed``: a query begins in its language and goes on in
    English, or the other way round, by the parallel query. ``lower``: lower case. ``accents``: without the marks above
    and below Latin, Greek and Cyrillic letters.
    """

    method: Method

    def __str__(self) -> str:
        return self.method

    def identity(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """The ``model`` object of a result, from that of the model with the queries as they are."""
        stated = {"method": self.method, **({"anyascii": _version()} if self.method == "latin" else {})}
        return {**model, "name": f"{model['name']}+{self}-queries", "perturbation": stated}

    def apply(self, collection: Collection) -> Collection:
        """The collection with its queries changed; one that would have no text is as it was.

        Raises:
            DataError: if queries are to be mixed with English, and there are none in English.
            MissingLibraryError: if the library that transliterates is not installed.

        """
        queries = collection.queries
        if self.method == "mixed":
            texts = _mixed(collection)
        else:
            change = _CHANGES[self.method]
            texts = [change(text) for text in queries.text]
        kept = tuple(new if new.strip() else old for new, old in zip(texts, queries.text, strict=True))
        return replace(collection, queries=replace(queries, text=kept))


def parse(name: str | None) -> Perturbation | None:
    """The perturbation of this name, None for None.

    Raises:
        UnknownNameError: if there is none.
        MissingLibraryError: if what it needs is not installed.

    """
    if name is None:
        return None
    if name == "latin":
        require("perturb", "Transliterating queries")
    for method in METHODS:
        if name == method:
            return Perturbation(method)
    raise UnknownNameError("perturbation", name, METHODS)


def share_changed(plain: Collection, perturbed: Collection) -> dict[str, float]:
    """By language, the share of the queries that have another text; languages without queries are left out."""
    shares = {}
    for code, language in enumerate(plain.languages):
        rows = plain.queries.rows(code)
        pairs = list(zip(plain.queries.text[rows], perturbed.queries.text[rows], strict=True))
        if pairs:
            shares[language] = sum(old != new for old, new in pairs) / len(pairs)
    return shares


def _latin(text: str) -> str:
    """The text with letters, marks and digits of other scripts transliterated; Latin ones stay as they are."""
    from anyascii import anyascii

    return "".join(anyascii(letter) if _is_foreign(letter) else letter for letter in text)


def _is_foreign(letter: str) -> bool:
    if letter.isascii() or unicodedata.category(letter)[0] not in "LMN":
        return False
    return not (unicodedata.name(letter, "").startswith("LATIN ") or ord(letter) in _MARKS)


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(letter for letter in letters if ord(letter) not in _MARKS))


def _mixed(collection: Collection) -> list[str]:
    """Each query with one part in its language and the other in English; English ones, and those without, as they are.

    Where the switch is, and which part is English, follows from the question: all its translations switch alike.
    """
    queries = collection.queries
    codes = [code for code, language in enumerate(collection.languages) if language.partition("-")[0] == _ENGLISH]
    english = {
        question_of(id_): text
        for id_, text, code in zip(queries.ids, queries.text, queries.language.tolist(), strict=True)
        if code in codes
    }
    if not english:
        raise DataError(
            f"--perturb mixed mixes queries with {_ENGLISH!r}, in which there are none; the languages are "
            f"{', '.join(collection.asked)}. Add {_ENGLISH!r}, or choose another perturbation."
        )
    return [
        _switched(text, english[question], question)
        if (question := question_of(id_)) in english and code not in codes
        else text
        for id_, text, code in zip(queries.ids, queries.text, queries.language.tolist(), strict=True)
    ]


def _switched(text: str, english: str, question: str) -> str:
    drawn = hashlib.sha256(question.encode("utf-8", "surrogatepass")).digest()
    share = _SHARE[0] + (_SHARE[1] - _SHARE[0]) * int.from_bytes(drawn[:4]) / (1 << 32)
    first, second = (text, english) if drawn[4] % 2 else (english, text)
    return f"{_cut(first, share)[0]} {_cut(second, share)[1]}".strip()


def _cut(text: str, share: float) -> tuple[str, str]:
    """The text up to a share of its words, or of its letters where it has no more than two words, and the rest."""
    words = text.split()
    if len(words) > 2:
        at = min(max(round(share * len(words)), 1), len(words) - 1)
        return " ".join(words[:at]), " ".join(words[at:])
    at = round(share * len(text))
    return text[:at].strip(), text[at:].strip()


def _version() -> str:
    from importlib.metadata import version

    return version("anyascii")


_CHANGES: Mapping[str, Callable[[str], str]] = {"latin": _latin, "lower": str.lower, "accents": _without_accents}
