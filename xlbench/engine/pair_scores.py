"""Scores of listed pairs of a query and a passage: each scored once, checked, and kept, so that a run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from xlbench.arrays import IntArray, VectorArray
from xlbench.collection import Collection
from xlbench.engine.checked_vectors import encoded
from xlbench.engine.probe import Probe
from xlbench.engine.representations import DENSE
from xlbench.engine.shards import KeptAnswers
from xlbench.engine.vectors import VectorStore
from xlbench.errors import EncoderError
from xlbench.models.reranker import Reranking
from xlbench.support.progress import Progress

_PAIRS_AT_ONCE = 2048
_TOLERANCE = 1e-3


def score_pairs(
    collection: Collection,
    pairs: IntArray,
    reranking: Reranking,
    *,
    cache_dir: Path | None,
    key: dict[str, Any] | None,
    fresh: bool = False,
    progress: Progress,
) -> VectorArray:
    """The reranker's scores of pairs of distinct texts, ``int64[n, 2]`` to ``float32[n]``.

    ``key`` is what tells its scores from those of others; without it or ``cache_dir`` none are kept. With ``fresh`` all
    are computed again, and replace what is stored.

    Raises:
        EncoderError: if the reranker fails or gives unusable scores, or stored ones are not what it gives now.

    """
    queries, passages = collection.queries, collection.passages
    asked, answers = queries.distinct.first[pairs[:, 0]], passages.distinct.first[pairs[:, 1]]
    store = VectorStore.open(cache_dir, "pairs", key) if cache_dir is not None and key is not None else None
    score, name = _of_joined(reranking), reranking.reranker.name
    keep = KeptAnswers(getattr(reranking.reranker, "answers", None), store.folder if store else None, fresh=fresh)
    probe = Probe(lambda some: np.asarray(score(some)).reshape(-1, 1), _TOLERANCE, DENSE)
    all_scores = np.empty(len(pairs), np.float32)
    n_characters = queries.distinct.n_characters[pairs[:, 0]] + passages.distinct.n_characters[pairs[:, 1]]
    total = int(n_characters.sum(dtype=np.int64))
    with progress("reranking", n_texts=len(pairs), n_characters=total, noun="pairs") as advance:
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            # Of like length within what is at hand.
            rows = start + np.argsort(-n_characters[start : start + _PAIRS_AT_ONCE], kind="stable")
            listed = list(zip(asked[rows].tolist(), answers[rows].tolist(), strict=True))
            # As one text that no other pair has, for the store.
            texts = [json.dumps([queries.text[query], passages.text[passage]]) for query, passage in listed]
            ids = [f"{queries.ids[query]} with {passages.ids[passage]}" for query, passage in listed]
            scores = store.get(texts) if store and not fresh else None
            stored = scores is not None
            if scores is None:
                scores = _checked(encoded(keep.within(score), texts, who="reranker"), ids, name)
                if store:
                    store.put(texts, scores)
                keep.forget()
            else:
                probe.check(texts, scores, ids)
            all_scores[rows] = scores[:, 0]
            advance(texts=len(rows), characters=int(n_characters[rows].sum()), stored=stored)
    return all_scores


def scores_of_texts(reranking: Reranking, pairs: Sequence[tuple[str, str]], *, progress: Progress) -> VectorArray:
    """The reranker's scores of pairs of a query and a passage, ``float32[n]``; those of like length at once.

    Raises:
        EncoderError: if the reranker fails or gives unusable scores.

    """
    score, name = _of_joined(reranking), reranking.reranker.name
    n_characters = np.array([len(query) + len(passage) for query, passage in pairs], np.int64)
    order = np.argsort(-n_characters, kind="stable")
    all_scores = np.empty(len(pairs), np.float32)
    total = int(n_characters.sum())
    with progress("judging", n_texts=len(pairs), n_characters=total, noun="pairs") as advance:
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            rows = order[start : start + _PAIRS_AT_ONCE]
            listed = [pairs[i] for i in rows.tolist()]
            answer = encoded(score, [json.dumps(pair) for pair in listed], who="reranker")
            all_scores[rows] = _checked(answer, [f"{query} with {passage}" for query, passage in listed], name)[:, 0]
            advance(texts=len(rows), characters=int(n_characters[rows].sum()), stored=False)
    return all_scores


def _of_joined(reranking: Reranking) -> Callable[[list[str]], Any]:
    """The scores of pairs whose texts are joined."""

    def score(joined: list[str]) -> Any:
        queries, passages = zip(*map(json.loads, joined), strict=True)
        return reranking.reranker.score_pairs(list(queries), list(passages))

    return score


def _checked(answer: object, ids: Sequence[str], name: str) -> VectorArray:
    """A reranker's answer for these pairs, a column, ``float32[n, 1]``.

    Raises:
        EncoderError: if it is anything else, with the ids of the pair where there is one.

    """
    scores = np.asarray(answer)
    if scores.shape != (len(ids),) or not np.issubdtype(scores.dtype, np.floating):
        raise EncoderError(
            f"The reranker {name} gave scores of shape {scores.shape} and type {scores.dtype} for {len(ids)} pairs; "
            f"expected float32[{len(ids)}]."
        )
    finite = np.isfinite(scores)
    if not finite.all():
        raise EncoderError(
            f"The reranker {name} gave NaN or infinity for the text {ids[int(np.argmin(finite))]!r} "
            f"({(~finite).sum()} of {len(ids)} pairs): expected finite numbers."
        )
    return scores.astype(np.float32).reshape(-1, 1)
