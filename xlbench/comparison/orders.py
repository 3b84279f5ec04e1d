"""Models among each other: which others are nowhere worse, and from the best to the worst."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from xlbench.comparison.family import Tests
from xlbench.comparison.outcome import Order, Ranked, Standing
from xlbench.comparison.study import Study
from xlbench.statistics import groups


def standings(overall: Study, labelled: Sequence[str]) -> Iterator[Standing]:
    """Each model with the models that dominate it."""
    columns = [f"{q.kind} {q.measure}" for q in overall.quantities]
    kept = [k for k, q in enumerate(overall.quantities) if q.kind != "cross"]
    good = np.stack([overall.goodness(model) for model in range(len(labelled))])[:, kept]
    for model, label in enumerate(labelled):
        means = overall.means(model)
        dominating = (good >= good[model]).all(axis=1) & (good > good[model]).any(axis=1)
        yield Standing(
            label,
            {columns[k]: float(means[k]) for k in kept},
            tuple(label for label, is_better in zip(labelled, dominating, strict=True) if is_better),
        )


def orders(study: Study, labelled: Sequence[str], tests: Tests, *, alpha: float) -> Iterator[Order]:
    """The models from the best to the worst in each quantity, with the groups that are not told apart."""
    models = range(len(labelled))
    means, good = ([of(model) for model in models] for of in (study.means, study.goodness))
    for k, quantity in enumerate(study.quantities):
        order = sorted(models, key=lambda model: -good[model][k])
        apart = np.zeros((len(models), len(models)), bool)
        for a, b in combinations(models, 2):
            apart[[a, b], [b, a]] = tests.adjusted[a, b, quantity] <= alpha
        of_place = groups(apart[np.ix_(order, order)])
        yield Order(
            quantity,
            tuple(
                Ranked(labelled[m], float(means[m][k]), tuple(g for g, group in enumerate(of_place) if place in group))
                for place, m in enumerate(order)
            ),
        )
