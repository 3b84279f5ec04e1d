"""Which submissions the maintainers have verified with the model: a file that is no part of any submission."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xlbench.errors import SubmissionError
from xlbench.leaderboard.hostile_json import parse_json, read_file
from xlbench.leaderboard.levels import Level, level_of
from xlbench.support.files import write_whole

_OUTCOME_BYTES = 1 << 20


@dataclass(frozen=True)
class DeepRecord:
    """How a submission was verified; its JSON keys are the fields."""

    model: str
    task: str
    sample: int
    """How many queries were encoded again."""
    seed: int
    tolerance: float
    """By how much scores could differ, as a share of the spread of a query's scores."""
    slack: float
    """By how many passages a count could be off unseen, in the mean."""
    xlbench_version: str
    passages: float = 1.0
    """The share of the passages that were encoded beside those judged for these queries; 1 for all."""
    level: Level = "deep-verified"
    """What the share makes of it."""
    commit: str = ""
    """The seed is that of the submission's digest and this commit; empty for one that was drawn or chosen."""

    def __post_init__(self) -> None:
        if self.level != (expected := level_of(self.passages)):
            raise ValueError(f"the level is {self.level!r}; expected {expected!r} with {self.passages} of the passages")


def load_records(path: Path) -> dict[str, DeepRecord]:
    """The records by the digest of the submission; none if the file is not there.

    Raises:
        SubmissionError: if it is damaged.

    """
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
        return {digest: DeepRecord(**record) for digest, record in stored.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SubmissionError(f"{path} is damaged ({error}): restore it from the repository.") from error


def levels(records: Mapping[str, DeepRecord]) -> dict[str, Level]:
    """The level of each submission on record, by digest."""
    return {digest: record.level for digest, record in records.items()}


def save_records(records: Mapping[str, DeepRecord], path: Path) -> None:
    """Writes the records, sorted by digest."""
    content = json.dumps({digest: asdict(records[digest]) for digest in sorted(records)}, indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f"{content}\n".encode())


@dataclass(frozen=True)
class Outcome:
    """What a check with the model found out about one submission, whether it agrees or not."""

    digest: str
    agrees: bool
    problems: tuple[str, ...]
    """Why it does not, a sentence each."""
    record: DeepRecord
    """What is put on record if it does."""


def save_outcomes(outcomes: Sequence[Outcome], path: Path) -> None:
    """Writes what was found, for the eyes of others, and for ``load_outcomes``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f"{json.dumps([asdict(each) for each in outcomes], indent=1, ensure_ascii=False)}\n".encode())


def load_outcomes(path: Path) -> list[Outcome]:
    """What ``save_outcomes`` wrote.

    Raises:
        SubmissionError: if it is damaged.

    """
    content = read_file(path, limit=_OUTCOME_BYTES)
    try:
        return [
            Outcome(**{**each, "problems": tuple(each["problems"]), "record": DeepRecord(**each["record"])})
            for each in parse_json(content, str(path))
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SubmissionError(f"{path} is damaged ({error}): make it anew.") from error
