"""When two texts are the same: one rule for the loss mask, the mining of negatives, overlap and the check of data.

The engine asks another question. Texts that differ in a comma are the same to a reader, and may have two vectors: it
encodes each text of other characters once (``Texts.distinct``).
"""

from __future__ import annotations

import unicodedata


class _Plain(dict[int, str]):
    """What stands for each character: a space for all but letters, marks and digits."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if unicodedata.category(character)[0] in "LMN" else " "
        return self[code]


_PLAIN = _Plain()


def plain(text: str) -> str:
    """The letters and digits of a text in one Unicode form and case, with single spaces between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN).split())


def same_key(text: str) -> str:
    """What two texts have in common just if they are the same: ``plain``, or the text itself if it is signs alone."""
    return plain(text) or text.strip()
