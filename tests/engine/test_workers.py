"""Workers encode into the store what one process would, whoever of them ends."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

import xlbench
from xlbench import models
from xlbench.catalogue import load, read_collection
from xlbench.engine import ray_cluster, shards, workers
from xlbench.engine.model_scores import score_collection
from xlbench.engine.ray_cluster import Workers
from xlbench.engine.vectors import VectorStore
from xlbench.engine.workers import encode_missing
from xlbench.errors import EncoderError, UsageError

ray = pytest.importorskip("ray")

MODEL = '''
import os, zlib
from pathlib import Path
import numpy as np

class Made:
    """Vectors from checksums; says in a file what it encodes, and ends its process as often as another file says."""

    name = "made"
    revision = "1"

    def __init__(self, folder):
        self.folder = Path(folder)

    def encode_queries(self, texts):
        return self.encode_passages(texts)

    def encode_passages(self, texts):
        with open(self.folder / "log", "a") as log:
            log.write(f"{os.getpid()} {zlib.crc32(''.join(texts).encode())}\\n")
        ends = self.folder / "ends"
        if ends.exists() and sum(1 for _ in self.folder.glob("ended-*")) < int(ends.read_text()):
            (self.folder / f"ended-{os.getpid()}").touch()
            os.kill(os.getpid(), 9)
        if (self.folder / "fails").exists():
            raise RuntimeError("no weights")
        return np.array([np.random.default_rng(zlib.crc32(text.encode())).random(8) for text in texts], np.float32)
'''


@pytest.fixture(scope="module")
def collection():
    """The built-in collection in three languages."""
    return read_collection(load("demo"), languages=["de", "en", "th"], data_dir=None, cache_dir=None)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file of the made model."""
    monkeypatch.setattr(shards, "_SHARD_TEXTS", 20)
    path = tmp_path / "made.py"
    path.write_text(MODEL)
    return path


@pytest.fixture
def model(file):
    """The model in the file, which writes beside it."""
    return models.load(f"{file}:Made", arguments={"folder": str(file.parent)})


