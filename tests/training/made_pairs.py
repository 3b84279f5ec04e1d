"""Pair files for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROWS: list[dict[str, Any]] = [
    {
        "id": "sky",
        "queries": {"de": "Welche Farbe hat der Himmel?", "en": "What colour is the sky?"},
        "passages": {"de": "Der Himmel ist blau.", "en": "The sky is blue.", "fr": "Le ciel est bleu."},
    },
    {"id": "sea", "queries": {"en": "What colour is the sea?"}, "passages": {"en": "The sea is green.", "de": "Grün."}},
    {"id": "noise", "queries": {}, "passages": {"en": "Nobody asks about the colour of noise."}},
    {
        "id": "heaven",
        "passage_id": "sky",
        "queries": {"fr": "De quelle couleur est le ciel ?"},
        "passages": {"fr": "Le ciel est bleu."},
    },
]


def write_pairs(path: Path, rows: Iterable[Mapping[str, Any]] = ROWS) -> Path:
    """Writes rows as JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
