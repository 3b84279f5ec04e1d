"""Sparse, late and reranked scores against the libraries that they are made with, and 8 sizes of vectors against one.

Each part is a ratio within one run. Sparse and token vectors are seeded random ones of the sizes that texts have: what
is compared is the time of scores and ranks, not how good they are.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import common
import numpy as np

if TYPE_CHECKING:
    from xlbench.collection import Collection, Texts
    from xlbench.engine.vectors import Embeddings
    from xlbench.job import Job

TASK = "xquad-r"
PARTS = ("sparse", "late", "rerank", "sizes")
N_TERMS = 30_522
"""Of a vocabulary, as SPLADE's has them."""
TERMS = {"queries": 25, "passages": 120}
"""Of a text, on average; those of a Zipf distribution, so that some are in most texts."""
TOKENS = {"queries": 18, "passages": 45}
WIDTH = 128
TILE = 256


def main() -> None:
    parser = common.parser(__doc__, runs=3)
    parser.add_argument("--part", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--model", help="an encoder, for rerank and sizes")
    parser.add_argument("--reranker", help="a cross-encoder, for rerank")
    parser.add_argument("--task", default=TASK)
    parser.add_argument("--languages", type=int, default=11, help="the first so many of the task")
    parser.add_argument("--limit", type=int, help="draw so many questions")
    parser.add_argument("--texts", type=int, default=1500, help="queries, and as many passages, of late")
    parser.add_argument("--depth", type=int, default=50)
    parser.add_argument("--dimensions", type=int, nargs=3, default=[256, 128, 64], help="of sizes")
    parser.add_argument("--queries", type=int, default=200, help="of rerank")
    parser.add_argument("--cpu", action="store_true", help="seconds of CPU, not of the clock: on a busy machine")
    parser.add_argument("--cache-dir", type=Path, default=Path(tempfile.gettempdir()) / "xlbench-benchmarks")
    options = parser.parse_args()

    from xlbench.job import Job

    job = Job.of(options.task, limit=options.limit)
    job = replace(job, languages=job.languages[: options.languages])
    collection = job.read(data_dir=Path(options.data_dir), cache_dir=options.cache_dir)
    rows = []
    for part in options.part:
        if part in ("rerank", "sizes") and not (options.model and (part == "sizes" or options.reranker)):
            print(f"{part} needs --model{' and --reranker' if part == 'rerank' else ''}: left out")
            continue
        rows += globals()[part](job, collection, options)
    sizes = f"{len(collection.queries.distinct):,} queries, {len(collection.passages.distinct):,} passages"
    header = ["", "seconds of CPU" if options.cpu else "seconds", "of the other", "ratio", "reach"]
    common.show(
        f"{options.task}: {sizes}, medians of {options.runs}", header, rows, libraries=(*common.MODELS, "scipy")
    )


def sparse(job: Job, collection: Collection, options: argparse.Namespace) -> list[list[str]]:
    """Ranks and all measures of all settings from sparse vectors, against their product alone."""
    from xlbench.engine.sparse_scores import SparseScores

    queries, passages = (
        _sparse(texts, seed, TERMS[role])
        for seed, (role, texts) in enumerate((("queries", collection.queries), ("passages", collection.passages)))
    )
    scores = SparseScores(queries, passages)
    left, right = queries.vectors[:], passages.vectors[:].T.tocsr()

    def product() -> None:
        for start in range(0, left.shape[0], TILE):  # The whole product would take gigabytes.
            left[start : start + TILE] @ right

    return _rows(
        "sparse, all settings / CSR x CSR^T", lambda: _evaluate(job, collection, scores), product, options, 1.5
    )


def late(job: Job, collection: Collection, options: argparse.Namespace) -> list[list[str]]:
    """MaxSim of queries and passages, against ``MultiVectorEncoder.similarity``, which is this function."""
    from sentence_transformers.util import maxsim

    from xlbench.engine.late_scores import LateScores
    from xlbench.engine.scores import matrix

    del job
    n = options.texts
    queries, passages = (
        _tokens(min(n, len(texts.distinct)), seed, TOKENS[role])
        for seed, (role, texts) in enumerate((("queries", collection.queries), ("passages", collection.passages)))
    )
    scores = LateScores(queries, passages)
    of_queries, of_passages = (_listed(of.vectors[:]) for of in (queries, passages))
    everything = np.arange(scores.n_queries), np.arange(scores.n_passages)
    theirs = np.asarray(maxsim(of_queries[:20], of_passages))
    assert np.allclose(matrix(scores, everything[0][:20], everything[1]), theirs, atol=1e-3)
    name = f"MaxSim of {scores.n_queries:,} x {scores.n_passages:,} / MultiVectorEncoder.similarity"
    return _rows(name, lambda: matrix(scores, *everything), lambda: maxsim(of_queries, of_passages), options, 1.0)


def rerank(job: Job, collection: Collection, options: argparse.Namespace) -> list[list[str]]:
    """Scores of the best passages of some queries, against ``CrossEncoder.rank`` query by query."""
    from sentence_transformers import CrossEncoder

    from xlbench import models
    from xlbench.engine.model_scores import score_collection
    from xlbench.engine.pair_scores import scores_of_texts
    from xlbench.engine.scores import matrix
    from xlbench.support.progress import silent

    del job
    scores = score_collection(collection, models.load(options.model), cache_dir=options.cache_dir)
    rng = np.random.default_rng(1)
    some = rng.choice(scores.n_queries, min(options.queries, scores.n_queries), replace=False)
    best = np.argsort(-matrix(scores, some, np.arange(scores.n_passages)), axis=1)[:, : options.depth]
    query_at, passage_at = _first(scores.query, scores.n_queries), _first(scores.passage, scores.n_passages)
    asked = [collection.queries.text[row] for row in query_at[some].tolist()]
    listed = [[collection.passages.text[row] for row in passage_at[rows].tolist()] for rows in best]
    reranking = models.load_reranking(options.reranker, depth=options.depth)
    peer = CrossEncoder(options.reranker)
    pairs = [(query, passage) for query, texts in zip(asked, listed, strict=True) for passage in texts]

    def theirs() -> None:
        for query, texts in zip(asked, listed, strict=True):
            peer.rank(query, texts, show_progress_bar=False)

    name = f"reranking {len(asked)} queries x {options.depth} / CrossEncoder.rank"
    return _rows(name, lambda: scores_of_texts(reranking, pairs, progress=silent), theirs, options, 1 / 1.3)


def sizes(job: Job, collection: Collection, options: argparse.Namespace) -> list[list[str]]:
    """8 sizes of vectors from one encoding, against one row with its encoding."""
    from xlbench import models
    from xlbench.evaluation import evaluate_collection
    from xlbench.vector_sizes import sizes as sizes_of

    def all_of_them() -> None:
        model = models.load(options.model)
        sizes_of(model, job, collection, dimensions=options.dimensions, quantize=["int8"], cache_dir=None)

    def one() -> None:
        evaluate_collection(job, collection, models.load(options.model), cache_dir=None)

    return _rows("3 dimensions x 2 precisions, 8 rows / one row", all_of_them, one, options, 1.5)


def _rows(name: str, ours: Any, theirs: Any, options: argparse.Namespace, most: float) -> list[list[str]]:
    clock = time.process_time if options.cpu else time.perf_counter
    times = common.medians({"ours": ours, "theirs": theirs}, runs=options.runs, clock=clock)
    ratio = times["ours"] / times["theirs"]
    return [[name, f"{times['ours']:.2f}", f"{times['theirs']:.2f}", f"{ratio:.2f}", f"at most {most:.2f}"]]


def _evaluate(job: Job, collection: Collection, scores: Any) -> None:
    """What ``xlbench run`` does after encoding."""
    from xlbench import measures
    from xlbench.engine.scores import shard_rows_of
    from xlbench.engine.search import rank
    from xlbench.results.from_ranking import score

    depth = measures.depth(job.task.measures)
    ranking = rank(collection, scores, depth=depth, shard_rows=shard_rows_of(scores))
    score(ranking, job.settings_in(collection), job.task.measures)


def _sparse(texts: Texts, seed: int, n_terms: int) -> Embeddings:
    """Seeded weights of terms, one row for each distinct text."""
    from scipy.sparse import csr_array

    from xlbench.engine.representations import SPARSE
    from xlbench.engine.vectors import Embeddings, HeldVectors

    rng, n = np.random.default_rng(seed), len(texts.distinct)
    lengths = rng.poisson(n_terms, n) + 1
    terms = rng.zipf(1.2, lengths.sum()) % N_TERMS
    weights = rng.random(lengths.sum(), np.float32) + np.float32(0.1)
    rows = csr_array((weights, (np.repeat(np.arange(n), lengths), terms)), shape=(n, N_TERMS), dtype=np.float32)
    rows.sum_duplicates()
    return Embeddings(HeldVectors(rows, SPARSE), row=texts.distinct.row)


def _tokens(n: int, seed: int, n_tokens: int) -> Embeddings:
    """Seeded token vectors of length 1 of so many texts."""
    from xlbench.arrays import TokenVectors
    from xlbench.engine.representations import LATE
    from xlbench.engine.vectors import Embeddings, HeldVectors

    rng = np.random.default_rng(seed)
    starts = np.append(0, np.cumsum(rng.poisson(n_tokens, n) + 1)).astype(np.int64)
    vectors = rng.standard_normal((starts[-1], WIDTH), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(HeldVectors(TokenVectors(vectors, starts), LATE), row=np.arange(n))


def _listed(tokens: Any) -> list[Any]:
    """Token vectors as sentence-transformers takes them."""
    import torch

    return [torch.from_numpy(tokens.vectors[a:b]) for a, b in zip(tokens.starts[:-1], tokens.starts[1:], strict=True)]


def _first(row: np.ndarray, n: int) -> np.ndarray:
    """The first text of each distinct one."""
    first = np.empty(n, np.int64)
    first[row[::-1]] = np.arange(len(row))[::-1]
    return first


if __name__ == "__main__":
    main()
