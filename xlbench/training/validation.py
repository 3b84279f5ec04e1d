"""Validation: a model while it is trained, measured by ``Evaluator`` on held-out pairs and on tasks, and its loss.

The loss has one definition for all recipes: InfoNCE at the run's temperature of each query of a language against all
held-out passages of a language, of which those of linked rows do not count but for the query's own. It is given for
each language, as their mean (mono), and as the mean over all pairs of two languages (cross).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from xlbench import measures
from xlbench.arrays import FloatArray, IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.errors import TrainingError, UnknownNameError
from xlbench.evaluator import Evaluator
from xlbench.training.data import Data

_CHUNK = 1_024
"""Queries whose scores are in memory at a time."""


@dataclass(frozen=True)
class Criterion:
    """By what the best model is chosen."""

    name: str
    """One of the values of a validation, such as ``pairs_multi_AP``."""
    greater: bool = True
    """Whether more is better."""


class Remembering:
    """A SentenceTransformer as an encoder that remembers its unit vectors by text, so that a text is encoded once."""

    name, revision = "model", "1"

    def __init__(self, model: Any) -> None:
        self._model = model
        self.queries: dict[str, VectorArray] = {}
        self.passages: dict[str, VectorArray] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "model_card_data":  # The library would keep each evaluation in it.
            raise AttributeError(name)
        return getattr(self._model, name)

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``."""
        return self._encoded(texts, self.queries, self._model.encode_query)

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``."""
        return self._encoded(texts, self.passages, self._model.encode_document)

    def _encoded(self, texts: Sequence[str], known: dict[str, VectorArray], encode: Any) -> VectorArray:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            vectors = encode(new, normalize_embeddings=True, convert_to_tensor=True, show_progress_bar=False)
            known.update(zip(new, vectors.float().cpu().numpy(), strict=True))
        return np.stack([known[text] for text in texts])


@dataclass(frozen=True)
class HeldOut:
    """Pairs that are not trained on."""

    name: str
    data: Data
    """Of one file."""
    temperature: float
    n_rows: int | None = None
    """How many rows are measured, None for all."""
    seed: int = 0

    @cached_property
    def rows(self) -> IntArray:
        """The rows that are measured: all, or a sample with each set of languages in proportion."""
        n = len(self.data.rows)
        if self.n_rows is None or self.n_rows >= n:
            return np.arange(n)
        presence = self.data.presence
        rng = np.random.default_rng(self.seed)
        kinds = np.unique(np.hstack([presence.queries, presence.passages]), axis=0, return_inverse=True)[1]
        order = np.lexsort((rng.random(n), kinds.ravel()))
        places = np.floor((np.arange(self.n_rows) + rng.random()) * n / self.n_rows).astype(np.int64)
        return np.sort(order[places])

    @cached_property
    def collection(self) -> Collection:
        """A query is answered by its row's passages and by those of linked rows.

        Raises:
            TrainingError: if no row has a query and a passage in the languages that are trained on.

        """
        queries: dict[str, str] = {}
        passages: dict[str, str] = {}
        of_group: dict[int, list[str]] = {}
        asked: dict[str, int] = {}
        for i, group in zip(self.rows.tolist(), self.data.group[self.rows].tolist(), strict=True):
            row = self.data.rows[i]
            for language in self.data.languages:
                if language in row.passages:
                    passages[f"{language}:{i}"] = row.passages[language]
                    of_group.setdefault(group, []).append(f"{language}:{i}")
                if language in row.queries:
                    queries[f"{language}:{i}"] = row.queries[language]
                    asked[f"{language}:{i}"] = group
        judgements = {query: of_group[group] for query, group in asked.items() if group in of_group}
        if not judgements:
            raise TrainingError(
                f"{self.data.files[0].path} has no row with a query and a passage in "
                f"{', '.join(self.data.languages)}: give other --eval-pairs."
            )
        return Collection.from_dicts(queries, passages, judgements)

    def losses(self, encoder: Remembering) -> dict[str, float]:
        """``NAME_loss_LANGUAGE`` for each, ``NAME_loss_mono`` and ``NAME_loss_cross``, as far as there are pairs."""
        of_pair = {
            (a, b): loss
            for a in range(len(self.data.languages))
            for b in range(len(self.data.languages))
            if (loss := self._loss(encoder, a, b)) is not None
        }
        mono = {self.data.languages[a]: loss for (a, b), loss in of_pair.items() if a == b}
        cross = [loss for (a, b), loss in of_pair.items() if a != b]
        values = {language: loss for language, loss in mono.items() if len(mono) > 1}
        values |= {"mono": float(np.mean([*mono.values()]))} if mono else {}
        values |= {"cross": float(np.mean(cross))} if cross else {}
        return {f"{self.name}_loss_{which}": loss for which, loss in values.items()}

    def _loss(self, encoder: Remembering, asked: int, answered: int) -> float | None:
        """The mean loss of the queries of one language with passages of one language; None without any."""
        presence, group, rows = self.data.presence, self.data.group, self.data.rows
        candidates = self.rows[presence.passages[self.rows, answered]]
        queries = candidates[presence.queries[candidates, asked]]
        if not len(queries):
            return None
        names = self.data.languages
        passages = np.stack([encoder.passages[rows[i].passages[names[answered]]] for i in candidates])
        losses: list[FloatArray] = []
        for start in range(0, len(queries), _CHUNK):
            some = queries[start : start + _CHUNK]
            vectors = np.stack([encoder.queries[rows[i].queries[names[asked]]] for i in some])
            scores = (vectors @ passages.T).astype(np.float64) / self.temperature
            own = np.searchsorted(candidates, some)
            answer = scores[np.arange(len(some)), own]
            scores[group[some][:, None] == group[candidates][None, :]] = -np.inf
            scores[np.arange(len(some)), own] = answer
            top = scores.max(axis=1)
            losses.append(top + np.log(np.exp(scores - top[:, None]).sum(axis=1)) - answer)
        return float(np.concatenate(losses).mean())


@dataclass(frozen=True)
class Validation:
    """Measures a model on held-out pairs and on tasks, each by itself."""

    held_out: tuple[HeldOut, ...]
    tasks: tuple[Evaluator, ...] = ()

    @cached_property
    def evaluators(self) -> tuple[Evaluator, ...]:
        """Those of the pairs, then those of the tasks."""
        return (*(Evaluator(pairs.collection, name=pairs.name, cache=None) for pairs in self.held_out), *self.tasks)

    def __call__(self, model: Any) -> dict[str, float]:
        """``NAME_KIND_MEASURE`` for the headline and RankDistance of each, and the losses of held-out pairs."""
        values: dict[str, float] = {}
        for i, evaluator in enumerate(self.evaluators):
            encoder = Remembering(model)
            measured = evaluator(encoder)
            values |= {name: measured[name] for name in self._names(evaluator) if name in measured}
            if i < len(self.held_out):
                values |= self.held_out[i].losses(encoder)
        return values

    def criterion(self, name: str | None) -> Criterion:
        """By what the best model is chosen: ``name``, or the widest kind of setting of the first pairs, or task.

        Raises:
            UnknownNameError: if no value has the name.

        """
        known = {
            name: measures.get(measure).better != "lower"
            for evaluator in self.evaluators
            for name, measure in self._names(evaluator).items()
        }
        known |= {f"{pairs.name}_loss_{kind}": False for pairs in self.held_out for kind in ("mono", "cross")}
        wanted = name or str(self.evaluators[0].primary_metric)
        if wanted not in known:
            raise UnknownNameError("value of a validation", wanted, [*known])
        return Criterion(wanted, known[wanted])

    def sentences(self) -> list[str]:
        """What some pairs cannot show."""
        said = {"mono": "one language", "cross": "two languages", "multi": "several languages"}
        return [
            f"{evaluator.name} has no pairs for {kind} ({said[kind]}), which it is therefore not measured in."
            for evaluator in self.evaluators[: len(self.held_out)]
            for kind in ("mono", "cross", "multi")
            if kind not in evaluator.job.kinds
        ]

    def _names(self, evaluator: Evaluator) -> dict[str, str]:
        """The measure of each value that is given, by its name."""
        task = evaluator.job.task
        wanted = dict.fromkeys((task.headline, *({measures.DISTANCE} & {*task.measures})))
        return {
            f"{evaluator.name}_{kind}_{measure}": measure
            for measure in wanted
            for kind in evaluator.job.kinds
            if kind == "multi" or not measures.of_bias(measure)
        }
