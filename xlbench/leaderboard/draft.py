"""Makes a submission of a result: its files, and the manifest from the result and what the submitter says."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbench import catalogue, results
from xlbench.errors import ResultError, SubmissionError, UnknownNameError, shown
from xlbench.leaderboard.checks import Checked, Checker
from xlbench.leaderboard.hostile_json import parse_json, read_file
from xlbench.leaderboard.manifest import ASKED, FIELDS, MANIFEST_SCHEMA, parse_manifest
from xlbench.leaderboard.submission import (
    EVIDENCE,
    MANIFEST,
    MODEL_KEYS,
    RESULT,
    data_checksums,
    folder_name,
    load,
    variant_fault,
)
from xlbench.results import Result
from xlbench.support.files import write_whole
from xlbench.support.secrets import private_part

_ANSWERS_BYTES = 1 << 16


@dataclass(frozen=True)
class Draft:
    """A result that is to be submitted."""

    path: Path
    result: Result
    evidence: bytes
    known: Mapping[str, Any]
    """The keys of the manifest that follow from the result."""

    @classmethod
    def of(cls, path: Path) -> Draft:
        """The draft of a result's JSON file.

        Raises:
            ResultError: if it or the evidence beside it cannot be read.
            SubmissionError: if it is of a task that does not come with xlbench, or of a part of its settings, or if it
                has what should not be public.

        """
        result = results.load(path)
        beside = results.evidence_path(path)
        if not beside.is_file():
            raise ResultError(
                f"{beside} is missing, the evidence of {path.name}: an older xlbench wrote the result. "
                "`xlbench run --force` writes both."
            )
        if result.task not in catalogue.names():
            raise SubmissionError(
                f"{path} is of {shown(result.task)}; the leaderboard takes {', '.join(catalogue.names())}."
            )
        if part := private_part({"model": result.model, "environment": result.environment}):
            raise SubmissionError(
                f"{path}: {part!r} looks like a secret, or has a path below somebody's home, and a submission is "
                "public. Run again without it."
            )
        if more := sorted(result.model.keys() - MODEL_KEYS):
            raise SubmissionError(
                f"{path} is of a model with {' and '.join(more)}; the leaderboard takes a model's own lists, debiased "
                "or not. Run again without."
            )
        task = catalogue.load(result.task)
        languages = [language for language in task.languages if language not in result.missing_languages]
        environment = result.environment
        known = {
            "schema": MANIFEST_SCHEMA,
            "model": result.model["name"],
            "revision": result.model["revision"],
            "dimensions": environment.get("dimensions"),
            "xlbench_version": environment.get("xlbench"),
            "task": result.task,
            "task_version": result.task_version,
            "data_checksums": data_checksums(task, languages),
            "command": environment.get("command"),
        }
        return cls(path, result, beside.read_bytes(), known)

    @property
    def hardware(self) -> str:
        """What the result says of the machine, unless the submitter says more."""
        environment = self.result.environment
        encoder = environment.get("encoder")
        device = encoder.get("device") if isinstance(encoder, Mapping) else None
        cpus = environment.get("cpus")
        parts = [environment.get("platform"), f"{cpus} CPUs" if cpus else None, device if device != "cpu" else None]
        return ", ".join(str(part) for part in parts if part) or "unknown"


def read_answers(path: Path) -> dict[str, Any]:
    """What a file in the form of a manifest says; keys with an empty text say nothing.

    Raises:
        SubmissionError: if it is no such file.

    """
    record = parse_json(read_file(path.resolve(), limit=_ANSWERS_BYTES), str(path))
    if not isinstance(record, dict):
        raise SubmissionError(f"{path} is {shown(record)}; expected the keys {', '.join(ASKED)}.")
    for name in record:
        if name not in FIELDS:
            raise SubmissionError(f"{path}: {UnknownNameError('key', name, list(FIELDS))}")
    answers = {name: value for name, value in record.items() if value != ""}
    for name, value in answers.items():
        if fault := FIELDS[name].fault(value):
            raise SubmissionError(f"{path}: {name!r} {fault}.")
    return answers


def lacking(answers: Mapping[str, Any]) -> list[str]:
    """The keys that the submitter has yet to say."""
    return [name for name in ASKED if name not in answers]


def template(answers: Mapping[str, Any]) -> str:
    """The content of a file that has all that the submitter is asked for, with what is known."""
    return json.dumps({name: answers.get(name, "") for name in ASKED}, indent=1, ensure_ascii=False) + "\n"


def write(
    draft: Draft,
    answers: Mapping[str, Any],
    *,
    output: Path,
    variant: str | None = None,
    checker: Checker | None = None,
) -> Path:
    """The folder of the submission, below ``output``, which appears whole and sound or not at all.

    An earlier submission of the same model revision, arguments and task is replaced.

    Raises:
        SubmissionError: if it is not sound, or the folder holds one of another revision.

    """
    for key, value in draft.known.items():
        if key in answers and answers[key] != value:
            raise SubmissionError(
                f"{key!r} is said to be {shown(answers[key])}, but {draft.path} has {shown(value)}: leave it out."
            )
    if variant is not None and (fault := variant_fault(variant)):
        raise SubmissionError(fault)
    record = {"hardware": draft.hardware, **answers, **draft.known}
    manifest = parse_manifest({key: record[key] for key in FIELDS}, f"the manifest of {draft.path}")
    name = folder_name(manifest.model) + (f"--{variant}" if variant else "")
    target = output / name / manifest.task
    output.mkdir(parents=True, exist_ok=True)
    with _temporary(output) as work:
        folder = work / name / manifest.task
        folder.mkdir(parents=True)
        text = json.dumps(manifest.record(), indent=1, ensure_ascii=False) + "\n"
        write_whole(folder / MANIFEST, text.encode())
        write_whole(folder / RESULT, draft.path.read_bytes())
        write_whole(folder / EVIDENCE, draft.evidence)
        checked: Checked[None] = (checker or Checker()).check(folder)
        if checked.problems:
            reasons = " ".join(checked.problems).replace(str(work), str(output))
            raise SubmissionError(f"{draft.path} cannot be submitted: {reasons}")
        if target.exists():
            if _identity(target) != checked.identity:
                raise SubmissionError(
                    f"{target} holds a submission of another revision or of other arguments. Remove it, or give this "
                    "one a name of its own with --variant."
                )
            target.rename(work / "replaced")
        target.parent.mkdir(exist_ok=True)
        folder.rename(target)
    return target


def _identity(folder: Path) -> str | None:
    try:
        return load(folder).identity
    except SubmissionError:
        return None


@contextmanager
def _temporary(beside: Path) -> Iterator[Path]:
    """A folder that is gone in the end, on the same disk."""
    folder = beside / f".{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
