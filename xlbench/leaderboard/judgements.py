"""What is judged in each task, as checksums that come with xlbench: evidence of other pairs is found out without data.

``judgements/<task>.json`` beside the task file has, for each language of queries and each of passages, how many pairs
there are, and a checksum of their ids, gains and clusters. ``tools/judgements.py`` makes it from the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from xlbench.catalogue import Task
from xlbench.errors import TaskError
from xlbench.measures.ranks import Judged

_DIGITS = 32


@dataclass(frozen=True)
class Judgements:
    """The judged pairs of a task; its JSON keys are the fields."""

    version: int
    """Of the task."""
    languages: tuple[str, ...]
    """Those whose pairs are known."""
    pairs: Mapping[str, str]
    """By ``<language of the query>><language of the passage>``: the number of pairs, and their checksum."""

    @property
    def n_pairs(self) -> int:
        """How many pairs there are."""
        return sum(int(said.partition(" ")[0]) for said in self.pairs.values())

    def text(self) -> str:
        """The content of the file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def known(task: Task) -> Judgements | None:
    """The judgements that come with a task; None if there are none.

    Raises:
        TaskError: if they are of another version of the task, or damaged.

    """
    path = task.file.parent / "judgements" / f"{task.name}.json"
    try:
        record: Any = json.loads(path.read_text(encoding="utf-8"))
        judgements = Judgements(int(record["version"]), tuple(record["languages"]), dict(record["pairs"]))
        _ = judgements.n_pairs
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise TaskError(f"{path} is damaged: make it anew with tools/judgements.py.") from error
    if judgements.version != task.version:
        raise TaskError(
            f"{path} is of version {judgements.version} of {task.name}, which is at version {task.version}: make it "
            "anew with tools/judgements.py."
        )
    return judgements


def pairs_of(judged: Judged) -> dict[str, str]:
    """The number of pairs and their checksum, by language of the query and of the passage; as ``Judgements`` has them.

    The order of the pairs does not matter.
    """
    n_languages = len(judged.languages)
    cell = judged.query_language[judged.query].astype(np.int64) * n_languages + judged.passage_language
    clusters = judged.clusters.of_query
    digests = {}
    for code in np.unique(cell).tolist():
        rows = np.flatnonzero(cell == code).tolist()
        lines = sorted(
            f"{judged.query_ids[judged.query[row]]}\t{clusters[judged.query[row]]}\t{judged.passage_ids[row]}\t"
            f"{judged.gain[row]}\n"
            for row in rows
        )
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()[:_DIGITS]
        name = f"{judged.languages[code // n_languages]}>{judged.languages[code % n_languages]}"
        digests[name] = f"{len(rows)} {digest}"
    return digests


def fault(judged: Judged, expected: Mapping[str, str]) -> str | None:
    """What is wrong with the judged pairs of evidence; None if nothing is.

    ``expected`` is as ``pairs_of`` gives it, of at least the languages of the evidence.
    """
    names = {f"{a}>{b}" for a in judged.languages for b in judged.languages}
    wanted = {name: said for name, said in expected.items() if name in names}
    theirs = pairs_of(judged)
    for name in sorted(theirs.keys() | wanted.keys()):
        if theirs.get(name) != wanted.get(name):
            n_found, n_expected = (int(said.get(name, "0").partition(" ")[0]) for said in (theirs, wanted))
            if n_found == n_expected:
                return f"the pairs of {name} in the evidence are not those of the task, though as many: {n_found:,}"
            return f"the evidence has {n_found:,} pairs of {name}; expected {n_expected:,}"
    return None
