"""MTEB's result files: written from results on the tasks that MTEB has too, and read to stand beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from xlbench import catalogue, measures
from xlbench.catalogue import Task
from xlbench.errors import ResultError
from xlbench.reports.cells import Table, number_cell, row, with_best
from xlbench.reports.several_models import grouped
from xlbench.results import Result
from xlbench.settings import Setting
from xlbench.support.files import write_whole

MAIN = "ndcg_at_10"
"""What MTEB calls the measure that sums up each of these tasks."""
_NAMES = {"ndcg_cut": "ndcg", "map_cut": "map", "recall": "recall", "recip_rank": "mrr"}
"""What MTEB calls a measure, by trec_eval's name of it."""
_XQUAD = (
    "ar:arb-Arab de:deu-Latn el:ell-Grek en:eng-Latn es:spa-Latn hi:hin-Deva ro:ron-Latn ru:rus-Cyrl th:tha-Thai "
    "tr:tur-Latn vi:vie-Latn zh:zho-Hans"
)
_MIRACL = (
    "ar:ara-Arab bn:ben-Beng de:deu-Latn en:eng-Latn es:spa-Latn fa:fas-Arab fi:fin-Latn fr:fra-Latn hi:hin-Deva "
    "id:ind-Latn ja:jpn-Jpan ko:kor-Kore ru:rus-Cyrl sw:swa-Latn te:tel-Telu th:tha-Thai yo:yor-Latn zh:zho-Hans"
)
_ENGLISH = "eng_Latn"
_META = "model_meta"
_MOST_SUBSETS = 20
_UNSAFE = re.compile(r"[^\w.+=-]")


@dataclass(frozen=True)
class _Counterpart:
    """What MTEB calls a task."""

    name: str
    split: str
    languages: Mapping[str, str] | None = None
    """The languages that are subsets; None where pairs of languages are, in the names that the files have."""

    def subset(self, task: Task, setting: Setting) -> tuple[str, list[str]] | None:
        """The name of a setting's subset and its languages; None if MTEB does not have it."""
        query, passages = setting.query, setting.passages
        if passages is None or (self.languages is not None and query != passages):
            return None
        if self.languages is not None:
            return (query, [self.languages[query]]) if query in self.languages else None
        names = task.passages.names if task.passages else {}
        asked, pooled = names.get(query, query), names.get(passages, passages)
        same = asked.partition("_")[0] == pooled.partition("_")[0] and "Latn" in asked + pooled
        if asked != pooled and _ENGLISH not in (asked, pooled) and not same:
            return None
        # The language of the passages comes first there.
        return f"{pooled}-{asked}", [pooled.replace("_", "-"), asked.replace("_", "-")]


def _by_code(listed: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in listed.split())


_COUNTERPARTS = {
    "xquad": _Counterpart("XQuADRetrieval", "validation", _by_code(_XQUAD)),
    "miracl": _Counterpart("MIRACLRetrieval", "dev", _by_code(_MIRACL)),
    "miracl-mteb": _Counterpart("MIRACLRetrieval", "dev", _by_code(_MIRACL)),
    "belebele": _Counterpart("BelebeleRetrieval", "test"),
    "belebele-122": _Counterpart("BelebeleRetrieval", "test"),
}


def write(results: Sequence[Result], folder: Path) -> list[Path]:
    """The files ``folder/<model>/<revision>/<task>.json``, written for results on tasks that MTEB has.

    Raises:
        ResultError: if a result is of another task, of a part of one, or lacks what MTEB's files have.

    """
    records = {_place(result, folder): _record(result) for result in results}
    if len(records) < len(results):
        raise ResultError(
            "Two of these results would have one file: in MTEB's layout a model's name and revision have a folder, and "
            "its arguments have none. Give one of them at a time, with another --output."
        )
    for path, record in records.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())
    return list(records)


def _place(result: Result, folder: Path) -> Path:
    if result.task not in _COUNTERPARTS:
        raise ResultError(
            f"MTEB has no task that is as {result.task} is; it has others as {', '.join(_COUNTERPARTS)} are. Leave "
            f"the result of {result.model['name']} on {result.task} out."
        )
    if result.sample is not None and result.sample.is_partial:
        raise ResultError(f"The result of {result.model['name']} on {result.task} is of a part: {result.sample}.")
    names = [_UNSAFE.sub("_", str(result.model[key]).replace("/", "__")) for key in ("name", "revision")]
    return folder.joinpath(*names, f"{_COUNTERPARTS[result.task].name}.json")


def _record(result: Result) -> dict[str, Any]:
    """A result as MTEB stores one; the revision is that of the data that was read, and no version of mteb made it."""
    task, known = catalogue.load(result.task), _COUNTERPARTS[result.task]
    entries = list(_entries(result))
    if not entries or any(MAIN not in entry for entry in entries):
        raise ResultError(
            f"The result of {result.model['name']} on {result.task} has no {MAIN} in a setting that MTEB has too: "
            "expected single languages among its settings. `xlbench run --force` writes it anew."
        )
    # Where vectors were stored already, nobody knows how long it takes.
    whole = result.timing.get("encoded_share") == 1
    return {
        "dataset_revision": task.commit or "unknown",
        "task_name": known.name,
        "mteb_version": None,
        "scores": {known.split: entries},
        "evaluation_time": sum(s for part, s in result.timing.items() if part.endswith("_s")) if whole else None,
        "kg_co2_emissions": None,
    }


