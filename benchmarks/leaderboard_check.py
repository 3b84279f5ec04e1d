"""How long `xlbench leaderboard check` takes for hundreds of submissions of one task, and how much memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

ANSWERS = {
    "link": "https://example.org/model",
    "licence": "Apache-2.0",
    "parameters": None,
    "languages": [],
    "training_data": "none",
    "trained_on_evaluation_data": "no",
    "submitter": "benchmark",
}


def xlbench(*arguments: object) -> None:
    subprocess.run([sys.executable, "-m", "xlbench", *map(str, arguments)], check=True)


def peak_bytes(process: subprocess.Popen[bytes]) -> int:
    """The most memory that a process and those it started had at one time, pages that they share counted once."""
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(_bytes, _tree(process.pid))))
        time.sleep(0.2)
    return most


def _tree(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(inner for child in children for inner in _tree(int(child)))]


def _bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # It has ended.
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def made(root: Path, n: int, *, task: str, data_dir: Path) -> Path:
    """The folder of submissions of ``hash`` under as many names; the evidence of all is one file on the disk."""
    results, submissions, answers = root / "results", root / "submissions", root / "answers.json"
    answers.write_text(json.dumps(ANSWERS), encoding="utf-8")
    places = ("--data-dir", data_dir, "--cache-dir", root / "cache")
    xlbench("run", "--model", "hash", "--task", task, "--output", results, *places, "--quiet")
    xlbench("submit", results / "hash" / f"{task}.json", "--manifest", answers, "--output", submissions, *places)
    first = submissions / "hash" / task
    manifest, result = (json.loads((first / name).read_text()) for name in ("manifest.json", "result.json"))
    for i in range(1, n):
        name = f"hash{i:04}"
        folder = submissions / name / task
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(manifest | {"model": name}))
        (folder / "result.json").write_text(json.dumps(result | {"model": result["model"] | {"name": name}}))
        os.link(first / "ranks.parquet", folder / "ranks.parquet")
    return submissions


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--task", default="xquad-r")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4))
    options = parser.parse_args()
    n, jobs = options.submissions, options.jobs
    with tempfile.TemporaryDirectory() as folder:
        submissions = made(Path(folder), n, task=options.task, data_dir=Path(options.data_dir))
        start = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ("leaderboard", "check", submissions, "--jobs", jobs, "--output", Path(folder) / "found")
        process = subprocess.Popen([sys.executable, "-m", "xlbench", *map(str, command)])
        memory = []
        seconds = common.seconds(lambda: memory.append(peak_bytes(process)))
        if process.returncode:
            sys.exit("The check has failed.")
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (end.ru_utime + end.ru_stime) - (start.ru_utime + start.ru_stime)
    rows = [
        ["submissions, all sound", f"{n:,}"],
        ["seconds", f"{seconds:,.0f}"],
        ["seconds of a CPU, a submission", f"{used / n:.2f}"],
        [f"seconds by that, with {jobs} CPUs that do nothing else", f"{used / jobs:,.0f}"],
        [f"MB, {jobs} processes that check and one that waits", f"{memory[0] / 1e6:,.0f}"],
    ]
    common.show(f"leaderboard check, {options.task}", ["", ""], rows, libraries=["xlbench", "numpy", "pyarrow"])


if __name__ == "__main__":
    main()
