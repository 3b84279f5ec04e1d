"""What it takes: hours, disk and memory of all of MIRACL, computed from measured speeds; writes docs/scale.md's tables.

    python benchmarks/scale.py --measure --model FOLDER [FOLDER ...] --data-dir DATA     # on a quiet machine
    python benchmarks/scale.py --gpu gpu.json                                            # what benchmarks/gpu.py wrote
    python benchmarks/scale.py                                                           # writes the page again

Figures are kept in ``benchmarks/scale.json``, and every number between the markers of the page is computed from them.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import common

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "benchmarks" / "scale.json"
PAGE = ROOT / "docs" / "scale.md"
SHARD_TEXTS, SHARD_CHARACTERS = 1024, 1 << 20
"""A shard of a long language has at most so many; see xlbench/engine/vectors.py."""
FAILED, WORKERS = 0.01, 32
FLOAT_BYTES = 4
NOT_MEASURED = "not measured here"


def main() -> None:
    parser = common.parser(__doc__ or "", runs=1)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--measure", action="store_true", help="measure this machine anew")
    parser.add_argument("--model", nargs="+", default=[], help="with --measure: folders of sentence-transformers")
    parser.add_argument("--texts", type=int, default=200, help="with --measure: passages encoded")
    parser.add_argument("--passages", type=int, default=200_000, help="with --measure: passages counted")
    parser.add_argument("--gpu", type=Path, help="the JSON that benchmarks/gpu.py wrote")
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    if options.measure:
        figures = {**measured(options), "gpu": figures.get("gpu")}
    if options.gpu:
        figures["gpu"] = json.loads(options.gpu.read_text(encoding="utf-8"))
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), figures), encoding="utf-8")


def page(text: str, figures: dict[str, Any]) -> str:
    """The page with what is computed from the figures between its markers."""
    return common.filled(text, "scale.py", "begin", lines(figures))


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """The figures of this machine."""
    peaks = memory()  # First, for a child's peak begins at the memory of its parent.
    texts = yoruba(options)
    return {
        "machine": common.machine(common.MODELS),
        "models": [encoding(model, texts[: options.texts]) for model in options.model],
        "counting": counting(options),
        "text_bytes": text_bytes(texts),
        "memory": peaks,
    }


def yoruba(options: argparse.Namespace) -> list[str]:
    """2,000 passages of MIRACL Yoruba, drawn with a seed."""
    from xlbench.job import Job

    with tempfile.TemporaryDirectory() as folder:
        job = Job.of("miracl", languages=["yo"], kinds=["mono"])
        text = job.read(data_dir=options.data_dir, cache_dir=Path(folder)).passages.text
        return [text[row] for row in sorted(random.Random(1).sample(range(len(text)), 2000))]


def encoding(model: str, text: list[str]) -> dict[str, Any]:
    """Tokens and passages a second, bytes of a stored vector, and seconds of loading."""
    import numpy as np

    from xlbench import models
    from xlbench.collection import Texts
    from xlbench.engine.vectors import VectorStore, embed
    from xlbench.models.meter import Meter

    encoder: Any = models.load(model).encoder
    loading = common.seconds(lambda: encoder.encode_passages(text[:1]))
    encoder.meter = Meter()
    texts = Texts(tuple(map(str, range(len(text)))), text, np.zeros(len(text), np.int16))
    with tempfile.TemporaryDirectory() as folder:
        store = VectorStore.open(Path(folder), "passages", {"name": "measured"})
        seconds = common.seconds(
            lambda: embed(texts, encoder.encode_passages, store=store, stages=encoder.stages("passages"))
        )
        n_bytes = sum(path.stat().st_size for path in store.folder.glob("*.npy"))
    return {
        "name": encoder.name,
        "passages": len(text),
        "characters": sum(map(len, text)),
        "tokens": encoder.meter.n_tokens,
        "seconds": seconds,
        "tokens_a_second": encoder.meter.tokens_a_second,
        "load_seconds": loading,
        "vector_bytes": n_bytes / len(text),
        "dimensions": int(encoder.encode_passages(text[:1]).shape[1]),
    }


def counting(options: argparse.Namespace) -> dict[str, Any]:
    """Seconds of counting random vectors by the compiled loops."""
    import gpu

    from xlbench.engine.search import rank

    n_queries = 256
    collection, scores = gpu.made_up(options.passages, n_queries)
    seconds = common.medians({"count": lambda: rank(collection, scores)}, runs=3)["count"]
    return {"queries": n_queries, "passages": options.passages, "dimensions": gpu.DIMENSIONS, "seconds": seconds}


def text_bytes(texts: list[str]) -> float:
    """Bytes of a passage's text in the cache."""
    from xlbench.collection.strings import store

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.arrow"
        store(((str(i), text) for i, text in enumerate(texts)), path)
        return path.stat().st_size / len(texts)


