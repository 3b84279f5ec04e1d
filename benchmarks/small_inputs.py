"""A model, pairs and XQuAD-R as few megabytes, for a machine that can reach nothing.

The vocabulary is cut to the tokens of these texts, which keep their tokens: in a unigram tokenizer the best
segmentation of a text needs no others. Weights of 4 bits are kept as such (blocks of 32 with one scale, as in Q4_0),
all others as float16, or float32 where they are few.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

TASK = "xquad-r"
_BLOCK = 32
_FEW = 1 << 17
_WHEELS = ("msgspec", "datasets", "dill", "multiprocess", "sentence-transformers")
"""What xlbench imports and a machine with torch and transformers may lack, or have in another version."""


@dataclass(frozen=True)
class Inputs:
    """Where the inputs are when they are unpacked."""

    model: Path
    pairs: Path
    data: Path
    """The folder with the files of the task, as ``--data-dir``."""


def prepare(folder: Path, *, model: Path, pairs: Path, data_dir: Path, languages: list[str], python: str) -> None:
    """Writes all inputs into a folder, which must not be there; ``python`` is the version on the other machine."""
    folder.mkdir(parents=True)
    rows = [row for row in _rows(pairs) if all(language in row[role] for role in ROLES for language in languages)]
    kept = [row | {role: {language: row[role][language] for language in languages} for role in ROLES} for row in rows]
    with gzip.open(folder / "pairs.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    texts = [row[role][language] for row in kept for role in ROLES for language in languages]
    (folder / "task").mkdir()
    for path in sorted((data_dir / "lareqa" / TASK).glob("*.json")):
        (folder / "task" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    used = _pack_model(model, folder / "model", [*texts, *_evaluated(data_dir)])
    _download_wheels(folder / "wheels", python)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{len(kept):,} rows in {', '.join(languages)}; {used:,} tokens; {size / 2**20:.1f} MiB in {folder}")


def unpack(folder: Path, target: Path) -> Inputs:
    """Unpacks the inputs, with the weights in float32."""
    shutil.copytree(folder / "model", target / "model", ignore=shutil.ignore_patterns("weights.npz"))
    _unpack_weights(folder / "model/weights.npz", target / "model/model.safetensors")
    data = target / "data/lareqa" / TASK
    data.mkdir(parents=True)
    for path in (folder / "task").glob("*.gz"):
        (data / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
    return Inputs(target / "model", folder / "pairs.jsonl.gz", target / "data")


def use_wheels(folder: Path, target: Path) -> None:
    """Has Python find the packages in these wheels before any that are installed."""
    for wheel in sorted(folder.glob("*.whl")):
        zipfile.ZipFile(wheel).extractall(target)
    sys.path.insert(0, str(target))


ROLES = ("queries", "passages")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def _evaluated(data_dir: Path) -> list[str]:
    from xlbench.catalogue import load, read_collection

    task = load(TASK)
    collection = read_collection(task, languages=task.languages, data_dir=data_dir, cache_dir=data_dir)
    return [*collection.queries.text, *collection.passages.text]


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
