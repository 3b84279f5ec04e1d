"""The figures of ``questions.py``: what is kept of cells, means of arms, and correlations over them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gpu_training import figures

DECIMALS = 6
SETTINGS = ("batch_size", "steps", "learning_rate", "temperature", "lengths", "dtype", "pairs")
BY_LANGUAGE = {"afriqa": ("cross", "multi"), "xquad": ("mono",), "xquad-r": ("mono",)}
"""Tasks whose AP is kept by language, and in which settings."""
ALIGNED = ("xquad-r", "mlqa-r")
"""Tasks of which the alignment is kept."""
DRAWS = 9999


def kept(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """What the page needs of these cells: no text, and of values by language those that it prints."""
    settings = cells[0]["settings"]
    return {
        "settings": {name: settings[name] for name in SETTINGS} | {"device": cells[0]["device"]},
        "cells": [
            {
                "arm": cell["arm"],
                "seed": cell["seed"],
                "batches": cell.get("batches", {}),
                "summary": {name: round(value, DECIMALS) for name, value in figures(cell).items()},
                "alignment": {task: cell["tasks"][task]["alignment"] for task in ALIGNED if task in cell["tasks"]},
                "languages": {
                    f"{task} {setting}": round(of["AP"], DECIMALS)
                    for task, kinds in BY_LANGUAGE.items()
                    for setting, of in cell["tasks"].get(task, {"values": {}})["values"].items()
                    if kind_of(setting) in kinds
                },
            }
            for cell in cells
        ],
    }


def kind_of(setting: str) -> str:
    """The kind of a setting such as ``hau>en``."""
    queries, passages = setting.split(">")
    return "multi" if passages == "*" else "mono" if queries == passages else "cross"


def written(of: dict[str, Any]) -> str:
    """JSON with a line for each cell."""
    cells = ",\n  ".join(json.dumps(cell) for cell in of["cells"])
    return f'{{"settings": {json.dumps(of["settings"])},\n "cells": [\n  {cells}\n]}}\n'


class Arms:
    """The figures of each arm, by seed."""

    def __init__(self, cells: list[dict[str, Any]]) -> None:
        self.cells: dict[str, dict[int, dict[str, Any]]] = {}
        for cell in cells:
            self.cells.setdefault(cell["arm"], {})[cell["seed"]] = cell

    def __contains__(self, arm: str) -> bool:
        return arm in self.cells

    def values(self, arm: str, figure: str, part: str = "summary") -> list[float]:
        """A figure of an arm, of each seed."""
        return [cell[part][figure] for cell in self.cells[arm].values()]

    def mean(self, arm: str, figure: str, part: str = "summary") -> float:
        """Over seeds."""
        return float(np.mean(self.values(arm, figure, part)))

    def shown(self, arm: str, figure: str) -> str:
        """The mean of a figure, and where there are several seeds its interval; empty if the arm does not have it."""
        if any(figure not in cell["summary"] for cell in self.cells[arm].values()):
            return ""
        of, decimals = interval(self.values(arm, figure)), 0 if figure.endswith("RankDistance") else 3
        ends = f" [{number(of.low, decimals)}, {number(of.high, decimals)}]" if of.n > 1 else ""
        return number(of.mean, decimals) + ends

    @cached_property
    def languages(self) -> dict[str, dict[str, float]]:
        """By arm, the AP of each task and setting that is kept by language: the mean over seeds."""
        return {
            arm: {name: self.mean(arm, name, "languages") for name in next(iter(cells.values()))["languages"]}
            for arm, cells in self.cells.items()
        }

    def predictor(self, arm: str, name: str, task: str) -> float:
        """A measure of an arm that could foretell its retrieval on a task."""
        if name == "tatoeba":
            return self.mean(arm, "tatoeba cross R@1")
        aligned = [cell["alignment"][task] for cell in self.cells[arm].values()]
        if name == "difference":
            return float(np.mean([of["parallel_cosine"] - of["random_cosine"] for of in aligned]))
        return float(np.mean([of[name] for of in aligned]))


def interval(values: Sequence[float]) -> Any:
    """The mean with its t interval."""
    from xlbench.statistics.seeds import mean_of_seeds

    return mean_of_seeds(values)


def number(value: float, decimals: int = 3, *, sign: bool = False) -> str:
    """Without the zero before the point."""
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 and decimals else text


def difference(values: Sequence[float]) -> str:
    """The mean of differences with its t interval."""
    of = interval(values)
    return f"{number(of.mean, sign=True)} [{number(of.low, sign=True)}, {number(of.high, sign=True)}]"


class Correlation(NamedTuple):
    """Spearman's, with a bootstrap interval."""

    rho: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{number(self.rho, 2, sign=True)} [{number(self.low, 2, sign=True)}, {number(self.high, 2, sign=True)}]"


def spearman(a: Sequence[float], b: Sequence[float]) -> Correlation:
    """The rank correlation over models, with the percentile interval of samples of them with replacement."""
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    rows = rng.integers(len(a), size=(DRAWS, len(a)))
    low, high = np.nanpercentile(correlations(np.asarray(a)[rows], np.asarray(b)[rows]), [2.5, 97.5])
    return Correlation(float(spearmanr(a, b).statistic), float(low), float(high))


def correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's correlation in each row, shape (draws,); NaN where one of the two is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(each, axis=1) for each in (a, b)]
    x, y = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
