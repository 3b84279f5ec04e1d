"""Small tasks, models in files, and the command itself: within this process, and as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from xlbench.cli import main

LANGUAGES = ("de", "en", "th")

# Lets a test say at which call the encoder hangs, and see in a file which calls were made.
MODELS = """
import os, time
import numpy as np

def count(texts, dimensions=3):
    codes = [sum(text.encode()) for text in texts]
    return np.array([[code >> shift & 3 for shift in range(dimensions)] for code in codes], np.float32)

class Counting:
    name = "owner/counting"
    revision = "1"

    def encode_queries(self, texts):
        return self.encode("queries", texts)

    def encode_passages(self, texts):
        return self.encode("passages", texts)

    def encode(self, role, texts):
        log = os.environ.get("CALLS")
        if log:
            with open(log, "a") as file:
                file.write(f"{role} {len(texts)}\\n")
            with open(log) as file:
                hangs = len(file.readlines()) == int(os.environ.get("HANG_AT", 0))
            if hangs:
                open(f"{log}.hangs", "w").close()
                time.sleep(60)
        time.sleep(float(os.environ.get("SLEEP", 0)))
        return count(texts)

class Sparse(Counting):
    name = "owner/sparse"
    representation = "sparse"

    def encode(self, role, texts):
        from scipy.sparse import csr_array
        return csr_array(super().encode(role, texts))

class Late(Counting):
    name = "owner/late"
    representation = "late"

    def encode(self, role, texts):
        from xlbench.arrays import TokenVectors
        super().encode(role, texts)
        words = [text.split() for text in texts]
        starts = np.cumsum([0, *map(len, words)])
        return TokenVectors(count([word for some in words for word in some]), starts)

class Several(Counting):
    name = "owner/several"
    representation = ("dense", "sparse", "late")

    def encode(self, role, texts):
        from scipy.sparse import csr_array
        from xlbench.arrays import TokenVectors
        vectors = super().encode(role, texts)
        starts = np.arange(len(texts) + 1)
        return {"dense": vectors, "sparse": csr_array(vectors), "late": TokenVectors(vectors, starts)}

class Judging(Counting):
    name = "owner/judging"

    def score_pairs(self, queries, passages):
        vectors = super().encode("pairs", queries)
        return (vectors * count(passages)).sum(axis=1)

class Faulty:
    name = "faulty"
    revision = "1"

    def __init__(self, fault, level=0):
        self.fault = fault

    def encode_queries(self, texts):
        return count(texts)

    def encode_passages(self, texts):
        vectors = count(texts)
        if self.fault == "nan":
            vectors[2, 1] = np.nan
        if self.fault == "rows":
            return vectors[:-1]
        if self.fault == "dimension" and texts[0].startswith("th"):
            return vectors[:, :-1]
        if self.fault == "flat":
            return vectors[0]
        if self.fault == "none":
            return None
        return vectors

class Unnamed:
    revision = "1"
    encode_queries = encode_passages = count
"""


def write_task(
    folder: Path, *, name: str = "tiny", lines: int = 6, languages: tuple[str, ...] = LANGUAGES, **changes: object
) -> Path:
    """A task file with parallel text beside it; ``changes`` replace its keys."""
    records = [
        {
            "id": str(i),
            # The last query is not asked in the last language: settings differ in their number of queries.
            "queries": {code: f"{code} what is {i}?" for code in (languages[:-1] if i == lines - 1 else languages)},
            "passages": {code: f"{code} the value {i * i} of {i}." for code in languages},
        }
        for i in range(lines)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{name}.jsonl"
    data.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    sha256 = hashlib.sha256(data.read_bytes()).hexdigest()
    task: dict[str, object] = {
        "name": name,
        "title": "A few lines in three languages",
        "version": 1,
        "reader": "parallel",
        "text": "passage",
        "source": {"url": None, "path": data.name, "sha256": dict.fromkeys(languages, sha256)},
        "sizes": {code: {"queries": lines - (code == languages[-1]), "passages": lines} for code in languages},
        "languages": list(languages),
        "settings": ["mono", "cross", "multi"],
        "measures": ["AP", "AP@20", "R@1", "R@10", "nDCG@10", "RR@10", "RankDistance"],
        "headline": "AP",
        "licence": "CC0-1.0",
        "citation": "None.",
    }
    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(task | changes, sort_keys=False), encoding="utf-8")
    return file


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a command: an empty one but for models.py, with the cache in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XLBENCH_DATA", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")  # Set by a command that cannot reach the Hub; this takes it back.
    monkeypatch.setenv("XLBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "models.py").write_text(MODELS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def task(folder: Path) -> str:
    """A task file of three languages, below the current folder."""
    return str(write_task(folder / "task").relative_to(folder))


@pytest.fixture
def xlbench(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs ``xlbench`` within this process; an exception that the command lets through fails the test."""

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["xlbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return Outcome(int(exit_.value.code or 0), captured.out, captured.err)

    return run


def start(folder: Path, *arguments: object, setup: str = "", **environment: str) -> subprocess.Popen[str]:
    """Starts ``xlbench`` as a process of its own; ``setup`` is Python that the process runs first."""
    # A test run in the background of a shell ignores Ctrl-C, and its children would too.
    code = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += f"{setup}\nrunpy.run_module('xlbench', run_name='__main__', alter_sys=True)"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen[str]) -> Outcome:
    """What a started command did, once it has ended."""
    try:
        out, err = process.communicate(timeout=180)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    return Outcome(process.returncode, out, err)


def wait_until(condition: Callable[[], bool], *, seconds: float = 180) -> None:
    """Returns as soon as the condition holds; fails after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def calls(log: Path) -> list[str]:
    """The calls of the encoder ``Counting`` that a log has."""
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def without_timing(path: Path) -> dict[str, object]:
    """A result file without the part that differs between two equal runs."""
    record: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    del record["timing"]
    return record
