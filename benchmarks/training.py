"""Training: time of a step and peak memory against sentence-transformers' own trainer, and the time of a plan.

    python benchmarks/training.py --model path/to/multilingual-e5-small --pairs path/to/pairs.jsonl.gz

needs ``datasets`` beside ``xlbench[train]``. Both trainers get the same texts with the same prompts, lengths and
batches; each run is a trainer of its own, and the time of loading the model is not counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import common
import numpy as np

UNIT_MB = 1024 if sys.platform == "linux" else 1024**2
ROWS, LANGUAGES = 1_000_000, tuple("abcdefghi")
MANY, FEWER = 40_000_000, LANGUAGES[:7]
STAGES = ("reading", "presence of languages", "links by equal texts", "an epoch's plan", "10,000 rows by chance")


def main() -> None:
    parser = common.parser(__doc__ or "", runs=3)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--model", required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--batch-size", type=int, default=48)
    parser.add_argument("--large", type=int, default=1024, help="rows of the batch with --gradient-cache 32")
    parser.add_argument("--steps", type=int, default=5, help="steps of each run")
    parser.add_argument("--length", type=int, default=96, help="longest text in tokens")
    parser.add_argument("--workers", type=int, default=0, help="processes that tokenise, of both trainers")
    parser.add_argument("--only", choices=["plan", "rows", "time", "memory"])
    parser.add_argument("--child", choices=["plan", "rows", "few-rows", "memory", "cached"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(*child(options))
        return
    if options.only in (None, "plan"):
        took, peak = in_child("plan")
        common.show(
            f"An epoch of {ROWS:,} rows x {len(LANGUAGES)} languages, hybrid, batch 100",
            ["", "seconds", "more memory"],
            [["plan", f"{took:.2f}", f"{peak:.0f} MB"]],
            libraries=common.MAIN,
        )
    if options.only in (None, "rows"):
        memory_of_rows()
    if options.only in (None, "time"):
        times(options)
    if options.only in (None, "memory"):
        (small,), (large,) = in_child("memory"), in_child("cached")
        rows = [["batch 32", f"{small:.0f} MB", "1.00"]]
        rows.append([f"batch {options.large:,}, gradient cache 32", f"{large:.0f} MB", f"{large / small:.2f}"])
        common.show("Peak memory of a process that trains", ["", "memory", "ratio"], rows, libraries=common.MODELS)


def memory_of_rows() -> None:
    """Shows the memory of rows whose texts stay in files, and what follows for many more."""
    fewer, most = in_child("few-rows"), in_child("rows")
    table = []
    for what, seconds, few, many in zip(STAGES, most[::2], fewer[1::2], most[1::2], strict=True):
        each = (many - few) / (ROWS - ROWS // 4)
        line = [what, f"{seconds:.0f}", f"{many / 1e6:.0f} MB", f"{each:.1f}"]
        table.append([*line, f"{(many + each * (MANY - ROWS)) / 1e9:.2f} GB"])
    title = f"{ROWS:,} rows x {len(FEWER)} languages whose texts stay in files: memory at most, beyond the libraries"
    header = ["", "s of CPU", f"{ROWS:,} rows", "bytes a row", f"so {MANY:,} rows"]
    common.show(title, header, table, libraries=common.MAIN)


def in_child(what: str) -> list[float]:
    """The numbers that a process of its own prints."""
    command = [sys.executable, __file__, *sys.argv[1:], "--child", what]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [float(number) for number in printed.split()]


def child(options: argparse.Namespace) -> list[float]:
    """Seconds and megabytes of a plan, or the peak memory of a training."""
    if options.child == "plan":
        from xlbench.training.plan import Plan
        from xlbench.training.presence import Presence
        from xlbench.training.recipes import load

        presence = Presence(LANGUAGES, *(np.ones((ROWS, len(LANGUAGES)), bool) for _ in range(2)))
        before = peak()
        took = common.seconds(lambda: Plan(presence, load("hybrid"), 100, ROWS).epoch(0))
        return [took, peak() - before]
    if options.child in ("rows", "few-rows"):
        return stored_rows(ROWS if options.child == "rows" else ROWS // 4)
    cached = options.child == "cached"
    with tempfile.TemporaryDirectory() as folder:
        trainer = ours(
            options, Path(folder), steps=1, size=options.large if cached else 32, cache=32 if cached else None
        )
        trainer.train()
    return [peak()]


def stored_rows(n: int) -> list[float]:
    """Of each stage: seconds of CPU, and the most memory of its own that the process has, beyond what it began with."""
    with tempfile.TemporaryDirectory() as folder:
        stages(Path(folder), 100, None)  # Loads the libraries.
        with Watched() as watched:
            return stages(Path(folder), n, watched)


def stages(folder: Path, n: int, watched: Watched | None) -> list[float]:
    """From a pair file to the rows of batches; seconds and bytes of each stage, one after the other."""
    from xlbench.training.data import Data
    from xlbench.training.pairs import read_pairs
    from xlbench.training.plan import Plan
    from xlbench.training.recipes import load

    path = folder / f"{n}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for i in range(n):
            texts = {role: {code: f"{code} {role} {i}" for code in FEWER} for role in ("queries", "passages")}
            file.write(json.dumps({"id": str(i), **texts}) + "\n")
    numbers: list[float] = []

    def stage(action):
        start = time.process_time()
        made = action()
        numbers.extend([time.process_time() - start, watched.take() if watched else 0.0])
        return made

    pairs = stage(lambda: read_pairs(path, store=folder, least=1))
    data = Data.of([pairs], weights=[1.0])
    stage(lambda: data.presence)
    stage(lambda: data.group)
    stage(lambda: Plan(data.presence, load("hybrid"), 100, max(1, n // 100)).epoch(0))
    stage(lambda: [data.rows[i] for i in np.random.default_rng(0).integers(0, n, 10_000)])
    return numbers


class Watched:
    """The most memory that this process has to itself, without pages of files."""

    def __init__(self) -> None:
        self._first = self._most = self._now()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def take(self) -> float:
        """The most memory since it was last taken, beyond the first, in bytes."""
        most, self._most = max(self._most, self._now()), self._now()
        return most - self._first

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self._most = max(self._most, self._now())

    @staticmethod
    def _now() -> float:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return 1024 * float(next(line for line in lines if line.startswith("RssAnon")).split()[1])


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT_MB


def times(options: argparse.Namespace) -> None:
    """Shows the time of a step of both trainers, which take turns."""
    found: dict[str, list[float]] = {"xlbench": [], "sentence-transformers": []}
    for _ in range(options.runs):
        for name, make in (("xlbench", ours), ("sentence-transformers", theirs)):
            with tempfile.TemporaryDirectory() as folder:
                trainer = make(options, Path(folder), steps=options.steps, size=options.batch_size, cache=None)
                found[name].append(common.seconds(trainer.train) / options.steps)
    medians = {name: float(np.median(values)) for name, values in found.items()}
    rows = [[name, f"{took:.2f}", f"{took / medians['sentence-transformers']:.2f}"] for name, took in medians.items()]
    title = f"A step of {options.batch_size} rows, texts cut at {options.length} tokens, medians of {options.runs}"
    title += f", {options.workers} workers" if options.workers else ""
    common.show(title, ["", "seconds", "ratio"], rows, libraries=common.MODELS)


def batches(options: argparse.Namespace, *, steps: int, size: int):
    """The steps of the hybrid recipe on the pairs."""
    from xlbench.training.data import Data
    from xlbench.training.pairs import read_pairs
    from xlbench.training.plan import Plan
    from xlbench.training.recipes import load
    from xlbench.training.steps import Steps

    data = Data.of([read_pairs(options.pairs)], weights=[1.0])
    return Steps(data, Plan(data.presence, load("hybrid"), size, steps))


def loaded(options: argparse.Namespace):
    """The model with its prompts; both trainers cut its texts at one length."""
    from xlbench.training.model_folder import load
    from xlbench.training.run import Init

    found = load(Init(options.model, {}, options.length, options.length))
    found.model.max_seq_length = options.length
    return found


def arguments(options: argparse.Namespace, folder: Path, cls: type, **more):
    """The same arguments for both trainers."""
    return cls(
        dataloader_num_workers=options.workers,
        output_dir=str(folder),
        learning_rate=3e-5,
        disable_tqdm=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        dataloader_pin_memory=False,
        **more,
    )


def ours(options: argparse.Namespace, folder: Path, *, steps: int, size: int, cache: int | None):
    """Our trainer."""
    import torch
    from transformers import TrainingArguments

    from xlbench.models.token_batches import DEFAULT_BATCH_TOKENS
    from xlbench.training.loss import PairLoss
    from xlbench.training.objective import Objective
    from xlbench.training.trainer import PairTrainer, Parts

    found = loaded(options)
    budget = DEFAULT_BATCH_TOKENS["cuda" if torch.cuda.is_available() else "cpu"]
    loss = PairLoss(found.model, Objective(0.05), cache_rows=cache, piece_tokens=budget)
    parts = Parts(
        loss, found.tokeniser, batches(options, steps=steps, size=size), None, None, None, lambda **_: None, None
    )
    more = {"max_steps": steps, "remove_unused_columns": False, "per_device_train_batch_size": 1}
    made = arguments(options, folder, TrainingArguments, **more)
    return PairTrainer(found.model, made, parts)


def theirs(options: argparse.Namespace, folder: Path, *, steps: int, size: int, cache: int | None):  # noqa: ARG001
    """The library's trainer with MultipleNegativesRankingLoss, on the texts of the same batches."""
    import datasets
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    found = loaded(options)
    made = batches(options, steps=steps, size=size)
    rows = [pair for step in range(steps) for pair in zip(made[step].queries, made[step].passages, strict=True)]
    table = datasets.Dataset.from_dict({"query": [row[0] for row in rows], "positive": [row[1] for row in rows]})
    prompts = {"query": found.tokeniser.query.prompt, "positive": found.tokeniser.passage.prompt}
    cls = SentenceTransformerTrainingArguments
    return SentenceTransformerTrainer(
        model=found.model,
        args=arguments(options, folder, cls, num_train_epochs=1, per_device_train_batch_size=size, prompts=prompts),
        train_dataset=table,
        loss=MultipleNegativesRankingLoss(found.model, scale=20.0),
    )


if __name__ == "__main__":
    main()
