"""Which submissions the maintainers have verified with the model: a file that is no part of any submission."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xlbench.errors import SubmissionError
from xlbench.support.files import write_whole


@dataclass(frozen=True)
class DeepRecord:
    """How a submission was verified; its JSON keys are the fields."""

    model: str
    task: str
    sample: int
    """How many queries were encoded again, with all passages."""
    seed: int
    tolerance: float
    """By how much scores could differ, as a share of the spread of a query's scores."""
    slack: float
    """By how many passages a count could be off unseen, in the mean."""
    xlbench_version: str


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


def save_records(records: Mapping[str, DeepRecord], path: Path) -> None:
    """Writes the records, sorted by digest."""
    content = json.dumps({digest: asdict(records[digest]) for digest in sorted(records)}, indent=1, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f"{content}\n".encode())
