"""Workers: processes on this machine, or on a Ray cluster, that encode a collection's shards into the shared store.

Which texts are in a shard follows from the collection alone, so that neither the number of workers nor their order nor
one that ended changes a byte of what is stored. Whoever scores the collection afterwards finds its vectors there.
"""

from __future__ import annotations

import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from xlbench.collection import Collection
from xlbench.engine.checked_vectors import encoded
from xlbench.engine.ray_cluster import Workers, cluster
from xlbench.engine.representations import representation_of
from xlbench.engine.shards import shards_of
from xlbench.engine.vectors import VectorStore
from xlbench.errors import EncoderError, UsageError, XlbenchError
from xlbench.models.mixture import several_of
from xlbench.models.protocols import Encoder, Model
from xlbench.support.progress import Advance, Progress, silent

_ROLES = ("queries", "passages")
_MOST_ENDS = 3
"""Workers that may end over one shard: a shard that needs more memory than there is would end all of them."""


@dataclass(frozen=True)
class _Shard:
    """Texts that are encoded together."""

    role: str
    texts: list[str]
    ids: list[str]
    n_ended: int = 0
    """How many workers ended over them."""


@dataclass(frozen=True)
class _Setup:
    """What a worker needs to begin."""

    model: str
    device: str | None
    arguments: dict[str, Any]
    stored_as: str
    key: str
    """That of the driver's model, as JSON."""
    folders: dict[str, str]
    """Of the store, by role."""
    witness: str
    """The name of a file in them, by which a worker knows that it sees the same storage."""
    directory: str
    n_threads: int


def encode_missing(
    collection: Collection,
    model: Model,
    workers: Workers,
    *,
    cache_dir: Path,
    fresh: bool = False,
    progress: Progress = silent,
) -> None:
    """Has workers encode what the store lacks of a collection, or with ``fresh`` all of it.

    A worker that ends is replaced, and its shard encoded again.

    Raises:
        UsageError: if the model cannot be given to another process, or there is no such cluster.
        EncoderError: as in one process, or if a worker has other libraries, or does not see the store.

    """
    encoder = model.encoder
    several = several_of(encoder)
    if several or not isinstance(encoder, Encoder) or not model.named or model.fingerprint is None:
        raise UsageError(
            f"{model.name} cannot be given to workers: expected a folder, a Hub id or package.module:Class that "
            "encodes texts, and gives one representation. Leave --workers and --ray out."
        )
    form = representation_of(encoder)
    key = {"name": encoder.name, **model.key()}
    stores = {role: VectorStore.open(cache_dir, role, key, dtype=model.stored_as, form=form) for role in _ROLES}
    texts = dict(zip(_ROLES, (collection.queries, collection.passages), strict=True))
    n_characters = sum(int(of.distinct.n_characters.sum(dtype=np.int64)) for of in texts.values())
    n_texts = sum(len(of.distinct) for of in texts.values())
    with progress("encoding", n_texts=n_texts, n_characters=n_characters) as tell:

        def missing() -> Iterator[_Shard]:
            for role, of in texts.items():
                for shard in shards_of(of):
                    if not fresh and stores[role].get(shard.texts) is not None:
                        tell(texts=len(shard.texts), characters=sum(map(len, shard.texts)), stored=True)
                    else:
                        yield _Shard(role, shard.texts, shard.ids)

        shards = missing()
        first = next(shards, None)
        if first is None:
            return
        with _witnessed(stores) as witness, cluster(workers) as (ray, n, n_threads):
            setup = _Setup(
                model=model.named,
                device=model.device,
                arguments=dict(model.given),
                stored_as=model.stored_as,
                key=json.dumps(key, sort_keys=True, default=str),
                folders={role: str(store.folder.resolve()) for role, store in stores.items()},
                witness=witness,
                directory=str(Path.cwd()),
                n_threads=n_threads,
            )
            _Pool(ray, n, setup).encode(first, shards, tell)


