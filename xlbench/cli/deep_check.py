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
    from xlbench.cli.deep_options import DeepOptions
    from xlbench.leaderboard.deep import DeepCheck
    from xlbench.leaderboard.deep_records import DeepRecord
    from xlbench.leaderboard.deep_sample import DeepSample
    from xlbench.leaderboard.pool import Options
    from xlbench.leaderboard.submission import Submission
    from xlbench.models.protocols import Model, StoredAs


@dataclass(frozen=True)
class Again:
    """A model, and how its ranks are compared with those of submissions."""

    model: Model
    options: DeepOptions

    def compare(self, folder: Path, checks: Options, *, quiet: bool) -> Compared:
        """What the model's ranks say of a sound submission."""
        from xlbench.leaderboard.deep import DeepSubject, deep_check

        submission = _whole(folder, checks)
        result = submission.result
        _refuse_other_arguments(self.model, result.model["arguments"], folder)
        stored_as: StoredAs = "float16" if result.model.get("stored_as") == "float16" else "float32"
        debiasing = debiasing_of(result, self.options["fit_on"], folder)
        subject = DeepSubject(replace(self.model, stored_as=stored_as, debiasing=debiasing), self.options["tolerance"])
        if checks.cache_dir is None:
            raise ValueError("there is no folder for vectors")
        sample = self._sample(submission.digest)
        checked = deep_check(
            submission,
            subject,
            sample=sample,
            data_dir=checks.data_dir,
            cache_dir=checks.cache_dir,
            progress=display(result.task, quiet=quiet),
        )
        return Compared(submission, sample, checked, self.options["commit"] or "")

    def _sample(self, digest: str) -> DeepSample:
        from xlbench.leaderboard.deep_sample import SEEDS, DeepSample, seed_of

        seed, commit = self.options["seed"], self.options["commit"]
        if commit is not None:
            seed = seed_of(digest, commit)
        elif seed is None:
            # Nobody knew it when the submission was made: who does can have just its queries right.
            seed = secrets.randbelow(SEEDS)
        return DeepSample(self.options["sample"], seed, self.options["passages"])


@dataclass(frozen=True)
class Compared:
    """A submission, and what the model's ranks say of it."""

    submission: Submission
    sample: DeepSample
    checked: DeepCheck
    commit: str

    @property
    def agrees(self) -> bool:
        """Whether the model gives its ranks."""
        return not self.checked.problems

    def record(self) -> DeepRecord:
        """What is put on record if it agrees."""
        from xlbench.leaderboard.deep_records import DeepRecord
        from xlbench.leaderboard.levels import level_of

        manifest, agreement = self.submission.manifest, self.checked.agreement
        return DeepRecord(
            model=manifest.model,
            task=manifest.task,
            sample=agreement.n_queries,
            seed=self.sample.seed,
            tolerance=agreement.tolerance,
            slack=round(agreement.slack, 4),
            xlbench_version=__version__,
            passages=self.sample.passages,
            level=level_of(self.sample.passages),
            commit=self.commit,
        )

    def __str__(self) -> str:
        checked, agreed = self.checked, self.checked.agreement
        n_queries = len(self.submission.ranking.judged.query_ids)
        seed = f"seed {self.sample.seed}" + (f" by commit {self.commit[:12]}" if self.commit else "")
        sample = f"{agreed.n_queries:,} of {n_queries:,} queries ({seed})"
        if not self.sample.is_whole:
            sample += f", looked at with {checked.n_passages:,} of {checked.of_passages:,} passages,"
        if checked.problems:
            return f"{sample} do not have the ranks that the model gives. {' '.join(checked.problems)}"
        then = "this would have been found" if self.sample.is_whole else "the sample would have had one"
        text = (
            f"{sample} have the ranks that the model gives. Scores may differ by {agreed.tolerance:.1e} of their "
            f"spread, with which a count could be off by {agreed.slack:.2f} passages in the mean. Had "
            f"{100 * checked.detectable:.1f} % of the queries other ranks, {then} with 95 % certainty."
        )
        if not self.sample.is_whole:
            text += " The languages of the best passages and the alignment were not compared."
        return text


def compare_all(folders: Sequence[Path], checks: Options, *, records: Path, options: DeepOptions, quiet: bool) -> bool:
    """Whether the model gives the ranks of all these sound submissions; says what was found, and keeps it as asked."""
    model = load_model(str(options["model_name"]), options["model_args"], options["device"])
    again = Again(model, options)
    compared = []
    for folder in folders:
        compared.append(again.compare(folder, checks, quiet=quiet))
        click.echo(f"{folder}: {compared[-1]}")
    if options["outcome"]:
        from xlbench.leaderboard.deep_records import Outcome, save_outcomes

        outcomes = [
            Outcome(each.submission.digest, each.agrees, each.checked.problems, each.record()) for each in compared
        ]
        save_outcomes(outcomes, options["outcome"])
    if options["record"]:
        _record([each for each in compared if each.agrees], records)
    return all(each.agrees for each in compared)


def load_model(name: str, arguments: Sequence[str], device: str | None) -> Model:
    """The model of this name with the arguments that the user gave: those of a submission could have it run code."""
    from xlbench import models

    reach_hub(name)
    return models.load(name, device=device, arguments=model_arguments(arguments))


def _record(agreeing: Sequence[Compared], path: Path) -> None:
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