def memory() -> dict[str, Any]:
    """Peak memory in MB of encoding and counting made-up passages, for two sizes."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in (100_000, 500_000):
            command = [sys.executable, str(ROOT / "benchmarks" / "memory.py"), "--folder", f"{folder}/{n}"]
            ran = subprocess.run([*command, "--child", str(n)], check=True, capture_output=True, text=True)
            peaks[str(n)] = float(ran.stdout.split()[-1])
    return peaks


class Sizes(NamedTuple):
    """What is evaluated."""

    name: str
    passages: int
    queries: int


def collections() -> Iterator[Sizes]:
    """MIRACL's languages, smallest first, and all of them in one pool."""
    from xlbench.catalogue import load

    task = load("miracl")
    found = [Sizes(name, task.sizes[name].passages, task.sizes[name].queries) for name in task.languages]
    yield from sorted(found, key=lambda each: each.passages)
    yield Sizes("all, one pool", sum(each.passages for each in found), sum(each.queries for each in found))


class Cost:
    """What a collection takes, by one model's figures."""

    def __init__(self, figures: dict[str, Any], model: dict[str, Any]) -> None:
        count, (few, many) = figures["counting"], sorted(map(int, figures["memory"]))
        self.passages_a_second = model["passages"] / model["seconds"]
        self.products_a_second = count["queries"] * count["passages"] * count["dimensions"] / count["seconds"]
        self.dimensions = model["dimensions"]
        self.vector_bytes = model["vector_bytes"]
        self.text_bytes = figures["text_bytes"]
        low, high = (figures["memory"][str(n)] * 1e6 for n in (few, many))
        self.bytes_a_passage = max(0.0, (high - low) / (many - few))
        self.fixed_bytes = high - many * self.bytes_a_passage
        self.characters = model["characters"] / model["passages"]
        self.tokens = model["tokens"] / model["passages"]
        self.load_seconds = model["load_seconds"]

    def encode(self, of: Sizes) -> float:
        """Seconds."""
        return (of.passages + of.queries) / self.passages_a_second

    def count(self, of: Sizes) -> float:
        """Seconds."""
        return of.passages * of.queries * self.dimensions / self.products_a_second

    def memory(self, of: Sizes) -> float:
        """Bytes."""
        return self.fixed_bytes + of.passages * self.bytes_a_passage


def lines(figures: dict[str, Any]) -> Iterator[str]:
    """The tables."""
    costs = {model["name"]: Cost(figures, model) for model in figures["models"]}
    first, *_ = costs.values()
    everything = list(collections())[-1]
    yield f"Measured on this machine: {figures['machine']}.\n"
    yield "| model | passages | tokens a passage | tokens/s | passages/s | bytes of a stored vector |"
    yield f"|---{'|--:' * 5}|"
    for model in figures["models"]:
        cells = [f"{model['passages']:,}", f"{model['tokens'] / model['passages']:.0f}"]
        cells += [f"{model['tokens_a_second']:,.0f}", f"{costs[model['name']].passages_a_second:.3g}"]
        yield f"| {model['name']} | {' | '.join(cells)} | {model['vector_bytes']:,.0f} |"
    count = figures["counting"]
    counted = f"{count['queries']:,} queries x {count['passages']:,} passages x {count['dimensions']} dimensions"
    yield f"\nCounting {counted} took {count['seconds']:.2f} s."
    yield f"A passage's text takes {figures['text_bytes']:.0f} bytes in the cache."
    yield "\nThe cost of P passages and Q queries with D dimensions, with the constants of the first model:\n"
    yield "```"
    yield f"encode  = (P + Q) / {first.passages_a_second:.3g} s"
    yield f"count   = P x Q x D / {first.products_a_second:.3g} s"
    yield f"disk    = P x ({first.vector_bytes:.0f} + {first.text_bytes:.0f}) bytes, vectors in proportion to D"
    yield f"memory  = {first.fixed_bytes / 1e6:.0f} MB + P x {first.bytes_a_passage:.0f} bytes"
    yield "```"
    yield "\nLanguages change neither: a pair has one count a language, of 4 bytes, or three sums of more than 32.\n"
    yield f"Extrapolated from these to each language of MIRACL, with {figures['models'][0]['name']} on this machine:\n"
    yield "| language | passages | queries | encode | count | vectors | texts | memory |"
    yield f"|---{'|--:' * 7}|"
    for each in collections():
        cells = [f"{each.passages:,}", f"{each.queries:,}", duration(first.encode(each)), duration(first.count(each))]
        cells += [size(each.passages * first.vector_bytes), size(each.passages * first.text_bytes)]
        yield f"| {each.name} | {' | '.join(cells)} | {size(first.memory(each))} |"
    if figures.get("gpu"):
        yield from gpu_lines(figures["gpu"])
    yield "\nAll of MIRACL elsewhere:\n"
    yield from machines(figures, first, everything)
    yield ""
    yield from schedule(first, everything)


