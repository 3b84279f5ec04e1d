"""Batch plans: which rows are in each batch, and in which languages. Pure functions of numpy arrays.

A plan knows which languages each row has, not what its texts say. The batches of an epoch follow from the plan, the
number of the epoch and the step at which it begins alone, so that a run that was killed goes on with the very batches
that an undisturbed one has.

In an epoch each row is used once, or as often as its file's weight says, as far as the recipe allows: kinds and
languages of batches are drawn among those for which there is still a whole batch of rows left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from xlbench.arrays import BoolArray, FloatArray, RowArray
from xlbench.errors import TrainingError
from xlbench.training.presence import Presence, draw, rows_of
from xlbench.training.recipes import KINDS, Kind, Recipe, Stage

LanguageArray = npt.NDArray[np.int8]

_SAYS: Mapping[Kind, str] = {
    "mono": "No language has more than {:,} rows with query and passage, as a monolingual batch needs",
    "cross": "{:,} rows have query and passage in two different languages, as a cross-lingual batch needs",
    "mixed": "{:,} rows have query and passage in the same language, as the recipe needs",
}
_DO = ("choose another --recipe, other --languages, or other data.", "choose a smaller --batch-size, or more data.")
_CHUNK = 65_536  # Rows whose languages are drawn at a time, so that memory stays small.


@dataclass(frozen=True)
class Batches:
    """Batches in the order in which they are used."""

    kind: LanguageArray
    """``[batches]``, an index into ``KINDS``."""
    rows: RowArray
    """``[batches, size]``"""
    query: LanguageArray
    """``[batches, size]``, the language of each row's query, an index into the languages."""
    passage: LanguageArray
    """``[batches, size]``, the language of each row's passage."""

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True)
class Plan:
    """How batches are made."""

    presence: Presence
    recipe: Recipe
    size: int
    """Rows in a batch."""
    steps: int
    """Batches of the whole run, of which the recipe's stages are shares."""
    seed: int = 0
    temperature: float = np.inf
    """A language is drawn with a probability in proportion to the number of its rows to the power 1 / temperature."""
    uses: FloatArray | None = field(default=None)
    """``[rows]``, how often each row is used in an epoch, by default once; a fraction is a probability."""

    @cached_property
    def language_weights(self) -> FloatArray:
        """``[languages]``, the probability of each language."""
        uses = np.ones(len(self.presence)) if self.uses is None else self.uses
        has = self.presence.queries | self.presence.passages
        counts = np.array([uses[has[:, language]].sum() for language in range(has.shape[1])])
        weights: FloatArray = np.where(counts > 0, np.maximum(counts, 1e-300) ** (1 / self.temperature), 0.0)
        return weights / weights.sum() if weights.any() else weights

    def batches(self) -> Iterator[Batches]:
        """The batches of epoch after epoch, until there are as many as the run has steps.

        Raises:
            TrainingError: if the data do not fill one batch.

        """
        step = epoch = 0
        while step < self.steps:
            found = self.epoch(epoch, first_step=step)
            yield found
            step, epoch = step + len(found), epoch + 1

    def epoch(self, epoch: int, *, first_step: int) -> Batches:
        """The batches of an epoch that begins at this step.

        Raises:
            TrainingError: if the data do not fill one batch.

        """
        rng = np.random.default_rng([self.seed, epoch])
        drawing = _Draw(self, self._entries(rng))
        kinds: list[int] = []
        stages: list[int] = []
        languages: list[int] = []
        entries: list[RowArray] = []
        while (made := drawing.batch(rng, first_step + len(kinds))) is not None:
            kinds.append(KINDS.index(made.source.kind))
            stages.append(made.source.stage)
            languages.append(made.source.language)
            entries.append(made.entries)
        if not entries:
            self.check()
            raise TrainingError(
                f"The weights of the files leave too few rows for a batch of {self.size:,}: raise them."
            )
        rows = drawing.rows[np.stack(entries)]
        query = np.repeat(np.array(languages, np.int8)[:, None], self.size, axis=1)
        passage = query.copy()
        for stage, kind in {*zip(stages, kinds, strict=True)}:
            if KINDS[kind] != "mono":
                chosen = np.flatnonzero((np.array(stages) == stage) & (np.array(kinds) == kind))
                drawn = self._languages(rng, rows[chosen].ravel(), self.recipe.stages[stage], KINDS[kind])
                query[chosen], passage[chosen] = (drawn[role].reshape(-1, self.size) for role in ("query", "passage"))
        return Batches(np.array(kinds, np.int8), rows, query, passage)

    def room(self) -> int:
        """How many different rows a batch can have, of the kind of batch that has room for fewest."""
        return min(most for _, most in self._rooms())

    def check(self) -> None:
        """Refuses data that cannot fill one batch of each kind that the recipe asks for.

        Raises:
            TrainingError: saying of which kind, and what to do.

        """
        for kind, most in self._rooms():
            if most < self.size:
                raise TrainingError(f"{_SAYS[kind].format(most)}, and a batch has {self.size:,} rows: {_DO[most > 0]}")

    def _rooms(self) -> list[tuple[Kind, int]]:
        return [
            (kind, int(rows_of(kind, self.presence.only(stage.languages)).sum(axis=0).max(initial=0)))
            for stage in self.recipe.stages
            for kind, share in stage.batches.items()
            if share
        ]

    def _entries(self, rng: np.random.Generator) -> RowArray:
        """The rows of an epoch in random order, each as often as it is used."""
        n = len(self.presence)
        if self.uses is None:
            return rng.permutation(n).astype(np.int32)
        whole = np.floor(self.uses)
        times = whole.astype(np.int64) + (rng.random(n) < self.uses - whole)
        return rng.permutation(np.repeat(np.arange(n, dtype=np.int32), times))

    def _languages(
        self, rng: np.random.Generator, rows: RowArray, stage: Stage, kind: Kind
    ) -> Mapping[str, LanguageArray]:
        """Languages of the query and the passage of each of these rows, drawn in proportion to their weights.

        In a cross batch the pair a, b has a probability in proportion to weight(a) weight(b) among the pairs of two
        languages that the row has.
        """
        presence, weights = self.presence.only(stage.languages), self.language_weights
        query, passage = np.empty(len(rows), np.int8), np.empty(len(rows), np.int8)
        for start in range(0, len(rows), _CHUNK):
            here = slice(start, start + _CHUNK)
            of_query = presence.queries[rows[here]] * weights  # [chunk, languages]
            of_passage = presence.passages[rows[here]] * weights
            if kind == "mixed":
                query[here] = passage[here] = draw(rng, of_query * (of_passage > 0))
            else:
                others = 1.0 - np.eye(len(weights))  # [languages, languages]
                query[here] = draw(rng, of_query * (of_passage @ others))
                passage[here] = draw(rng, of_passage * others[query[here]])
        return {"query": query, "passage": passage}