def _entries(result: Result) -> Iterator[dict[str, Any]]:
    """The values of each subset of a result's counterpart."""
    task, known = catalogue.load(result.task), _COUNTERPARTS[result.task]
    for setting, by_measure in result.values.items():
        if subset := known.subset(task, setting):
            values = {name: round(value, 6) for ours, value in by_measure.items() if (name := _name(ours))}
            main = {"main_score": values[MAIN]} if MAIN in values else {}
            yield values | main | {"hf_subset": subset[0], "languages": subset[1]}


def _name_there(task: str) -> str | None:
    return _COUNTERPARTS[task].name if task in _COUNTERPARTS else None


def _name(measure: str) -> str | None:
    """``ndcg_at_10`` for nDCG at 10; None for a measure that MTEB does not have."""
    known = measures.find(measure)
    name = _NAMES.get(known.trec_name.partition(".")[0]) if known and known.cutoff else None
    return f"{name}_at_{known.cutoff}" if known and name else None


@dataclass(frozen=True)
class Reported:
    """What somebody has reported of a model on a task, in MTEB's form."""

    task: str
    """As MTEB calls it."""
    model: str
    revision: str
    values: Mapping[str, Mapping[str, float]]
    """By subset and MTEB's name of a measure."""


class _Record(msgspec.Struct):
    task_name: str
    scores: dict[str, list[dict[str, Any]]]


class _Entry(msgspec.Struct):
    hf_subset: str
    ndcg_at_10: Annotated[float, msgspec.Meta(ge=0, le=1)]


def read(folder: Path) -> tuple[list[Reported], int]:
    """What is reported in a folder's files on tasks that xlbench has, and how many files were left out.

    Raises:
        ResultError: if there is no such folder, or a file on one of these tasks is not in MTEB's form.

    """
    if not folder.is_dir():
        raise ResultError(
            f"There is no folder {folder}; expected one of MTEB's results, <model>/<revision>/<task>.json."
        )
    known = {counterpart.name: counterpart for counterpart in _COUNTERPARTS.values()}
    reported, left_out = [], 0
    for path in sorted(folder.rglob("*.json")):
        if path.stem not in known:
            left_out += path.stem != _META
            continue
        reported.append(_reported(path, known[path.stem]))
    if not reported:
        raise ResultError(f"{folder} has no file of {', '.join(f'{name}.json' for name in known)}.")
    return reported, left_out


def _reported(path: Path, known: _Counterpart) -> Reported:
    try:
        # Not msgspec's own decoder: these files have NaN.
        record = msgspec.convert(json.loads(path.read_bytes()), _Record)
        entries = record.scores[known.split]
        values = {entry.hf_subset: {MAIN: entry.ndcg_at_10} for entry in msgspec.convert(entries, list[_Entry])}
        meta = path.with_name(f"{_META}.json")
        named = json.loads(meta.read_bytes()) if meta.exists() else {}
    except (ValueError, RecursionError, KeyError) as error:
        said = f"it has no split {error}" if isinstance(error, KeyError) else str(error)
        raise ResultError(f"{path} is no result of MTEB 1.11 or later: {said}.") from error
    folder_name, revision = path.parent.parent.name.replace("__", "/"), path.parent.name
    name = named.get("name") if isinstance(named, dict) else None
    return Reported(known.name, str(name or folder_name), revision, values)


def beside(results: Sequence[Result], reported: Sequence[Reported]) -> list[Table]:
    """For each task of MTEB that is reported: one row a model, those reported after our own, and a column a subset."""
    tables = []
    for task in dict.fromkeys(each.task for each in reported):
        rows: dict[str, Mapping[str, float]] = {}
        for group in grouped(results):
            if _name_there(group.results[0].task) == task:
                for label, result in zip(group.labels, group.results, strict=True):
                    entries = list(_entries(result))
                    rows[label] = {entry["hf_subset"]: entry[MAIN] for entry in entries if MAIN in entry}
        for each in reported:
            if each.task == task:
                alike = sum((other.task, other.model) == (task, each.model) for other in reported) > 1
                revision = f" {each.revision[:7]}" if alike else ""
                rows[f"{each.model}{revision} (reported)"] = {s: values[MAIN] for s, values in each.values.items()}
        tables.append(_table(task, rows))
    return tables


def _table(task: str, rows: Mapping[str, Mapping[str, float]]) -> Table:
    """The values of each row by subset, with the mean over the subsets that all rows have."""
    subsets = sorted({subset for values in rows.values() for subset in values})
    common = [subset for subset in subsets if all(subset in values for values in rows.values())]
    shown = [] if len(common) > _MOST_SUBSETS else (common or subsets)[:_MOST_SUBSETS]
    columns = [with_best([number_cell(values.get(s), MAIN) for values in rows.values()], MAIN) for s in shown]
    if len(common) > 1:
        means = [number_cell(sum(values[s] for s in common) / len(common), MAIN) for values in rows.values()]
        columns.insert(0, with_best(means, MAIN))
    header = ("model", *(["mean"] if len(common) > 1 else []), *shown)
    hidden = len(subsets) - len(shown)
    more = f" {hidden} of {len(subsets)} subsets are not shown." if hidden else ""
    return Table(
        f"{task}, {MAIN}",
        header,
        tuple(row(label, *cells) for label, *cells in zip(rows, *columns, strict=True)),
        f"Rows marked (reported) are as MTEB's files have them; xlbench has checked nothing of them. MTEB merges equal "
        f"queries of a language, so that its values may differ in the third decimal.{more}",
    )
