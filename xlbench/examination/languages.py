"""In what language texts are, against the language that they are declared to be in; see ``encoders.identification``."""

from __future__ import annotations

import numpy as np

from xlbench.collection import Texts
from xlbench.examination.findings import Count, Finding, Rule, counted, listed
from xlbench.models.language_identifier import INSTALL, Identifier, installed

_SAMPLE = 1000
_BYTES = 40
_EXAMPLES = 3

_MEANING = (
    f"Of at most {_SAMPLE:,} texts of {_BYTES} bytes or more, drawn at random, these are in the language in brackets "
    "with a probability of more than one half. A few are names, quotations and mistakes of the identifier; where most "
    "are, files were mixed up or not translated, and settings with this language are of another one."
)
_QUERIES = Rule("queries in another language", _MEANING, doubtful=0.05, wrong=0.5, least=20)
_PASSAGES = Rule("passages in another language", _MEANING, doubtful=0.05, wrong=0.5, least=20)


def in_another_language(queries: Texts, passages: Texts, languages: tuple[str, ...]) -> list[Finding]:
    """Texts that are in another language than they are declared to be in; and what could not be examined."""
    if not installed():
        return [_not_examined("It needs py3langid and langcodes.", f"To have it examined: {INSTALL}")]
    identifier = Identifier()
    known = [code for code, language in enumerate(languages) if identifier.knows(language)]
    findings = []
    for rule, texts in ((_QUERIES, queries), (_PASSAGES, passages)):
        findings += counted(rule, [_count(identifier, texts, code, languages[code]) for code in known])
    unknown = [language for code, language in enumerate(languages) if code not in known]
    if unknown:
        said = f"The identifier does not know {listed(unknown)}."
        findings.append(
            _not_examined(said, "Look at some of the texts yourself, or give languages by their ISO 639 codes.")
        )
    return findings


def _count(identifier: Identifier, texts: Texts, code: int, declared: str) -> Count:
    """How many of a sample of a language's longer texts are in another one."""
    rows = texts.rows(code)
    # Twice as many, because some are too short.
    size = min(2 * _SAMPLE, rows.stop - rows.start)
    drawn = rows.start + np.sort(np.random.default_rng(0).choice(rows.stop - rows.start, size, replace=False))
    n, others = 0, []
    for row in drawn.tolist():
        text = texts.text[row]
        if n < _SAMPLE and len(text.encode("utf-8", "surrogatepass")) >= _BYTES:
            n += 1
            language = identifier.language(text)
            if language not in (None, identifier.macrolanguage(declared)):
                others.append(f"{texts.ids[row]} ({language})")
    return Count(declared, len(others), max(n, 1), tuple(others[:_EXAMPLES]))


def _not_examined(why: str, meaning: str) -> Finding:
    return Finding("note", "language of texts not examined", why, meaning)
