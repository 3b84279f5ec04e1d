"""Submission: a folder with a manifest, a result and its evidence, read without trust in any of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xlbench import catalogue, measures, results
from xlbench.catalogue import Task
from xlbench.errors import ResultError, SubmissionError, shown
from xlbench.leaderboard import judgements
from xlbench.leaderboard.hostile_json import parse_json, read_file, unseen_text
from xlbench.leaderboard.manifest import Manifest, parse_manifest
from xlbench.leaderboard.ranges import check_ranges
from xlbench.measures.ranks import Ranking
from xlbench.results import EvidenceLimits, Result

MANIFEST, RESULT, EVIDENCE = FILES = ("manifest.json", "result.json", "ranks.parquet")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_VARIANT = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
_MANIFEST_BYTES = 1 << 16
_RESULT_BYTES = 1 << 16
_RESULT_BYTES_A_SETTING = 1 << 12
_MOST_PAIRS_A_QUERY = 100
"""Where the judgements are not known."""
_ID_BYTES = 100
_MOST_EVIDENCE_BYTES = 1 << 28
MODEL_KEYS = {"name", "revision", "adapter", "arguments", "transform", "stored_as"}


@dataclass(frozen=True)
class Submission:
    """What one folder has. That its parts agree, and that its numbers are right, ``checks`` finds out."""

    folder: Path
    manifest: Manifest
    result: Result
    """As it was claimed by ``load``; with the recomputed per-query scores and the ranking from ``checks``."""
    ranking: Ranking
    digest: str
    """sha256 of the checksums of manifest, result.json and ranks.parquet: what a check was of.

    Of the manifest it is what it says, however it is spaced.
    """
    task: Task

    @property
    def identity(self) -> str:
        """What makes it one with another submission: model, revision, arguments and task, however they are spelled."""
        model = {key: value for key, value in self.result.model.items() if key not in ("name", "revision")}
        return json.dumps([*rough_identity(self.manifest), self.manifest.task_version, model], sort_keys=True)


def rough_identity(manifest: Manifest) -> tuple[str, str, str]:
    """What a manifest alone says of a submission's identity: model, revision and task."""
    return manifest.model.casefold(), manifest.revision, manifest.task


def read_manifest(folder: Path) -> Manifest:
    """The manifest in a folder.

    Raises:
        SubmissionError: if it cannot be read.

    """
    path = folder / MANIFEST
    return parse_manifest(parse_json(read_file(path, limit=_MANIFEST_BYTES), str(path)), str(path))


def folder_name(model: str) -> str:
    """The name of a model's folder; a variant of the model adds ``--`` and its own name."""
    return re.sub(r"^[.-]", "_", re.sub(r"[^A-Za-z0-9_.-]", "_", model.replace("/", "__")))


def variant_fault(variant: str) -> str | None:
    """What is wrong with the name of a variant; None if nothing is."""
    fits = _VARIANT.fullmatch(variant) and "--" not in variant
    return None if fits else f"{shown(variant)} is no name of a variant: expected a-z, 0-9, '.' and '-', at most 40."


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """The folders of submissions: each path itself, or those in it and in its folders, in the order of their names.

    What is neither is a submission as well, one that cannot be read: nothing that was handed in is passed over.
    """
    for path in paths:
        yield from _inside(path, levels=2)


def _inside(path: Path, *, levels: int) -> Iterator[Path]:
    if path.is_symlink() or not path.is_dir() or not levels:
        yield path
        return
    inner = sorted(path.iterdir())
    if {each.name for each in inner} & set(FILES) or (levels < 2 and not inner):
        yield path
        return
    for each in inner:
        # What explains the folder, or keeps an empty one in git.
        if levels < 2 or each.name not in ("README.md", ".gitkeep"):
            yield from _inside(each, levels=levels - 1)


def load(folder: Path) -> Submission:
    """The submission in a folder; nothing is recomputed.

    Raises:
        SubmissionError: if one of its files is missing, too large, damaged, or there is any other.

    """
    task = task_of(folder)
    _check_entries(folder)
    limits = evidence_limits(task)
    n_settings = len(task.languages) * (len(task.languages) + 1)
    sizes = {RESULT: _RESULT_BYTES + _RESULT_BYTES_A_SETTING * n_settings, EVIDENCE: limits.n_bytes}
    content = {name: read_file(folder / name, limit=limit) for name, limit in sizes.items()}
    manifest = read_manifest(folder)
    record = parse_json(content[RESULT], str(folder / RESULT))
    if unseen := unseen_text(record):
        raise SubmissionError(f"{folder / RESULT}: {unseen}, which cannot be seen.")
    try:
        result = Result(**results.decode(record, str(folder / RESULT)))
        check_ranges(record, str(folder / RESULT))
        ranking = results.parse_evidence(content[EVIDENCE], str(folder / EVIDENCE), limits=limits)
        if ranking.has_sums:
            raise SubmissionError(
                f"{folder / EVIDENCE} has sums over its {len(ranking.judged.languages)} languages; expected the counts "
                "of each, which a check needs. Tasks of so many languages are not on the leaderboard."
            )
    except ResultError as error:
        raise SubmissionError(str(error)) from error
    said = json.dumps(manifest.record(), sort_keys=True).encode()
    digests = [hashlib.sha256(each).digest() for each in (said, content[RESULT], content[EVIDENCE])]
    return Submission(
        folder=folder,
        manifest=manifest,
        result=result,
        ranking=ranking,
        digest=hashlib.sha256(b"".join(digests)).hexdigest(),
        task=task,
    )


