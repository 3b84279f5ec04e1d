"""Submissions of made-up models with real rankings."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from xlbench.collection import Clusters
from xlbench.leaderboard.manifest import Manifest
from xlbench.leaderboard.site import Taken, taken
from xlbench.measures.ranks import Judged, Ranking
from xlbench.results import SCHEMA, Result
from xlbench.results.from_ranking import figures
from xlbench.settings import KINDS, settings

LANGUAGES = ("ar", "de", "en", "th")
MEASURES = ("AP", "R@1", "RankDistance", "LPR", "OneTargetBias")
N_PASSAGES = 25


@dataclass(frozen=True)
class Made:
    """What the board and the site read of a ``Submission``."""

    folder: Path
    manifest: Manifest
    result: Result
    ranking: Ranking


@dataclass(frozen=True)
class Sound:
    """A submission that was found sound, as ``checks.check_all`` yields it."""

    folder: Path
    level: str
    extracted: Taken | None
    problems: tuple[str, ...] = ()
    digest: str = ""


def ranking(skill: float, *, own: float = 1.0, seed: int = 0, n_questions: int = 40, ragged: bool = False) -> Ranking:
    """The ranking of a model with so much skill, which prefers passages in the language of the query by ``own``.

    Question i is about passage i of each language; with ``ragged``, every third question is not asked in ``th``.
    """
    rng = np.random.default_rng([seed, round(100 * skill)])
    n = len(LANGUAGES)
    asked = [(a, i) for a in range(n) for i in range(n_questions) if not (ragged and a == 3 and i % 3 == 0)]
    pairs = [(row, a, i, b) for row, (a, i) in enumerate(asked) for b in range(n) if (b, i) in set(asked)]
    score = rng.normal(size=(len(asked), n, n_questions + N_PASSAGES))
    for row, (a, i) in enumerate(asked):
        score[row, :, i] += skill
        score[row, a] += own
    above = [[(score[row, c] > score[row, b, i]).sum() for c in range(n)] for row, _, i, b in pairs]
    return Ranking(
        judged=Judged(
            languages=LANGUAGES,
            query_ids=[f"{LANGUAGES[a]}:q{i:03}" for a, i in asked],
            query_language=np.array([a for a, _ in asked], np.int16),
            query=np.array([row for row, *_ in pairs], np.int32),
            passage_ids=[f"{LANGUAGES[b]}:p{i}" for _, _, i, b in pairs],
            passage_language=np.array([b for *_, b in pairs], np.int16),
            gain=np.ones(len(pairs), np.int16),
            n_passages=np.full(n, n_questions + N_PASSAGES, np.int64),
            clusters=Clusters("question", tuple(f"q{i:03}" for _, i in asked)),
        ),
        above=np.array(above, np.int32),
        top=np.empty((len(asked), 0), np.int16),
    )


def result(ranked: Ranking, name: str, *, task: str = "made") -> Result:
    """The result of a ranking."""
    found = figures(ranked, settings(KINDS, LANGUAGES), MEASURES)
    return Result(
        schema=SCHEMA,
        task=task,
        task_version=1,
        headline="AP",
        missing_languages=[],
        unit="question",
        n_clusters=40,
        data={"queries": "1", "passages": "2", "judgements": "3"},
        model={"name": name, "revision": "r1", "adapter": "made", "arguments": {}},
        alignment={},
        environment={"command": f"xlbench run --model {name} --task {task}", "dimensions": 8},
        timing={"encode_s": 2.5, "encoded_share": 1.0},
        **vars(found),
    )


def manifest(of: Result, **changes: Any) -> Manifest:
    """The manifest of a result."""
    made = Manifest(
        schema=SCHEMA,
        model=of.model["name"],
        revision=of.model["revision"],
        link="https://example.org/model",
        licence="MIT",
        parameters=118_000_000,
        dimensions=8,
        languages=("de", "en"),
        training_data="none",
        trained_on_evaluation_data="no",
        submitter="somebody",
        xlbench_version="0",
        task=of.task,
        task_version=of.task_version,
        data_checksums={"de": "0" * 64},
        command=of.environment["command"],
        hardware="a machine",
    )
    return replace(made, **changes)


def submission(name: str, skill: float, *, key: str = "", task: str = "made", ragged: bool = False, own: float = 1.0,
               **declared: Any) -> Made:  # fmt: skip
    """The submission of a model."""
    ranked = ranking(skill, ragged=ragged, own=own)
    of = result(ranked, name, task=task)
    return Made(Path(key or name) / task, manifest(of, **declared), of, ranked)


def sound(found: Made, level: str = "verified") -> Sound:
    """A submission as one that was checked."""
    return Sound(found.folder, level, taken(found))


@functools.cache
def several() -> tuple[Made, ...]:
    """Models on two tasks: of one two lie close together, and the questions of the other differ by language."""
    return (
        submission("alpha", 3.0, licence="Apache-2.0", parameters=2_000_000_000),
        submission("alpha", 3.0, task="uneven", ragged=True),
        submission("beta", 2.95, own=0.0),
        submission("beta", 2.0, task="uneven", ragged=True),
        submission("gamma", 1.0, parameters=None, submitter="the <b>lab</b>", trained_on_evaluation_data="yes"),
        submission("omega", 0.2, parameters=30_000_000),
    )


@functools.cache
def checked() -> tuple[Sound, ...]:
    """The same as they come from the checks; the last one has no evidence that was checked."""
    levels = ["verified", "verified", "deep-verified", "deep-verified", "verified", "reported"]
    return tuple(sound(each, level) for each, level in zip(several(), levels, strict=True))


def column(page: Any, name: str) -> list[str]:
    """The texts of a column of the board, without small print: by its class, ``rank``, ``name`` or ``c0`` to ``c4``."""
    found: list[str] = page.eval_on_selector_all(
        f".board tbody .{name}",
        "cells => cells.map(cell => { const copy = cell.cloneNode(true);"
        " copy.querySelectorAll('small').forEach(each => each.remove()); return copy.textContent.trim(); })",
    )
    return found