@dataclass(frozen=True)
class _Source:
    """What a batch can be of."""

    stage: int
    kind: Kind
    language: int
    """Of a mono batch; 0 for others."""
    weight: float
    """Among the sources of its kind."""


@dataclass(frozen=True)
class _Made:
    source: _Source
    entries: RowArray


class _Draw:
    """Draws the batches of an epoch from the entries that are not used yet."""

    def __init__(self, plan: Plan, rows: RowArray) -> None:
        self.rows = rows
        self._plan = plan
        self._used = np.zeros(len(rows), np.bool_)
        self._queues: dict[tuple[int, Kind, int], _Queue] = {}
        self._sources = [list(self._of_stage(number)) for number in range(len(plan.recipe.stages))]
        self._ends = [stage.end(plan.steps) for stage in plan.recipe.stages]

    def batch(self, rng: np.random.Generator, step: int) -> _Made | None:
        """The batch of this step, or None if the epoch is over."""
        stage = next((number for number, end in enumerate(self._ends) if step < end), None)
        sources = self._sources[stage] if stage is not None else []
        while sources:
            shares = self._shares(sources)
            index = int(np.searchsorted(shares.cumsum(), rng.random() * shares.sum(), side="right"))
            source = sources[min(index, len(sources) - 1)]
            entries = self._queue(source).take(self._used, self._plan.size)
            if entries is not None:
                self._used[entries] = True
                return _Made(source, entries)
            sources.remove(source)
        return None

    def _shares(self, sources: list[_Source]) -> FloatArray:
        """The probability of each source: first of its kind, then of its language among those that are left."""
        stage = self._plan.recipe.stages[sources[0].stage]
        kinds = np.array([KINDS.index(source.kind) for source in sources])
        weights = np.array([source.weight for source in sources])
        shares: FloatArray = weights / np.bincount(kinds, weights)[kinds]
        return shares * [stage.batches[source.kind] for source in sources]

    def _of_stage(self, number: int) -> Iterator[_Source]:
        stage = self._plan.recipe.stages[number]
        weights = self._plan.language_weights
        kept = self._plan.presence.only(stage.languages)
        for kind, share in stage.batches.items():
            if kind != "mono" and share:
                yield _Source(number, kind, 0, 1.0)
            elif share:
                for language in np.flatnonzero(kept.passages.any(axis=0) & (weights > 0)):
                    yield _Source(number, kind, int(language), float(weights[language]))

    def _queue(self, source: _Source) -> _Queue:
        key = (source.stage, source.kind, source.language)
        if key not in self._queues:
            presence = self._plan.presence.only(self._plan.recipe.stages[source.stage].languages)
            self._queues[key] = _Queue(np.flatnonzero(rows_of(source.kind, presence)[self.rows, source.language]))
        return self._queues[key]


class _Queue:
    """The entries that can be in a kind of batch, in the epoch's order."""

    def __init__(self, entries: npt.NDArray[np.intp]) -> None:
        self._entries = entries.astype(np.int32)
        self._at = 0

    def take(self, used: BoolArray, size: int) -> RowArray | None:
        """The next entries that no batch has used, or None if fewer than ``size`` are left."""
        found: list[RowArray] = []
        wanted = size
        while wanted and self._at < len(self._entries):
            chunk = self._entries[self._at : self._at + 16 * size]
            free = np.flatnonzero(~used[chunk])[:wanted]
            found.append(chunk[free])
            wanted -= len(free)
            self._at += int(free[-1]) + 1 if not wanted else len(chunk)
        return None if wanted else np.concatenate(found)
