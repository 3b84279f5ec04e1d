"""Identification: in what language a text is.

By py3langid (naive Bayes over n-grams of bytes; Lui and Baldwin 2011), which comes with its model of 139 languages.
Members of one macrolanguage are one language here, such as Egyptian with Arabic and Wu with Chinese: by the IANA
registry of language subtags, as langcodes has it.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Mapping
from functools import cached_property

MODULES = ("py3langid", "langcodes")
INSTALL = "pip install 'xlbench[check]'"
_SURE = 0.5
_NO_LANGUAGE = "zxx"


def installed() -> bool:
    """Whether the modules it needs are there; nothing is imported."""
    return all(map(importlib.util.find_spec, MODULES))


class Identifier:
    """Tells the language of a text by its macrolanguage's code, such as ``zh``."""

    def __init__(self) -> None:
        from langcodes.registry_parser import parse_registry
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._macrolanguage = {
            entry["Subtag"]: entry["Macrolanguage"] for entry in parse_registry() if "Macrolanguage" in entry
        }

    @cached_property
    def _known(self) -> set[str]:
        return {self._macrolanguage.get(label, label) for label in self._model.labels}

    def knows(self, declared: str) -> bool:
        """Whether it can tell the language with this code."""
        return self.macrolanguage(declared) in self._known

    def macrolanguage(self, declared: str) -> str | None:
        """The macrolanguage of a code such as ``zh-TW``, ``zho_Hans`` or ``yue``; None if it is no code."""
        import langcodes
        from langcodes.tag_parser import LanguageTagError

        try:
            language = langcodes.get(declared).language
        except LanguageTagError:
            return None
        return self._macrolanguage.get(language, language)

    def language(self, text: str) -> str | None:
        """The language that a text is in with a probability of more than one half; None if there is none."""
        probability = self._probabilities(text)
        language = max(probability, key=probability.__getitem__)
        return language if probability[language] > _SURE and language != _NO_LANGUAGE else None

    def language_among(self, text: str, known: Mapping[str, int]) -> int | None:
        """What ``known`` has for a text's most likely language; None if it is surely in another, or in none.

        The keys of ``known`` are codes of macrolanguages.
        """
        probability = self._probabilities(text)
        likely = max(probability, key=probability.__getitem__)
        if likely not in known and probability[likely] > _SURE:
            return None
        return known[max(known, key=lambda language: probability[language])]

    def _probabilities(self, text: str) -> Counter[str]:
        shares: Counter[str] = Counter()
        for label, share in self._model.rank(text):
            shares[self._macrolanguage.get(label, label)] += share
        return shares
