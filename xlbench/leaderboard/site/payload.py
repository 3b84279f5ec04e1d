"""What a browser needs to test one model against another: the values of single questions, as one compressed file.

The file is zlib's stream of: the length of the head in bytes (uint32), the head (JSON, padded with spaces to a multiple
of 8 with the length), and ``float64[C, Q]``, all little-endian, NaN where a column does not have the question. Two
models can be tested against each other if the heads of their files and the places of NaN are the same.

``xlbench compare`` gives the same figures: they are all functions of these columns. Settings of one kind, language and
measure with the same questions, such as ``de>ar`` and ``de>en`` where all questions are asked in all languages, enter
them only by their mean, which is one column here.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from xlbench.measures import DISTANCE
from xlbench.measures.values import QueryValues
from xlbench.results import Result
from xlbench.settings import KINDS
from xlbench.statistics import Values

_ALIGNMENT = 8


def payload(result: Result) -> bytes:
    """The file of a result with per-query scores: the same bytes for the same values."""
    values = Values.of(list(_tested(result)))
    columns = _columns(values)
    head = {
        "task": result.task,
        "version": result.task_version,
        "headline": result.headline,
        "missing": sorted(result.missing_languages),
        "questions": len(values.questions),
        "digest": hashlib.sha256("\n".join(values.questions).encode("utf-8", "replace")).hexdigest(),
        "columns": [[*key[:3], len(members)] for key, members in columns],
    }
    encoded = json.dumps(head, separators=(",", ":")).encode()
    encoded += b" " * (-(len(encoded) + struct.calcsize("<I")) % _ALIGNMENT)
    merged = (
        np.stack([values.value[:, members].mean(axis=1) for _, members in columns]) if columns else np.empty((0, 0))
    )
    body = merged.astype("<f8").tobytes()
    return zlib.compress(struct.pack("<I", len(encoded)) + encoded + body, level=6)


def _tested(result: Result) -> Iterator[QueryValues]:
    """The values that ``xlbench compare`` tests: of the headline, and of RankDistance where there is mono and multi."""
    kinds = {scores.setting.kind for scores in result.per_query}
    for scores in sorted(result.per_query, key=lambda scores: KINDS.index(scores.setting.kind)):
        wanted = [result.headline]
        if scores.setting.kind == "multi" and "mono" in kinds:
            wanted.append(DISTANCE)
        yield QueryValues(scores.setting, scores.query, {m: scores.values[m] for m in wanted if m in scores.values})


def _columns(values: Values) -> list[tuple[tuple[str, str, str, bytes], list[int]]]:
    """The columns of a file: kind, measure, language of the queries and who is asked, with the settings' columns."""
    found: dict[tuple[str, str, str, bytes], list[int]] = {}
    for i, (setting, measure) in enumerate(values.columns):
        asked = np.isfinite(values.value[:, i]).tobytes()
        found.setdefault((setting.kind, measure, setting.query, asked), []).append(i)
    return list(found.items())
