"""Batch plans: which rows are in each batch, and in which languages. Pure functions of numpy arrays.

A plan knows which languages each row has, not what its texts say. First the kind of each batch is drawn with the
recipe's shares, then languages in proportion to their numbers of rows to the power 1 / temperature: one language for a
mono batch, one for each row of a mixed batch, an ordered pair of two for each row of a cross batch. Then come rows that
have them, those first that the epoch has not used (``deck``). Rows that run out are shuffled and used again, so that
neither the kinds nor the languages depend on which rows lack what. If a batch is to be of one source, that is drawn
after the kind, in proportion to the uses of its rows that such a batch can have; sources that fill none have no share.

Shares are kept to within one: of 120 batches with .5 mono 60 are, in random order. The batches of an epoch follow from
the plan and the number of the epoch alone, so that a run that was killed goes on with the very batches that an
undisturbed one has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from xlbench.arrays import FloatArray, IntArray, RowArray
from xlbench.errors import TrainingError
from xlbench.training.deck import Deck
from xlbench.training.presence import Presence
from xlbench.training.recipes import KINDS, Kind, Recipe

LanguageArray = npt.NDArray[np.int16]

_SAYS: Mapping[Kind, str] = {
    "mono": "No language has more than {:,} rows with query and passage, as a monolingual batch needs",
    "cross": "{:,} rows have query and passage in two different languages, as a cross-lingual batch needs",
    "mixed": "{:,} rows have query and passage in the same language, as the recipe needs",
}
_AT_ONCE = 1_000_000
"""Places that are drawn at a time, so that memory stays small."""
_DO = ("choose another --recipe, other --languages, or other data.", "choose a smaller --batch-size, or more data.")


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
class Schedule:
    """What each batch of a run is to be, before rows are dealt to it."""

    kind: IntArray
    """``[steps]``, an index into ``KINDS``."""
    stage: IntArray
    """``[steps]``"""
    source: IntArray
    """``[steps]``, the source that all rows of a batch are of; 0 where sources are mixed."""
    mono: IntArray
    """``[steps]``, the pair of languages of a mono batch; -1 for others."""


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
    """Languages are drawn with probabilities in proportion to their numbers of rows to the power 1 / temperature."""
    uses: FloatArray | None = field(default=None)
    """``[rows]``, how often each row is used in an epoch, by default once; a fraction is a probability."""
    source: RowArray | None = field(default=None)
    """``[rows]``, the source of each row, if a batch is to be of one source; None mixes them."""

    @cached_property
    def epoch_steps(self) -> int:
        """The batches of an epoch: as many as the rows that the recipe can use fill."""
        return max(1, int(usable(self.presence, self.recipe, self.uses) / self.size))

    @cached_property
    def n_epochs(self) -> int:
        """Epochs that the run begins."""
        return -(-self.steps // self.epoch_steps)

    def batches(self) -> Iterator[Batches]:
        """The batches of epoch after epoch, as many as the run has steps."""
        return map(self.epoch, range(self.n_epochs))

    def epoch(self, number: int) -> Batches:
        """The batches of an epoch; the run's last may be cut off."""
        rng = np.random.default_rng([self.seed, 1, number])
        first = number * self.epoch_steps
        here = slice(first, min(first + self.epoch_steps, self.steps))
        schedule = self.schedule
        kind, stage, source = schedule.kind[here], schedule.stage[here], schedule.source[here]
        # [batches, size]; small numbers, since an epoch may have tens of millions of places.
        pairs = np.repeat(schedule.mono[here].astype(np.int16)[:, None], self.size, axis=1)
        for code in {*zip(stage.tolist(), kind.tolist(), source.tolist(), strict=True)}:
            chosen = np.flatnonzero((stage == code[0]) & (kind == code[1]) & (source == code[2]))
            if KINDS[code[1]] != "mono":
                shares = self._shares(code[0], KINDS[code[1]], code[2])
                pairs[chosen] = allocated(rng, shares, len(chosen) * self.size).reshape(-1, self.size)
        rows: RowArray = np.empty(pairs.shape, np.int32)
        for number_of in np.unique(source).tolist():
            chosen = np.flatnonzero(source == number_of)
            deck = Deck(rng, self.presence, self._uses_of(number_of))
            rows[chosen] = deck.deal(pairs[chosen].ravel(), self.size).reshape(-1, self.size)
        query, passage = np.divmod(pairs, np.int16(len(self.presence.languages)))
        return Batches(kind.astype(np.int16), rows, query, passage)

    @cached_property
    def schedule(self) -> Schedule:
        """The kinds of all batches, their sources, and the languages of the monolingual ones."""
        rng = np.random.default_rng([self.seed, 0])
        kinds, stages, sources, monos = ([np.empty(0, np.int64)] for _ in range(4))
        start = 0
        for number, stage in enumerate(self.recipe.stages):
            n = max(0, stage.end(self.steps) - start)
            start += n
            kind = allocated(rng, np.array([stage.batches.get(kind, 0.0) for kind in KINDS]), n).astype(np.int64)
            source = np.zeros(n, np.int64)
            mono = np.full(n, -1, np.int64)
            for code in np.unique(kind).tolist() if self.source is not None else ():
                chosen = kind == code
                source[chosen] = allocated(rng, self._shares_of_sources(number, KINDS[code]), int(chosen.sum()))
            for of in np.unique(source).tolist():
                chosen = (kind == KINDS.index("mono")) & (source == of)
                if chosen.any():
                    mono[chosen] = allocated(rng, self._shares(number, "mono", of), int(chosen.sum()))
            kinds.append(kind)
            stages.append(np.full(n, number, np.int64))
            sources.append(source)
            monos.append(mono)
        return Schedule(*(np.concatenate(parts) for parts in (kinds, stages, sources, monos)))

    @cached_property
    def n_sources(self) -> int:
        """How many there are; one where they are mixed."""
        return 1 if self.source is None else int(self.source.max()) + 1

    def unused_sources(self) -> list[int]:
        """Those that can fill no batch that the recipe asks for."""
        shares = [
            self._shares_of_sources(number, kind)
            for number, stage in enumerate(self.recipe.stages)
            for kind, share in stage.batches.items()
            if share
        ]
        return np.flatnonzero(~np.any(shares, axis=0)).tolist()

    def _shares_of_sources(self, stage: int, kind: Kind) -> FloatArray:
        """``[sources]``, in proportion to the uses of the rows that a batch can have; 0 for one that fills no batch."""
        languages = self.recipe.stages[stage].languages
        having = self.presence.only(languages).having(kind).any(axis=1)
        uses = [
            float(having.sum() if uses is None else uses[having].sum()) for uses in map(self._uses_of, self._numbers)
        ]
        most = [self._rows(stage, kind, source).max(initial=0) for source in self._numbers]
        shares: FloatArray = np.where(np.array(most) >= self.size, uses, 0.0)
        return shares

    @property
    def _numbers(self) -> range:
        return range(self.n_sources)

    def _uses_of(self, source: int) -> FloatArray | None:
        """``[rows]``, the uses of the rows of a source; none of other rows."""
        if self.source is None:
            return self.uses
        return np.where(self.source == source, 1.0 if self.uses is None else self.uses, 0.0)

    def expected(self, kind: Kind) -> tuple[float, float]:
        """How many batches of a kind the run is to have, and the binomial deviation of that number."""
        mean = variance = 0.0
        for number, stage in enumerate(self.recipe.stages):
            n, share = int((self.schedule.stage == number).sum()), stage.batches.get(kind, 0.0)
            mean, variance = mean + n * share, variance + n * share * (1 - share)
        return mean, variance**0.5

    def _shares(self, stage: int, kind: Kind, source: int) -> FloatArray:
        """``[languages * languages]``, the probability of each pair of query and passage language.

        A language that has fewer rows than a batch has none in monolingual batches.
        """
        if (stage, kind, source) in self._known_shares:
            return self._known_shares[stage, kind, source]
        counts = self.presence.only(self.recipe.stages[stage].languages).uses_of_pairs(self._uses_of(source))
        same = np.eye(len(counts), dtype=np.bool_)
        allowed = (counts > 0) & (~same if kind == "cross" else same)
        if kind == "mono":
            allowed &= np.diag(self._rows(stage, "mono", source) >= self.size)
        weights: FloatArray = np.where(allowed, np.maximum(counts, 1e-300) ** (1 / self.temperature), 0.0).ravel()
        shares = weights / weights.sum() if weights.any() else weights
        return self._known_shares.setdefault((stage, kind, source), shares)

    @cached_property
    def _known_shares(self) -> dict[tuple[int, Kind, int], FloatArray]:
        """Those computed so far, by stage, kind and source: counting pairs of a million rows takes a while."""
        return {}

    def left_out(self) -> tuple[str, ...]:
        """The languages that some stage has, and that have too few rows for its monolingual batches."""
        names = self.presence.languages
        return tuple(
            dict.fromkeys(
                names[language]
                for number, stage in enumerate(self.recipe.stages)
                if stage.batches.get("mono")
                for language, n in enumerate(self._most(number, "mono").tolist())
                if 0 < n < self.size
            )
        )

    def check(self) -> None:
        """Refuses data that cannot fill one batch of each kind that the recipe asks for.

        Raises:
            TrainingError: saying of which kind, and what to do.

        """
        for number, stage in enumerate(self.recipe.stages):
            for kind in (kind for kind, share in stage.batches.items() if share):
                most = int(self._most(number, kind).max(initial=0))
                if most < self.size:
                    what = _SAYS[kind].format(most)
                    raise TrainingError(f"{what}, and a batch has {self.size:,} rows: {_DO[most > 0]}")

    def _most(self, stage: int, kind: Kind) -> IntArray:
        """The rows that a batch of this kind can have, of the source that has most: by language for mono."""
        n_rows: IntArray = np.max([self._rows(stage, kind, source) for source in self._numbers], axis=0)
        return n_rows

    def _rows(self, stage: int, kind: Kind, source: int) -> IntArray:
        """How many different rows a batch of this kind can have: by language for mono, else one number."""
        having = self.presence.only(self.recipe.stages[stage].languages).having(kind)
        uses = self._uses_of(source)
        if uses is not None:
            having &= (uses > 0)[:, None]
        n_rows: IntArray = having.sum(axis=0)
        return n_rows


def usable(presence: Presence, recipe: Recipe, uses: FloatArray | None = None) -> float:
    """The uses in an epoch of the rows that some batch of the recipe can have."""
    can = np.zeros(len(presence), np.bool_)
    for stage in recipe.stages:
        for kind in (kind for kind, share in stage.batches.items() if share):
            can |= presence.only(stage.languages).having(kind).any(axis=1)
    return float(can.sum() if uses is None else uses[can].sum())


def allocated(rng: np.random.Generator, shares: FloatArray, n: int) -> LanguageArray:
    """``[n]`` indices in random order, each as often as its share of ``n`` says, to within one.

    Each place has each index with the probability of its share (systematic sampling).
    """
    bounds = shares.cumsum()
    first, last = rng.random(), np.nextafter(bounds[-1], 0)
    indices: LanguageArray = np.empty(n, np.int16)
    for start in range(0, n, _AT_ONCE):
        points = (np.arange(start, min(start + _AT_ONCE, n)) + first) / n * bounds[-1]
        indices[start : start + _AT_ONCE] = np.searchsorted(bounds, np.minimum(points, last), side="right")
    rng.shuffle(indices)
    return indices