def evidence_limits(task: Task) -> EvidenceLimits:
    """What the evidence of a task can have at most."""
    known = judgements.known(task)
    n_queries = sum(size.queries for size in task.sizes.values())
    rows = n_queries * _MOST_PAIRS_A_QUERY if known is None else known.n_pairs
    # A count for each language, codes of the other columns, and room for ids.
    row_bytes = 4 * (len(task.languages) + 5 + measures.depth(task.measures)) + _ID_BYTES
    n_bytes = min((1 << 20) + rows * row_bytes, _MOST_EVIDENCE_BYTES)
    return EvidenceLimits(rows=rows, languages=len(task.languages), n_bytes=n_bytes)


def data_checksums(task: Task, languages: Iterable[str]) -> dict[str, str]:
    """One checksum for each language: that of its only file, or one of the list of those of all its files.

    Empty where none is published.
    """
    digits_of = {}
    for language in languages:
        known = {
            f"{part} {checksum.algorithm} {checksum.digits}\n": checksum
            for part, source in task.source.items()
            for checksum in source.checksums.get(language) or ()
        }
        digits = {checksum.digits for checksum in known.values()}
        alone = len(digits) == 1 and {checksum.algorithm for checksum in known.values()} == {"sha256"}
        listed = hashlib.sha256("".join(sorted(known)).encode()).hexdigest() if known else ""
        digits_of[language] = digits.pop() if alone else listed
    return digits_of


def task_of(folder: Path) -> Task:
    """The task that the folder is named after."""
    for path in (folder, folder.parent):
        if path.is_symlink():
            raise SubmissionError(f"{path} is a link; expected a folder.")
    if not folder.is_dir():
        raise SubmissionError(f"{folder} is no folder; expected submissions/<model>/<task>/ with {', '.join(FILES)}.")
    # As the user gave it, it may be '.'.
    folder = folder.absolute()
    if not _NAME.fullmatch(folder.parent.name):
        raise SubmissionError(
            f"{shown(folder.parent.name)} is no name of a model's folder: expected A-Z, a-z, 0-9, _.-"
        )
    if folder.name not in catalogue.names():
        known = ", ".join(catalogue.names())
        raise SubmissionError(f"{shown(folder.name)} is no task of this xlbench; expected a folder named {known}.")
    return catalogue.load(folder.name)


def _check_entries(folder: Path) -> None:
    for i, path in enumerate(folder.iterdir()):
        if path.name not in FILES or i >= len(FILES):
            raise SubmissionError(f"{folder} has {shown(path.name)}; expected {', '.join(FILES)} and nothing else.")


def disagreements(submission: Submission) -> Iterator[str]:
    """What the parts of a submission, its folder and the task say differently: a sentence each."""
    manifest, result, task = submission.manifest, submission.result, submission.task
    missing = list(result.missing_languages)
    languages = [language for language in task.languages if language not in missing]
    judged, folder = submission.ranking.judged, submission.folder.absolute().parent.name
    for what, said, expected in (
        ("task in manifest.json", manifest.task, task.name),
        ("task in result.json", result.task, task.name),
        ("task version in manifest.json", manifest.task_version, task.version),
        ("task version in result.json", result.task_version, task.version),
        ("headline", result.headline, task.headline),
        ("model in manifest.json", manifest.model, result.model["name"]),
        ("revision in manifest.json", manifest.revision, result.model["revision"]),
        ("command in manifest.json", manifest.command, result.environment.get("command")),
        ("version of xlbench in manifest.json", manifest.xlbench_version, result.environment.get("xlbench")),
        ("number of dimensions in manifest.json", manifest.dimensions, result.environment.get("dimensions")),
        ("list of missing languages", missing, [name for name in task.languages if name not in languages]),
        ("list of languages of the evidence", list(judged.languages), languages),
        ("list of data checksums", dict(manifest.data_checksums), data_checksums(task, languages)),
        ("name of the model's folder", _without_variant(folder), folder_name(manifest.model)),
    ):
        if said != expected:
            yield f"The {what} is {shown(said)}; expected {shown(expected)}."
    for key in sorted(result.model.keys() - MODEL_KEYS):
        yield f"The model in result.json has the key {shown(key)}; expected {', '.join(sorted(MODEL_KEYS))} only."
    for language, n_passages in zip(judged.languages, judged.n_passages.tolist(), strict=True):
        if language in task.sizes and n_passages != task.sizes[language].passages:
            n_expected = task.sizes[language].passages
            yield f"The evidence has {n_passages:,} passages in {language}; expected {n_expected:,}."
    if submission.ranking.alone is not None:
        yield "The evidence is of a fusion, whose ranking in one language cannot be checked; expected one model."
    if submission.ranking.top.shape[1] != (depth := measures.depth(task.measures)):
        yield f"The evidence has the {submission.ranking.top.shape[1]:,} best passages of a query; expected {depth}."


def _without_variant(folder: str) -> str:
    plain, _, variant = folder.rpartition("--")
    return plain if plain and not variant_fault(variant) else folder
