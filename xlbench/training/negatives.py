"""Hard negatives: the passages that a model ranks highest for a question and that do not answer it.

The engine ranks. What may answer the question is left out: the passages of all rows that are linked to its own
(``links``). So are texts without letters: such a passage says nothing, and such a question has no negatives.
With a margin, so are passages with scores above (1 - margin) times that of the question's own passage ("TopK-PercPos",
Moreira et al. 2024, arXiv 2407.15831): many of them are answers that nobody has judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from xlbench.arrays import IntArray
from xlbench.catalogue.readers import read
from xlbench.catalogue.readers.parallel import Line, records
from xlbench.collection import Collection
from xlbench.engine.model_scores import score_collection
from xlbench.engine.scores import Scores
from xlbench.engine.search import rank
from xlbench.measures.best import Top
from xlbench.models.protocols import Model
from xlbench.support.progress import Progress, silent
from xlbench.training.links import Linkable, check_groups, groups, link_key
from xlbench.training.pairs import PairFile, read_pairs, write_rows

Among = Literal["language", "pool"]
AMONG: tuple[Among, ...] = ("language", "pool")
_NOTHING = -1
"""The group of texts without letters."""
_SPARE = 50
"""Further passages that are looked at, for those that are left out."""


@dataclass(frozen=True)
class Mining:
    """What to look for."""

    n: int = 5
    """Negatives of each query."""
    among: Among = "language"
    """Whether they come from the passages in the query's own language, or from the pool of all."""
    margin: float | None = None
    """How far below the own passage's score they must be, as a share of it; None takes whatever does not answer."""


@dataclass(frozen=True)
class Mined:
    """What was found."""

    negatives: Mapping[str, Mapping[str, Sequence[str]]]
    """Texts, by row and by their language, the hardest first."""
    n_queries: int
    n_short: int
    """Queries with fewer negatives than were looked for."""


def mine(path: Path, model: Model, mining: Mining, *, cache_dir: Path, progress: Progress = silent) -> Mined:
    """The hard negatives of the rows of a pair file.

    Raises:
        DataError: if the file cannot be read.
        EncoderError: if the model gives unusable vectors.

    """
    pairs = read_pairs(path)
    linked = _groups(pairs)
    kept = _Found({row.id: {} for row in pairs.rows})
    for languages in [(one,) for one in pairs.languages] if mining.among == "language" else [pairs.languages]:
        collection = read("parallel", dict.fromkeys(languages, path), text="passage")
        if len(collection.pairs):
            scores = score_collection(collection, model, cache_dir=cache_dir, progress=progress)
            kept.add(collection, _best(collection, scores, mining), linked, mining)
    return kept.mined()


def _best(collection: Collection, scores: Scores, mining: Mining) -> Top:
    """The best passages of each query that is answered, in the order of the queries."""
    depth = 4 * mining.n + _SPARE
    best = rank(collection, scores, depth=depth).best
    asked = np.unique(collection.pairs.query).astype(np.int64)
    if best is None:
        raise LookupError("a ranking with a depth keeps the best")
    return best.top(tuple(np.unique(collection.passages.language).tolist()), asked, depth)


@dataclass
class _Found:
    """What was found so far."""

    places: dict[str, dict[str, dict[str, int]]]
    """By row, language and text, its place among a query's negatives: the least, if several queries have it."""
    n_queries: int = 0
    n_short: int = 0

    def add(self, collection: Collection, top: Top, linked: _Groups, mining: Mining) -> None:
        """Adds the hardest of the best passages of each query."""
        queries = np.unique(collection.pairs.query).tolist()
        asked = [_id(collection.queries.ids[query]) for query in queries]
        own = np.array([linked.of_row[row] for row in asked], np.int64)
        group = np.array([linked.of_passage[_id(passage)] for passage in collection.passages.ids], np.int64)
        said = np.array([bool(link_key(text)) for text in collection.passages.text])
        group[~said] = _NOTHING
        own[[not link_key(collection.queries.text[query]) for query in queries]] = _NOTHING
        for row, passages in zip(asked, _hardest(top, own, group, mining), strict=True):
            self.n_queries += 1
            self.n_short += len(passages) < mining.n
            for place, passage in enumerate(passages):
                language = collection.languages[collection.passages.language[passage]]
                texts = self.places[row].setdefault(language, {})
                text = collection.passages.text[passage]
                texts[text] = min(place, texts.get(text, place))

    def mined(self) -> Mined:
        """All of it, the hardest first."""
        negatives = {
            row: {language: sorted(texts, key=texts.__getitem__) for language, texts in sorted(of_row.items())}
            for row, of_row in self.places.items()
        }
        return Mined(negatives, n_queries=self.n_queries, n_short=self.n_short)


def write_mined(
    path: Path, mined: Mined, output: Path, scores: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> None:
    """Writes a pair file again with negatives and scores of its rows, packed if its new name ends in ``.gz``."""
    write_rows((_with_negatives(record, mined, scores) for _, record in records(path)), output)


def _with_negatives(record: Mapping[str, Any], mined: Mined, scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    known = {key: value for key, value in record.items() if key not in ("negatives", "scores")}
    negatives, judged = mined.negatives.get(record["id"]), scores.get(record["id"])
    return {**known, **({"negatives": negatives} if negatives else {}), **({"scores": judged} if judged else {})}


def _hardest(top: Top, own: IntArray, group: IntArray, mining: Mining) -> Iterator[list[int]]:
    """The hardest passages of each query, from the best: ``own`` is its group, ``group`` that of each passage."""
    for passage, score, mine_ in zip(top.passage, top.score, own, strict=True):
        there = passage >= 0
        answers = there & (group[passage] == mine_)
        kept = there & ~answers & (group[passage] != _NOTHING) & (mine_ != _NOTHING)
        if mining.margin is not None:
            # If no answer is among the best, all of these are above it.
            answer = score[answers].max(initial=-np.inf)
            kept &= score <= answer - mining.margin * abs(answer) if answers.any() else False
        yield passage[kept][: mining.n].tolist()


@dataclass(frozen=True)
class _Groups:
    """Which rows and passages are linked: those of one group are no negatives of each other."""

    of_row: Mapping[str, int]
    of_passage: Mapping[str, int]
    """By the identity of a passage."""


def _groups(pairs: PairFile) -> _Groups:
    """The groups of all lines of a pair file, those without queries included.

    Raises:
        TrainingError: if a group has too large a part of the file.

    """
    lines = [Line.of(record, where) for where, record in records(pairs.path)]
    linkable = [Linkable(line.passage_id, (*line.queries.values(), *line.passages.values())) for line in lines]
    group = groups(linkable)
    asked = [i for i, line in enumerate(lines) if line.queries]
    check_groups(group[asked], lambda i: linkable[asked[i]], pairs.path)
    of_passage = {line.passage_id: number for line, number in zip(lines, group.tolist(), strict=True)}
    return _Groups({row.id: of_passage[row.passage] for row in pairs.rows}, of_passage)


def _id(name: str) -> str:
    """The id of a row or a passage, from that of a query or a passage in a language."""
    return name.partition(":")[2]
