"""The part of ``xlbench leaderboard check`` that has a model give its ranks again."""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench import __version__
from xlbench.changes import debiasing_of
from xlbench.cli.options import model_arguments, reach_hub
from xlbench.errors import SubmissionError
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.leaderboard.bounds import Agreement
    from xlbench.leaderboard.deep import DeepCheck
    from xlbench.leaderboard.deep_records import DeepRecord
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.submission import Submission
    from xlbench.models.protocols import Model, StoredAs

_SEEDS = 2**32


@dataclass(frozen=True)
class Again:
    """A model, and how its ranks are compared with those of submissions."""

    model: Model
    fit_on: Path | None
    tolerance: float | None
    sample: int
    seed: int

    def compare(self, folder: Path, options: Options, *, quiet: bool) -> Agreeing | None:
        """What is put on record of a sound submission, if the model gives its ranks; says what was found."""
        from xlbench.leaderboard.deep import DeepSubject, deep_check, draw

        submission = _whole(folder, options)
        result = submission.result
        _refuse_other_arguments(self.model, result.model["arguments"], folder)
        stored_as: StoredAs = "float16" if result.model.get("stored_as") == "float16" else "float32"
        debiasing = debiasing_of(result, self.fit_on, folder)
        subject = DeepSubject(replace(self.model, stored_as=stored_as, debiasing=debiasing), self.tolerance)
        n_queries = len(submission.ranking.judged.query_ids)
        if options.cache_dir is None:
            raise ValueError("there is no folder for vectors")
        checked = deep_check(
            submission,
            subject,
            rows=draw(n_queries, sample=self.sample, seed=self.seed),
            data_dir=options.data_dir,
            cache_dir=options.cache_dir,
            progress=display(result.task, quiet=quiet),
        )
        click.echo(f"{folder}: {_in_words(checked, n_queries, self.seed)}")
        if checked.problems:
            return None
        return Agreeing(submission, self.seed, checked.agreement)


@dataclass(frozen=True)
class Agreeing:
    """A submission whose ranks the model gives."""

    submission: Submission
    seed: int
    agreement: Agreement

    def record(self) -> DeepRecord:
        """What is put on record."""
        from xlbench.leaderboard.deep_records import DeepRecord

        manifest = self.submission.manifest
        return DeepRecord(
            model=manifest.model,
            task=manifest.task,
            sample=self.agreement.n_queries,
            seed=self.seed,
            tolerance=self.agreement.tolerance,
            slack=round(self.agreement.slack, 4),
            xlbench_version=__version__,
        )


def load_model(name: str, arguments: Sequence[str], device: str | None) -> Model:
    """The model of this name with the arguments that the user gave: those of a submission could have it run code."""
    from xlbench import models

    reach_hub(name)
    return models.load(name, device=device, arguments=model_arguments(arguments))


def drawn_seed() -> int:
    """A seed that nobody knew when a submission was made: who does can have just its queries right."""
    return secrets.randbelow(_SEEDS)


def record_all(agreeing: Sequence[Agreeing], path: Path) -> None:
    """Adds submissions to the maintainers' records."""
    from xlbench.leaderboard.deep_records import load_records, save_records

    save_records({**load_records(path), **{each.submission.digest: each.record() for each in agreeing}}, path)
    click.echo(f"{len(agreeing)} added to {path}")


def _whole(folder: Path, options: Options) -> Submission:
    checked = options.checker().check(folder, _itself)
    if checked.extracted is None:
        raise SubmissionError(f"{folder}: {' '.join(checked.problems)}")
    return checked.extracted


def _itself(submission: Submission) -> Submission:
    return submission


def _refuse_other_arguments(model: Model, said: Mapping[str, Any], folder: Path) -> None:
    if dict(model.arguments) != dict(said):
        words = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in said.items()]
        given = f"--model-arg {shlex.join(words)}" if words else "no --model-arg"
        raise SubmissionError(
            f"{folder} was made with other arguments of the model. Nothing of a submission is passed on: if they are "
            f"harmless, give {given}"
        )


def _in_words(checked: DeepCheck, n_queries: int, seed: int) -> str:
    agreed = checked.agreement
    sample = f"{agreed.n_queries:,} of {n_queries:,} queries (seed {seed})"
    if checked.problems:
        return f"{sample} do not have the ranks that the model gives. {' '.join(checked.problems)}"
    return (
        f"{sample} have the ranks that the model gives. Scores may differ by {agreed.tolerance:.1e} of their spread, "
        f"with which a count could be off by {agreed.slack:.2f} passages in the mean. Had "
        f"{100 * checked.detectable:.1f} % of the queries other ranks, this would have been found with 95 % certainty."
    )
