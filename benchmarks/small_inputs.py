"""A model, pairs and the texts of tasks as few megabytes, for a machine that can reach nothing.

The vocabulary is cut to the tokens of these texts, which keep their tokens: in a unigram tokenizer the best
segmentation of a text needs no others. Weights of 4 bits are kept as such (blocks of 32 with one scale, as in Q4_0),
all others as float16, or float32 where they are few.
"""

from __future__ import annotations

import gzip
import json
import lzma
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from xlbench.collection import Collection
    from xlbench.job import Job
    from xlbench.settings import Setting

_BLOCK = 32
_FEW = 1 << 17
_WHEELS = ("msgspec", "datasets", "dill", "multiprocess", "sentence-transformers", "rich", "click", "tabulate")
"""What xlbench imports and a machine with torch and transformers may lack, or have in another version."""
ROLES = ("queries", "passages")


@dataclass(frozen=True)
class Evaluated:
    """A collection, and in which settings a model is evaluated on it."""

    collection: Collection
    settings: list[Setting]

    @classmethod
    def of(cls, job: Job, data_dir: Path) -> Evaluated:
        """The collection of a task."""
        collection = job.read(data_dir=data_dir, cache_dir=data_dir)
        return cls(collection, job.settings_in(collection))


@dataclass(frozen=True)
class Inputs:
    """Where the inputs are when they are unpacked."""

    model: Path
    pairs: dict[str, Path]
    """Files of pairs by name."""
    tasks: dict[str, Evaluated]


def prepare(
    folder: Path,
    *,
    model: Path,
    pairs: Mapping[str, Sequence[dict[str, Any]]],
    tasks: Mapping[str, Evaluated],
    python: str,
) -> None:
    """Writes all inputs into a folder, which must not be there; ``python`` is the version on the other machine."""
    texts: list[str] = []
    for name, rows in pairs.items():
        _write(folder / f"pairs/{name}.jsonl.gz", rows)
        texts += [text for row in rows for role in ROLES for text in row[role].values()]
    for name, task in tasks.items():
        _write(folder / f"tasks/{name}.jsonl.xz", _records(task))
        texts += [*task.collection.queries.text, *task.collection.passages.text]
    n_tokens = _pack_model(model, folder / "model", texts)
    _download_wheels(folder / "wheels", python)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{', '.join(pairs)}; {', '.join(tasks)}; {n_tokens:,} tokens; {size / 2**20:.1f} MiB in {folder}")


def unpack(folder: Path, target: Path) -> Inputs:
    """Unpacks the inputs, with the weights in float32."""
    shutil.copytree(folder / "model", target / "model", ignore=shutil.ignore_patterns("weights.npz"))
    _unpack_weights(folder / "model/weights.npz", target / "model/model.safetensors")
    pairs, tasks = (
        {path.name.partition(".")[0]: path for path in sorted((folder / part).glob("*.?z"))}
        for part in ("pairs", "tasks")
    )
    return Inputs(target / "model", pairs, {name: _evaluated(path) for name, path in tasks.items()})


