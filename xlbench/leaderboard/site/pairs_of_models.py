"""What the page that compares two models shows: the figures of `xlbench compare`, computed when the site is built.

There are n (n - 1) / 2 pairs of n models, and a comparison takes about a second: minutes for dozens of models.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xlbench.comparison import compare
from xlbench.errors import XlbenchError
from xlbench.measures import DISTANCE
from xlbench.results import Result


def comparable(result: Result) -> Result:
    """The result with the values of single queries that are compared, a tenth of all."""
    wanted = (result.headline, DISTANCE)
    per_query = [
        replace(of, values={name: of.values[name] for name in wanted if name in of.values}) for of in result.per_query
    ]
    return replace(result, per_query=tuple(per_query), ranking=None)


def pair(baseline: Result, model: Result) -> bytes:
    """The comparison of two results as JSON, or why they cannot be compared."""
    return json.dumps(_pair(baseline, model), separators=(",", ":")).encode()


def _pair(baseline: Result, model: Result) -> dict[str, Any]:
    measures = [baseline.headline, *([DISTANCE] if _have_distance([baseline, model]) else [])]
    try:
        comparison = compare(baseline, model, measures=measures)
    except XlbenchError as error:
        return {"reason": str(error)}
    return {
        "alpha": comparison.alpha,
        "draws": comparison.draws,
        "resamples": comparison.resamples,
        "unit": comparison.unit,
        "clusters": comparison.clusters,
        "differences": [
            {
                "measure": d.quantity.measure,
                "kind": d.quantity.kind,
                "name": d.quantity.name,
                "baseline": d.baseline,
                "value": d.value,
                "low": d.interval[0],
                "high": d.interval[1],
                "effect": None if math.isnan(d.d_z) else d.d_z,
                "p": d.p,
                "adjusted": d.p_adjusted,
                "isBound": d.p_is_bound,
                "verdict": d.verdict,
                "questions": d.n_questions,
            }
            for d in comparison.differences
        ],
    }


def _have_distance(results: Sequence[Result]) -> bool:
    return all(DISTANCE in result.summary.get("multi", {}) and "mono" in result.summary for result in results)