@dataclass
class _Pool:
    """The workers of a cluster, started when there is work for them, each with one shard at a time."""

    ray: Any
    n: int
    setup: _Setup
    busy: dict[Any, tuple[Any, _Shard]] = field(default_factory=dict)
    """By what a worker will answer: the worker and its shard."""
    idle: list[Any] = field(default_factory=list)

    def encode(self, first: _Shard, shards: Iterator[_Shard], advance: Advance) -> None:
        """Encodes and stores all shards."""
        again: list[_Shard] = [first]
        try:
            while True:
                while len(self.busy) < self.n and (shard := again.pop() if again else next(shards, None)):
                    self._give(shard)
                if not self.busy:
                    return
                (answer,), _ = self.ray.wait(list(self.busy), num_returns=1)
                worker, shard = self.busy.pop(answer)
                try:
                    self.ray.get(answer)
                except (self.ray.exceptions.RayActorError, self.ray.exceptions.RaySystemError) as error:
                    again.append(_after_end(shard, error))
                    continue
                except self.ray.exceptions.RayTaskError as error:
                    raise _cause(error) from None
                self.idle.append(worker)
                advance(texts=len(shard.texts), characters=sum(map(len, shard.texts)), stored=False)
        finally:
            for worker in (*self.idle, *(worker for worker, _ in self.busy.values())):
                self.ray.kill(worker)

    def _give(self, shard: _Shard) -> None:
        worker = self.idle.pop() if self.idle else self._start()
        self.busy[worker.encode.remote(shard.role, shard.texts, shard.ids)] = worker, shard

    def _start(self) -> Any:
        has_gpu = self.setup.device != "cpu" and self.ray.cluster_resources().get("GPU", 0) >= 1
        made = self.ray.remote(num_cpus=1, num_gpus=1 if has_gpu else 0, max_restarts=0, scheduling_strategy="SPREAD")(
            _Worker
        )
        return made.remote(self.setup)


class _Worker:
    """One process: loads the model once, encodes shards, and stores their vectors. Runs in Ray's processes."""

    def __init__(self, setup: _Setup) -> None:
        self._setup = setup
        self._stores: dict[str, VectorStore] = {}
        self._encode: dict[str, Callable[[list[str]], Any]] = {}

    def encode(self, role: str, texts: list[str], ids: list[str]) -> None:
        """Stores the vectors of a shard."""
        if not self._stores:
            self._begin()
        store = self._stores[role]
        store.put(texts, store.form.checked(encoded(self._encode[role], texts), ids))

    def _begin(self) -> None:
        from xlbench.models import load

        setup, host = self._setup, socket.gethostname()
        for folder in setup.folders.values():
            if not (Path(folder) / setup.witness).exists():
                raise EncoderError(
                    f"The worker on {host} does not see what this process writes into {folder}: expected a --cache-dir "
                    "on storage that all machines share, under one path."
                )
        if Path(setup.directory).is_dir():
            os.chdir(setup.directory)
        torch.set_num_threads(setup.n_threads)
        model = load(setup.model, device=setup.device, arguments=setup.arguments, stored_as=setup.stored_as)  # type: ignore[arg-type]
        key = json.dumps({"name": model.encoder.name, **model.key()}, sort_keys=True, default=str)
        if key != setup.key:
            raise EncoderError(
                f"The worker on {host} would give other vectors than this process: its model is {key}, and here it is "
                f"{setup.key}. Expected the same libraries, files and kind of device on all machines."
            )
        encoder: Any = model.encoder
        self._encode = {"queries": encoder.encode_queries, "passages": encoder.encode_passages}
        form = representation_of(encoder)
        self._stores = {
            role: VectorStore(Path(folder), setup.stored_as, form) for role, folder in setup.folders.items()
        }


def _after_end(shard: _Shard, error: Exception) -> _Shard:
    """The shard again, after its worker ended."""
    if shard.n_ended + 1 >= _MOST_ENDS:
        raise EncoderError(
            f"{_MOST_ENDS} workers ended while they encoded {len(shard.texts):,} texts such as {shard.ids[0]!r}: "
            f"{str(error).splitlines()[0]} Is there too little memory? What was encoded before is kept."
        ) from error
    return _Shard(shard.role, shard.texts, shard.ids, shard.n_ended + 1)


def _cause(error: Any) -> Exception:
    """What went wrong in a worker, as in one process."""
    cause = error.cause
    if isinstance(cause, XlbenchError):
        return cause
    return EncoderError(f"A worker failed: {type(cause).__name__}: {cause}. What was encoded before is kept.")


@contextmanager
def _witnessed(stores: dict[str, VectorStore]) -> Iterator[str]:
    """A file in each folder of the store, while workers begin."""
    name = f"witness-{uuid.uuid4().hex}"
    try:
        for store in stores.values():
            (store.folder / name).touch()
        yield name
    finally:
        for store in stores.values():
            (store.folder / name).unlink(missing_ok=True)