def rows_in(path: Path, languages: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a file of pairs that are complete in these languages, and nothing else of them."""
    return [
        row | {role: {language: row[role][language] for language in languages} for role in ROLES}
        for row in read_lines(path)
        if all(language in row[role] for role in ROLES for language in languages)
    ]


def read_lines(path: Path) -> Iterator[Any]:
    """The records of a packed file of JSON lines."""
    with _open(path, "rt") as file:
        yield from map(json.loads, file)


def _open(path: Path, mode: Literal["rt", "wt"]) -> Any:
    return (lzma if path.suffix == ".xz" else gzip).open(path, mode, encoding="utf-8")


def _write(path: Path, records: Iterable[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path, "wt") as file:
        file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _records(task: Evaluated) -> Iterator[Any]:
    """A collection line by line: what it is, its queries, its passages, its judged pairs."""
    collection = task.collection
    queries, passages, pairs = collection.queries, collection.passages, collection.pairs
    yield {
        "languages": collection.languages,
        "settings": [str(setting) for setting in task.settings],
        "unit": collection.clusters.unit,
        "sizes": [len(queries.ids), len(passages.ids), len(pairs)],
    }
    for texts in (queries, passages):
        clusters = collection.clusters.of_query if texts is queries else [None] * len(texts.ids)
        yield from zip(texts.ids, texts.language.tolist(), texts.text, clusters, strict=True)
    yield from zip(pairs.query.tolist(), pairs.passage.tolist(), pairs.gain.tolist(), strict=True)


def _evaluated(path: Path) -> Evaluated:
    from xlbench.collection import Collection, Judgement, Text
    from xlbench.settings import Setting

    lines = read_lines(path)
    of = next(lines)
    queries, passages, pairs = ([next(lines) for _ in range(size)] for size in of["sizes"])
    collection = Collection.build(
        of["languages"],
        *([Text(id_, of["languages"][code], text) for id_, code, text, _ in texts] for texts in (queries, passages)),
        [Judgement(queries[query][0], passages[passage][0], gain) for query, passage, gain in pairs],
        unit=of["unit"],
        clusters={id_: cluster for id_, _, _, cluster in queries},
    )
    return Evaluated(collection, [Setting.of(name) for name in of["settings"]])


def use_wheels(folder: Path, target: Path) -> None:
    """Has Python find the packages in these wheels before any that are installed."""
    for wheel in sorted(folder.glob("*.whl")):
        zipfile.ZipFile(wheel).extractall(target)
    sys.path.insert(0, str(target))


def _download_wheels(folder: Path, python: str) -> None:
    platforms = [f"--platform=manylinux{name}_x86_64" for name in ("_2_28", "_2_27", "_2_17", "2014")]
    names = [f"{name}=={version(name)}" for name in _WHEELS]
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
    subprocess.run([*command, "--python-version", python, *platforms, *names], check=True)


def _pack_model(source: Path, target: Path, texts: Iterable[str]) -> int:
    """Writes a model with the tokens of these texts only; returns how many it has."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    target.mkdir()
    shutil.copytree(
        source, target, ignore=shutil.ignore_patterns("*.safetensors", "tokenizer.json"), dirs_exist_ok=True
    )
    whole = Tokenizer.from_file(str(source / "tokenizer.json"))
    whole.no_truncation()
    prompts = json.loads((source / "config_sentence_transformers.json").read_text())["prompts"].values()
    prompted = [prompt + text for text in dict.fromkeys(texts) for prompt in prompts]
    encoded = whole.encode_batch_fast(prompted)
    record = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    kept = sorted({token["id"] for token in record["added_tokens"]} | {i for each in encoded for i in each.ids})
    new = {old: i for i, old in enumerate(kept)}
    (target / "tokenizer.json").write_text(json.dumps(_cut(record, new), ensure_ascii=False), encoding="utf-8")
    cut = Tokenizer.from_file(str(target / "tokenizer.json"))
    again = cut.encode_batch_fast(prompted)
    if any([new[i] for i in a.ids] != b.ids for a, b in zip(encoded, again, strict=True)):
        raise ValueError(f"{source}: some text has other tokens when the vocabulary is cut; expected a unigram model.")
    config = json.loads((target / "config.json").read_text())
    config |= {"vocab_size": len(kept), "pad_token_id": new[config["pad_token_id"]]}
    (target / "config.json").write_text(json.dumps(config, indent=1))
    weights = load_file(source / "model.safetensors")
    weights["embeddings.word_embeddings.weight"] = weights["embeddings.word_embeddings.weight"][kept]
    np.savez_compressed(target / "weights.npz", **dict(_packed(weights)))
    return len(kept)


def _cut(record: dict[str, Any], new: dict[int, int]) -> dict[str, Any]:
    """A tokenizer with these tokens only, which have new numbers."""
    model, processor = record["model"], record["post_processor"]
    model["vocab"] = [model["vocab"][old] for old in new]
    model["unk_id"] = new[model["unk_id"]]
    for token in record["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in processor["special_tokens"].values():
        token["ids"] = [new[i] for i in token["ids"]]
    return record


def _packed(weights: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """The weights by name; in blocks as ``NAME|scale``, ``NAME|codes`` and ``NAME|shape`` where that loses nothing."""
    for name, tensor in weights.items():
        if tensor.size < _FEW:
            yield name, tensor.astype(np.float32)
            continue
        blocks = tensor.astype(np.float32).reshape(-1, _BLOCK) if tensor.size % _BLOCK == 0 else None
        if blocks is not None:
            # The weight that is farthest from 0 has the code -8.
            farthest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(axis=1)]
            scale = (farthest / -8).astype(np.float16)
            step = np.where(scale == 0, 1, scale).astype(np.float32)[:, None]
            codes = np.clip(np.round(blocks / step), -8, 7)
            if np.array_equal(codes * scale.astype(np.float32)[:, None], blocks):
                nibbles = (codes + 8).astype(np.uint8)
                yield f"{name}|scale", scale
                yield f"{name}|codes", nibbles[:, ::2] | nibbles[:, 1::2] << 4
                yield f"{name}|shape", np.array(tensor.shape)
                continue
        yield name, tensor.astype(np.float16)


def _unpack_weights(path: Path, target: Path) -> None:
    from safetensors.numpy import save_file

    stored = np.load(path)
    weights = {name: stored[name].astype(np.float32) for name in stored.files if "|" not in name}
    for name in (key.partition("|")[0] for key in stored.files if key.endswith("|codes")):
        codes = stored[f"{name}|codes"]
        nibbles = np.stack([codes & 15, codes >> 4], axis=2).reshape(len(codes), _BLOCK).astype(np.float32) - 8
        blocks = nibbles * stored[f"{name}|scale"].astype(np.float32)[:, None]
        weights[name] = np.ascontiguousarray(blocks.reshape(stored[f"{name}|shape"]))
    save_file(weights, target, metadata={"format": "pt"})