def gpu_lines(of: dict[str, Any]) -> Iterator[str]:
    """What ``gpu.py`` measured."""
    encoding, task = of["encoding"], of["task"]
    seconds = [sum(value for key, value in task[name].items() if key.endswith("_s")) for name in ("timing", "cpu")]
    yield f"\nMeasured on one {of['device']} ({of['machine']}):\n"
    yield "| figure | |"
    yield "|---|--:|"
    took = "; ".join(f"{of_device:.0f} s" for of_device in seconds)
    yield f"| {task['name']} end to end, nothing stored | {took} on its CPUs |"
    texts = f"{encoding['texts']:,} passages of {task['name']}"
    speed = f"{encoding['passages_a_second']:,.0f} passages/s, {encoding['tokens_a_second']:,.0f} tokens/s"
    yield f"| encoding {texts} in float32 | {speed} |"
    yield f"| against `SentenceTransformer.encode` | {encoding['speed']:.2f} x its speed |"
    yield f"| share of the time that the GPU was busy | {encoding['busy_share']:.2f} |"
    for each in of["counting"]:
        took = f"{each['seconds']:.2f} s; {each['cpu_seconds']:.2f} s on its CPUs"
        product = f"{each['queries']:,} queries x {each['passages']:,} passages x {each['dimensions']}"
        yield f"| counting {product} | {took} |"
        yield f"| counts that differ from the CPU's | {each['counts_that_differ']} of {each['counts']:,} |"
    for name, difference in sorted(task["differences"].items(), key=lambda item: -item[1])[:4]:
        yield f"| largest difference of {name} from the CPU's, over all settings | {difference:.1e} |"


def machines(figures: dict[str, Any], cost: Cost, of: Sizes) -> Iterator[str]:
    """Hours of all passages on several machines."""
    yield "| machine | encode | count | what it is |"
    yield "|---|--:|--:|---|"
    here = f"| {duration(cost.encode(of))} | {duration(cost.count(of))} | extrapolated from what was measured on it |"
    yield f"| this machine {here}"
    name, speeds = "one H200", None
    if figures.get("gpu"):
        name = f"one {figures['gpu']['device']}"
        counted = figures["gpu"]["counting"][-1]
        # Its passages were others, so that its speed is taken by tokens.
        passages_a_second = figures["gpu"]["encoding"]["tokens_a_second"] / cost.tokens
        speeds = passages_a_second, counted["products_a_second"] * counted["dimensions"]
    for label, n in ((name, 1), ("eight of these", 8)):
        if speeds is None:
            yield f"| {label} | {NOT_MEASURED} | {NOT_MEASURED} | `benchmarks/gpu.py` measures it |"
            continue
        seconds = of.passages / speeds[0] / n, of.passages * of.queries * cost.dimensions / speeds[1] / n
        what = "extrapolated from what was measured on it" if n == 1 else "extrapolated, an even share each"
        yield f"| {label} | {' | '.join(map(duration, seconds))} | {what} |"
    shares = duration(cost.encode(of) / WORKERS), duration(cost.count(of) / WORKERS)
    yield f"| {WORKERS} nodes like this machine | {' | '.join(shares)} | extrapolated, an even share each |"


def schedule(cost: Cost, of: Sizes) -> Iterator[str]:
    """What a simulated run over many workers takes, of which some shards fail."""
    texts = min(SHARD_TEXTS, int(SHARD_CHARACTERS / cost.characters))
    n_shards, seconds = -(-of.passages // texts), texts / cost.passages_a_second
    even = n_shards * seconds / WORKERS
    rng = random.Random(1)
    free = [cost.load_seconds] * WORKERS
    failed, lost = 0, 0.0
    for _ in range(n_shards):
        at = heapq.heappop(free)
        while rng.random() < FAILED:
            wasted = rng.random() * seconds + cost.load_seconds
            failed, lost, at = failed + 1, lost + wasted, at + wasted
        heapq.heappush(free, at + seconds)
    workers = f"{WORKERS} workers like this machine"
    yield f"Simulated: {of.passages:,} passages in {n_shards:,} shards of {texts:,} over {workers}."
    yield f"A shard fails with probability {FAILED:.0%}, somewhere in it;"
    yield f"its worker loads the model again ({cost.load_seconds:.1f} s) and repeats it."
    yield f"{failed:,} attempts fail and cost {duration(lost)} of work in all."
    yield f"The last worker is done after {duration(max(free))},"
    yield f"{max(free) / even - 1:.1%} later than with an even share and no failure;"
    yield f"the first is idle {duration(max(free) - min(free))} before."


def duration(seconds: float) -> str:
    """Of one unit."""
    for unit, length in (("d", 86400 * 2), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / (86400 if unit == 'd' else length):.1f} {unit}"
    return f"{seconds:.0f} s"


def size(n_bytes: float) -> str:
    """In MB or GB."""
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{time.perf_counter() - start:.0f} s")
