"""How long `xlbench leaderboard build` takes for many submissions that are checked already, in how much memory.

The models are synthetic, with the questions and languages of XQuAD-R and, for half of the submissions, of MLQA-R; what
is taken of each submission is taken in a pool of processes. With Chromium, the time to the first view is measured too.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import common
import numpy as np

from xlbench.leaderboard.manifest import Manifest
from xlbench.leaderboard.site import build, taken
from xlbench.leaderboard.site.serve import server
from xlbench.measures.values import QueryValues, summarise
from xlbench.results import Result
from xlbench.settings import KINDS, settings

N_PASSAGES = 13_014
LANGUAGES = {
    "xquad-r": ("ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"),
    "mlqa-r": ("ar", "de", "en", "es", "hi", "vi", "zh"),
}
N_QUESTIONS = {"xquad-r": 1190, "mlqa-r": 512}
OTHERS = ("AP@20", "R@1", "R@10", "R@100", "nDCG@10", "RR@10")
BIAS = ("MaxRankNorm", "LPR", "OneTargetBias", "Share@10", "AWRF@10", "IrrelevantLoss", "ParallelLoss")


@dataclass(frozen=True)
class Job:
    """A submission to be made."""

    number: int
    task: str


def synthetic(job: Job) -> Result:
    """A result in which a model's skill shifts all of its ranks; intervals are as wide as those of real models."""
    # Questions have their own difficulty, the same for all models.
    rng, shared = np.random.default_rng([job.number, len(job.task)]), np.random.default_rng(0)
    n_questions, languages = N_QUESTIONS[job.task], LANGUAGES[job.task]
    difficulty, skill = shared.normal(0, 1.5, n_questions), rng.normal(1.5, 1.0)
    questions = [f"q{i}" for i in range(n_questions)]
    per_query = []
    for setting in settings(KINDS, languages):
        easier = {"mono": 1.0, "cross": 0.0, "multi": -1.0}[setting.kind]
        rank = np.ceil(np.exp(difficulty - skill - easier + rng.normal(1, 1, n_questions))).clip(1, N_PASSAGES)
        values = {"AP": 1 / rank if setting.kind != "multi" else 1 / (rank + rng.random(n_questions))}
        if setting.kind == "multi":
            values["RankDistance"] = np.minimum(10 * rank, N_PASSAGES - 1.0)
        per_query.append(QueryValues(setting, tuple(f"{setting.query}:{q}" for q in questions), values))
    scores = {scores.setting: scores.means() for scores in per_query}
    for setting, means in scores.items():
        means |= dict.fromkeys(OTHERS, means["AP"]) | (dict.fromkeys(BIAS, 0.5) if setting.kind == "multi" else {})
    summary = summarise(scores)
    matrix = {a: {b: scores[f"{a}>{b}"]["AP"] for b in languages} for a in languages}
    return Result(
        schema=1,
        task=job.task,
        task_version=1,
        headline="AP",
        missing_languages=[],
        model={
            "name": f"lab-{job.number % 37}/model-{job.number:04}",
            "revision": "1",
            "adapter": "x",
            "arguments": {},
        },
        values=scores,
        queries=dict.fromkeys(scores, n_questions),
        summary=summary,
        intervals={
            name: {measure: [0.98 * value, 1.02 * value] for measure, value in means.items()}
            for name, means in {**scores, **summary}.items()
        },
        references={measure: {"perfect": 0.0, "random": 1.0} for measure in ("RankDistance", *BIAS)},
        matrices={"first_language": matrix, "one_target": matrix},
        alignment={},
        environment={"command": "xlbench run"},
        timing={"encode_s": 100.0},
        per_query=tuple(per_query),
    )


def submitted(job: Job) -> SimpleNamespace:
    """What a process that checks hands back for a submission."""
    result = synthetic(job)
    manifest = Manifest(
        schema=1, model=result.model["name"], revision="1", link="https://example.org/", task=job.task, task_version=1,
        licence=("MIT", "Apache-2.0", "CC BY-NC 4.0")[job.number % 3], parameters=10_000_000 * (1 + job.number % 400),
        dimensions=384, languages=("de", "en"), training_data="none", trained_on_evaluation_data="no",
        submitter="benchmark", xlbench_version="0", data_checksums={}, command="xlbench run", hardware="2 CPUs",
    )  # fmt: skip
    judged = SimpleNamespace(query_ids=range(N_QUESTIONS[job.task]), n_passages=np.array([N_PASSAGES]))
    folder = Path(f"model-{job.number:04}") / job.task
    submission = SimpleNamespace(
        folder=folder, manifest=manifest, result=result, ranking=SimpleNamespace(judged=judged)
    )
    return SimpleNamespace(folder=folder, level="verified", problems=(), extracted=taken(submission))


def checked(n_submissions: int, tally: list[float]) -> Iterator[SimpleNamespace]:
    """Submissions from a pool of as many processes as there are CPUs; the time of each is added to the tally."""
    jobs = [
        Job(i // 2, task) for i, task in zip(range(n_submissions), ["mlqa-r", "xquad-r"] * n_submissions, strict=False)
    ]
    with get_context("spawn").Pool() as pool:
        yield from pool.imap(submitted, jobs, chunksize=4)
    tally.append(time.perf_counter())


def first_view(folder: Path, runs: int) -> float | None:
    """The median of milliseconds from the request of the first page until its table is drawn; None without Chromium."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with server(folder, port=0) as listening, sync_playwright() as playwright:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        times = []
        for _ in range(runs):
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{listening.server_port}/")
            page.wait_for_function(
                "document.querySelector('.board tbody .name') && performance.getEntriesByName('drawn').length"
            )
            times.append(page.evaluate("performance.getEntriesByName('drawn')[0].startTime"))
            page.close()
        browser.close()
        listening.shutdown()
    return float(np.median(times))


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--submissions", type=int, default=1000, help="half of them on each task")
    parser.add_argument("--keep", type=Path, help="folder for the site, which is else deleted")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, tally = options.keep or Path(temporary) / "site", [time.perf_counter()]
        build(checked(options.submissions, tally), folder)
        tally.append(time.perf_counter())
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        view = first_view(folder, options.runs)
        taking, rest = (after - before for before, after in pairwise(tally))
        rows = [
            ["taking from submissions and writing, s", f"{taking:.0f}"],
            ["ranks and overview, s", f"{rest:.1f}"],
            ["peak memory of the main process, MB", f"{peaks[0]:,.0f}"],
            ["peak memory of the largest other one, MB", f"{peaks[1]:,.0f}"],
            ["first page, MB", f"{(folder / 'index.html').stat().st_size / 1e6:.2f}"],
            ["whole site, MB", f"{sum(sizes) / 1e6:,.0f}"],
            ["first view, ms", "no Chromium" if view is None else f"{view:.0f}"],
        ]
        common.show(
            f"{options.submissions:,} submissions",
            ["", ""],
            rows,
            libraries=["xlbench", "numpy", "jinja2", "matplotlib"],
        )


if __name__ == "__main__":
    sys.exit(main())
