"""Rerankers behind an HTTP API in Cohere's form, which vLLM, Infinity, llama.cpp, Jina and others offer too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models.http_api import Connection, Spending, checked_number
from xlbench.models.kept_answers import Answers

COHERE = "https://api.cohere.com/v2"
_QUERY = "Where does the river rise?"
_PASSAGES = ("The river rises in the north.", "Der Eintritt kostet sechs Euro.")
_STEP = 0.01
"""To which the probe's scores are rounded, as a share of the larger."""


class CohereReranker:
    """A reranker that an API calls by a name, ``POST base_url/rerank``: a query with several passages a request.

    An API has no revision: the scores of a probe stand for it, roughly rounded.
    """

    vectors_revision = 1  # To be raised when the same model gives other scores than before.

    def __init__(
        self,
        model: str,
        *,
        base_url: str = COHERE,
        batch_texts: int = 100,
        concurrency: int = 4,
        timeout: float = 60,
        retries: int = 6,
        key_variable: str | None = None,
    ) -> None:
        """``model`` is the name that the server knows; ``batch_texts`` is how many passages a request has at most."""
        checked_number("batch_texts", batch_texts, least=1, whole=True)
        checked_number("concurrency", concurrency, least=1, whole=True)
        checked_number("timeout", timeout, least=0.01)
        checked_number("retries", retries, least=0, whole=True)
        self.name = model
        self._batch_texts = batch_texts
        self._connection = Connection(
            base_url,
            key_variable=key_variable or ("CO_API_KEY" if base_url == COHERE else "XLBENCH_API_KEY"),
            timeout=timeout,
            retries=retries,
            concurrency=concurrency,
            spending=Spending(),
        )
        scores = self.score_pairs([_QUERY] * 2, _PASSAGES).astype(np.float64)
        if not np.isfinite(scores).all():
            raise EncoderError(f"The API at {self._connection.host} gave NaN or infinity for a pair of the probe.")
        rounded = np.round(scores / max(float(np.abs(scores).max()), 1e-9) / _STEP).astype(int).tolist()
        self.revision = f"probe:{hashlib.sha256(json.dumps(rounded).encode()).hexdigest()[:12]}"

    @property
    def answers(self) -> Answers:
        """What keeps each answer as it comes."""
        return self._connection.answers

    def score_pairs(self, queries: Sequence[str], passages: Sequence[str], /) -> VectorArray:
        """The score of each query with the passage beside it, ``float32[n]``; pairs of a query are asked together."""
        rows_of: dict[str, list[int]] = {}
        for row, query in enumerate(queries):
            rows_of.setdefault(query, []).append(row)
        batches = [
            rows[start : start + self._batch_texts]
            for rows in rows_of.values()
            for start in range(0, len(rows), self._batch_texts)
        ]
        bodies = [
            {"model": self.name, "query": queries[rows[0]], "documents": [passages[row] for row in rows]}
            for rows in batches
        ]
        scores = np.empty(len(queries), np.float32)
        answers = self._connection.post("/rerank", bodies, lambda answer, i: self._scores(answer, len(batches[i])))
        for rows, of_rows in zip(batches, answers, strict=True):
            scores[rows] = of_rows
        return scores

    def _scores(self, answer: Any, n: int) -> VectorArray:
        """The scores in an answer, in the order of the passages."""
        results = answer.get("results") if isinstance(answer, Mapping) else None
        try:
            by_index = {item["index"]: float(item["relevance_score"]) for item in results or ()}
            return np.array([by_index[i] for i in range(n)], np.float32)
        except (KeyError, TypeError, ValueError):
            count = f"{len(results)} scores" if isinstance(results, list) else "no list 'results'"
            raise EncoderError(
                f"The API at {self._connection.host} gave {count} for {n} passages; expected one a passage, as "
                '{"results": [{"index": 0, "relevance_score": 0.5}, ...]}. What was scored before is kept.'
            ) from None
