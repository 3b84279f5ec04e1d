"""Which hard negatives a row has in a batch: of which languages, without those that may answer, and drawn by chance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from xlbench.errors import TrainingError
from xlbench.training.links import link_key
from xlbench.training.pair_lines import PairRow

Among = Literal["passage", "query", "any"]
AMONG: tuple[Among, ...] = get_args(Among)


@dataclass(frozen=True)
class HardNegatives:
    """How a row's hard negatives are chosen."""

    n: int = 0
    """Of each row."""
    among: Among = "passage"
    """Whether they are in the language of the row's passage in the batch, in that of its query, or in any in use."""
    margin: float | None = None
    """Those whose score is above that of the row's passage plus this are left out; None keeps all."""
    seed: int = 0

    def draw(
        self, row: PairRow, query: str, passage: str, languages: Sequence[str], rng: np.random.Generator
    ) -> list[tuple[str, float]]:
        """So many texts with their scores, NaN where there is none; an empty text stands for one that the row lacks."""
        among = {"passage": (passage,), "query": (query,), "any": tuple(languages)}[self.among]
        kept = [one for language in among for one in self._kept(row, passage, language)]
        if len(kept) > self.n:
            kept = [kept[i] for i in np.sort(rng.choice(len(kept), self.n, replace=False)).tolist()]
        return [*kept, *[("", np.nan)] * (self.n - len(kept))]

    def _kept(self, row: PairRow, passage: str, language: str) -> Iterator[tuple[str, float]]:
        texts = row.negatives.get(language, ())
        scores = row.negative_scores.get(language, (np.nan,) * len(texts))
        answer = row.passage_scores.get(passage, np.nan)
        for text, score in zip(texts, scores, strict=True):
            # A comparison with NaN is false: what has no score is kept. What has no letters says nothing.
            if link_key(text) and (self.margin is None or not score > answer + self.margin):
                yield text, score

    def check(self, rows: Iterable[PairRow], *, distils: bool) -> None:
        """Refuses what the rows do not have: hard negatives, and scores where they are used.

        Raises:
            TrainingError: saying what, and what to do.

        """
        if distils and not self.n:
            raise TrainingError(
                "The losses margin-mse and kl compare a row's answer with its hard negatives: add --negatives N."
            )
        if not self.n:
            return
        having = (row for row in rows if row.negatives)
        first = next(having, None)
        if first is None:
            raise TrainingError(
                f"--negatives is {self.n}, but no row of the pair files has 'negatives': "
                "find some with `xlbench mine`, or leave the option out."
            )
        if (distils or self.margin is not None) and not any(
            row.passage_scores and row.negative_scores for row in itertools.chain([first], having)
        ):
            raise TrainingError(
                f"{'The losses margin-mse and kl need' if distils else '--negative-margin needs'} scores, but no row "
                "has 'scores' for its passages and negatives: `xlbench mine --judge RERANKER` writes them."
            )
