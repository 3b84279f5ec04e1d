"""Results made on the spot: three languages, 40 questions, all measures, values that follow from a level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xlbench.measures.values import QueryValues, summarise
from xlbench.results import SCHEMA, Result
from xlbench.settings import KINDS, Kind, settings
from xlbench.statistics import intervals

LANGUAGES = ("de", "en", "th")
HOSTILE = "=a_b|c&d%e$f#g{h}~i^j\\k<script>[red]\"'`--*\nl"
"""A name that every format could take for something else than text."""
RANGES = {"RankDistance": 1000.0, "MaxRankNorm": 100.0}
RETRIEVAL = ("AP", "R@1", "R@10")
BIAS = ("RankDistance", "MaxRankNorm", "LPR", "OneTargetBias", "IrrelevantLoss", "ParallelLoss")


def made_result(
    name: str = "model",
    *,
    level: float = 0.5,
    task: str = "tiny",
    languages: Sequence[str] = LANGUAGES,
    kinds: Sequence[Kind] = KINDS,
    seed: int = 0,
) -> Result:
    """A result whose values lie around ``level``, with per-query scores, intervals and all that belongs to it."""
    rng = np.random.default_rng(seed)
    per_query = []
    for setting in settings(kinds, languages):
        measures = (*RETRIEVAL, *BIAS) if setting.kind == "multi" else RETRIEVAL
        values = {m: RANGES.get(m, 1.0) * (level + rng.uniform(-0.1, 0.1, size=40)) for m in measures}
        per_query.append(QueryValues(setting, tuple(f"{setting.query}:q{i}" for i in range(40)), values))
    scores = {s.setting: s.means() for s in per_query}
    matrix = {a: {b: level if a == b else 0.25 for b in languages} for a in languages}
    return Result(
        schema=SCHEMA,
        task=task,
        task_version=2,
        headline="AP",
        missing_languages=[language for language in LANGUAGES if language not in languages],
        unit="question",
        n_clusters=40,
        data={"queries": "1", "passages": "2", "judgements": "3"},
        model={"name": name, "revision": "r1", "adapter": "hash", "arguments": {}},
        values=scores,
        queries={s.setting: len(s.query) for s in per_query},
        summary=summarise(scores),
        intervals=intervals(per_query),
        references={m: {"perfect": 0.0, "random": RANGES.get(m, 1.0)} for m in BIAS} if "multi" in kinds else {},
        matrices={"first_language": matrix, "one_target": matrix} if "multi" in kinds else {},
        alignment={
            "parallel_cosine": level,
            "random_cosine": None,
            "bitext_accuracy": 1 - level,
            "bitext": {a: {b: level for b in languages if a != b} for a in languages},
            "language_variance": 0.5,
            "n_parallel": 120,
        },
        environment={},
        timing={},
        per_query=tuple(per_query),
    )