def stored(folder) -> dict[str, str]:
    """The files of a store with their checksums."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(folder).rglob("*.npy"))
    }


def logged(file) -> list[tuple[str, ...]]:
    """The process and the texts of each call of the made model."""
    return [tuple(line.split()) for line in (file.parent / "log").read_text().splitlines()]


class StoppedError(Exception):
    """What stands for Ctrl-C."""


@contextmanager
def stops(doing, /, **_):
    """A progress that stops the work when three shards are done."""
    done = count(1)

    def advance(**_):
        if next(done) == 3:
            raise StoppedError

    yield advance


def test_workers_on_two_machines_store_the_bytes_of_one_process(collection, file, model, tmp_path):
    """One process began, and a worker is killed: what is there is not encoded again, but for the shard at hand."""
    from ray.cluster_utils import Cluster

    score_collection(collection, model, cache_dir=tmp_path / "one")
    alone = {texts for _, texts in logged(file)}
    (file.parent / "log").unlink()
    with pytest.raises(StoppedError):
        score_collection(collection, model, cache_dir=tmp_path / "two", progress=stops)
    kept = stored(tmp_path / "two")
    (file.parent / "ends").write_text("1")
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80_000_000}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        encode_missing(collection, model, Workers(address=cluster.address), cache_dir=tmp_path / "two")
    finally:
        cluster.shutdown()
    assert 2 < len(kept) < len(alone)
    assert stored(tmp_path / "two") == stored(tmp_path / "one")
    calls = logged(file)
    assert {texts for _, texts in calls} == alone
    assert len(calls) == len(alone) + 1
    assert len({process for process, _ in calls}) >= 3
    scores = score_collection(collection, model, cache_dir=tmp_path / "two")
    assert scores.passages.n_stored == len(scores.passages.vectors)
    assert not list((tmp_path / "two").rglob("witness-*"))


@pytest.mark.parametrize(
    ("n", "resources", "n_machines", "sizes"),
    [
        (None, {"CPU": 16.0}, 2, (2, 8)),
        (None, {"CPU": 64.0, "GPU": 8.0}, 2, (8, 8)),
        (4, {"CPU": 64.0, "GPU": 8.0}, 2, (4, 16)),
    ],
)
def test_a_cluster_has_a_worker_a_gpu_or_a_machine(n, resources, n_machines, sizes):
    """Unless a number is given; its processors are shared out."""
    assert ray_cluster._sizes(Workers(n, "auto"), resources, n_machines) == sizes


def test_more_workers_than_a_cluster_has_processors_are_refused():
    """They would wait without a word."""
    with pytest.raises(UsageError, match="9 workers are asked for, and the Ray cluster at auto has 2 CPUs"):
        ray_cluster._sizes(Workers(9, "auto"), {"CPU": 2.0}, 2)


def test_workers_of_this_machine_give_the_result_of_one_process(tmp_path):
    """Through the door: the same values, and Ray is gone in the end."""
    given = {"languages": ["de", "en"], "settings": "mono", "quiet": True}
    one = xlbench.evaluate("hash", "demo", cache=tmp_path / "one", **given)
    two = xlbench.evaluate("hash", "demo", cache=tmp_path / "two", workers=1, **given)
    assert two.values == one.values
    assert two.intervals == one.intervals
    assert two.timing["encoded_share"] == 1
    assert stored(tmp_path / "one") == stored(tmp_path / "two")
    assert not ray.is_initialized()


def setup_of(collection, model, folder, **changes):
    """What a worker of this model is told, and the stores."""
    key = {"name": model.encoder.name, **model.key()}
    stores = {role: VectorStore.open(folder, role, key) for role in ("queries", "passages")}
    for store in stores.values():
        (store.folder / "witness").touch()
    return replace(
        workers._Setup(
            model=model.named,
            device=None,
            arguments=dict(model.given),
            stored_as="float32",
            key=json.dumps(key, sort_keys=True, default=str),
            folders={role: str(store.folder) for role, store in stores.items()},
            witness="witness",
            directory=str(folder),
            n_threads=1,
        ),
        **changes,
    )


def test_a_worker_with_another_model_is_refused(collection, file, model, tmp_path, monkeypatch):
    """A file that was changed since the driver loaded it would give vectors under a wrong key."""
    monkeypatch.chdir(tmp_path)
    setup = setup_of(collection, model, tmp_path)
    file.write_text(MODEL.replace('revision = "1"', 'revision = "2"'))
    with pytest.raises(EncoderError, match=r"would give other vectors than this process: its model is .*2\+"):
        workers._Worker(setup).encode("queries", ["a"], ["de:1"])
    assert stored(tmp_path) == {}


def test_a_worker_that_does_not_see_the_store_is_refused(collection, model, tmp_path):
    """Its vectors would be on a disk of its own."""
    setup = setup_of(collection, model, tmp_path, witness="another")
    with pytest.raises(EncoderError, match=r"does not see what this process writes into .*: expected a --cache-dir on"):
        workers._Worker(setup).encode("queries", ["a"], ["de:1"])


def test_a_model_that_fails_in_a_worker_is_one_sentence(collection, file, model, tmp_path, monkeypatch):
    """As in one process."""
    monkeypatch.chdir(tmp_path)
    (file.parent / "fails").touch()
    with pytest.raises(EncoderError, match="The encoder failed on 1 texts: RuntimeError: no weights"):
        workers._Worker(setup_of(collection, model, tmp_path)).encode("queries", ["a"], ["de:1"])


def test_a_shard_that_ends_every_worker_is_given_up():
    """It is tried with three, since a machine may go for reasons of its own."""
    shard = workers._Shard("queries", ["a", "b"], ["de:1", "de:2"])
    for n_ended in (1, 2):
        shard = workers._after_end(shard, RuntimeError("gone"))
        assert shard.n_ended == n_ended
    with pytest.raises(EncoderError, match=r"3 workers ended while they encoded 2 texts such as 'de:1': gone Is there"):
        workers._after_end(shard, RuntimeError("gone"))


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("bm25", {"workers": 2}, "bm25 cannot be given to workers: expected a folder, a Hub id"),
        (lambda texts: [[1.0]] * len(texts), {"workers": 2}, "cannot be given to workers"),
        ("hash", {"ray": "127.0.0.1:9"}, r"No Ray cluster answers at 127.0.0.1:9 \(.*\): expected the address that"),
        ("hash", {"workers": 2, "cache": None}, "Workers leave vectors in the cache for each other"),
        ("hash", {"workers": 0}, "workers is 0; expected 1 at least"),
    ],
)
def test_what_workers_cannot_do_is_said_at_once(tmp_path, model, options, message):
    """A model that is no file of its own, and an address where no cluster is."""
    given = {"languages": ["de", "en"], "cache": tmp_path, "quiet": True, **options}
    with pytest.raises(UsageError, match=message):
        xlbench.evaluate(model, "demo", **given)
