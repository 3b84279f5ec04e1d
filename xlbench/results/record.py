"""A result's JSON: its form, as msgspec checks it, and that its parts agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import msgspec

from xlbench.collection.sample import Sample
from xlbench.errors import ResultError
from xlbench.measures import find
from xlbench.measures.values import summarise
from xlbench.settings import KINDS, Kind, Setting

SCHEMA = 2
ROUNDING = 1e-9
_LARGEST = 1e308

Number = Annotated[float, msgspec.Meta(ge=-_LARGEST, le=_LARGEST)]  # JSON of Python may have NaN and infinity.
# A lone surrogate is text to JSON, and cannot be printed.
_NAME = r"\A[^\ud800-\udfff]*[^\s\ud800-\udfff][^\ud800-\udfff]*\Z"
Name = Annotated[str, msgspec.Meta(pattern=_NAME)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Matrix = dict[str, dict[str, Number]]


class TransformRecord(msgspec.Struct, forbid_unknown_fields=True):
    """How a model's vectors were debiased."""

    method: str
    fit_on: str
    side: Literal["both", "queries", "passages"] | msgspec.UnsetType = msgspec.UNSET
    """Whose vectors were changed, where it is not what the transform is meant for."""


class PerturbationRecord(msgspec.Struct, forbid_unknown_fields=True):
    """How queries were changed before the model saw them."""

    method: str
    anyascii: str | msgspec.UnsetType = msgspec.UNSET
    """The version of the library that transliterated."""


class ModelRecord(msgspec.Struct):
    """What identifies a model; other keys are kept."""

    name: Name
    revision: str
    adapter: str
    arguments: dict[str, Any]
    transform: TransformRecord | msgspec.UnsetType = msgspec.UNSET
    perturbation: PerturbationRecord | msgspec.UnsetType = msgspec.UNSET
    representation: Name | msgspec.UnsetType = msgspec.UNSET
    """Of several that it gives."""


class ReferenceRecord(msgspec.Struct, forbid_unknown_fields=True):
    """What perfect and random rankings have."""

    random: Number
    perfect: Number | None = None


class MatrixRecord(msgspec.Struct, forbid_unknown_fields=True):
    """Means by language of the query and of the passage."""

    first_language: Matrix
    one_target: Matrix
    consistency: Matrix | msgspec.UnsetType = msgspec.UNSET
    """By language of the query and of its translation, where a measure of lists was asked for."""


class DataRecord(msgspec.Struct, forbid_unknown_fields=True):
    """Checksums of the data."""

    queries: str
    passages: str
    judgements: str


class SampleRecord(msgspec.Struct, forbid_unknown_fields=True):
    """How much of the task was drawn."""

    limit: Count
    n_questions: Count
    of_questions: Count
    n_passages: Count
    of_passages: Count


class ResultRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The keys of the JSON object, in their order; ``scores`` are the values of a ``Result``."""

    schema: int
    task: Name
    task_version: int
    headline: str
    missing_languages: list[Name]
    unit: Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z ]{0,30}\Z")]
    n_clusters: Annotated[int, msgspec.Meta(ge=0)]
    data: DataRecord
    model: dict[str, Any]
    scores: dict[str, dict[str, Number]]
    queries: dict[str, Annotated[int, msgspec.Meta(ge=0)]]
    summary: dict[Kind, dict[str, Number]]
    intervals: dict[str, dict[str, tuple[Number, Number]]]
    references: dict[str, ReferenceRecord]
    matrices: MatrixRecord
    alignment: dict[str, Number | Matrix | None]
    environment: dict[str, Any]
    timing: dict[str, Number]
    sample: SampleRecord | msgspec.UnsetType = msgspec.UNSET


def encode(result: Any) -> bytes:
    """The content of a result's JSON file."""
    record = {name: getattr(result, "values" if name == "scores" else name) for name in ResultRecord.__struct_fields__}
    for name in ("scores", "queries", "intervals"):
        record[name] = {str(key): value for key, value in record[name].items()}
    # Of a whole task there is no such key.
    sample = record.pop("sample")
    record |= {} if sample is None else {"sample": asdict(sample)}
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode()


def decode(record: Any, where: str) -> dict[str, Any]:
    """The fields of the result that a JSON value is; ``where`` names it in errors.

    Raises:
        ResultError: if it is no result, one of another schema, or its parts do not agree.

    """
    if not isinstance(record, dict) or "schema" not in record:
        raise ResultError(f"{where} is not a result of xlbench: it has no 'schema'.")
    if type(record["schema"]) is not int or record["schema"] != SCHEMA:
        raise ResultError(
            f"{where} has schema {record['schema']!r}, but this xlbench reads schema {SCHEMA}: "
            "`xlbench run --force` writes it anew; or use the xlbench that wrote it."
        )
    try:
        typed = msgspec.convert(record, ResultRecord)
        msgspec.convert(record["model"], ModelRecord)
    except (msgspec.ValidationError, RecursionError) as error:
        said = str(error).replace(f"`str` matching regex {_NAME!r}", "a name: text that is not empty, in UTF-8")
        raise ResultError(
            f"{where} is not what a result of xlbench is: {said}. Where another version of xlbench wrote it, "
            "`xlbench run --force` writes it anew."
        ) from error
    fields: dict[str, Any] = {
        name: record[name] for name in ResultRecord.__struct_fields__ if name not in ("scores", "sample")
    }
    fields |= {
        "sample": Sample(**record["sample"]) if "sample" in record else None,
        "values": {Setting.of(name): values for name, values in typed.scores.items()},
        "queries": {Setting.of(name): n for name, n in typed.queries.items()},
        "intervals": {
            name if name in KINDS else Setting.of(name): by_measure for name, by_measure in record["intervals"].items()
        },
    }
    fields["references"] = {name: _ends(name, ends) for name, ends in record["references"].items()}
    if fault := _disagreement(SimpleNamespace(**fields)):
        raise ResultError(f"{where}: {fault}")
    return fields


def _ends(name: str, ends: dict[str, float]) -> dict[str, float]:
    """What perfect and random rankings have; earlier versions called an even-handed share perfect, which it is not."""
    measure = find(name)
    return ends if measure is None or measure.perfect else {"random": ends["random"]}


def _disagreement(result: SimpleNamespace) -> str | None:
    """Which parts of a result contradict each other; None if none do."""
    for setting, count in result.queries.items():
        if (count == 0) != (setting not in result.values):
            return f"'queries' of '{setting}' is {count}; expected how many there are, and scores if there are any."
    expected = summarise(result.values)
    fits = all(
        setting in result.queries
        and result.headline in by_measure
        and by_measure.keys() == expected[setting.kind].keys()
        for setting, by_measure in result.values.items()
    )
    if not fits:
        return (
            "'scores' do not fit 'queries' and 'headline': expected every setting among 'queries', and the "
            "headline and the same measures in every setting of a kind."
        )
    if not _equal(result.summary, expected):
        return "'summary' is not the mean of 'scores'. `xlbench run --force` writes it anew."
    measures = {name: set(values) for name, values in [*result.values.items(), *result.summary.items()]}
    # A mean over the queries of one cluster has no interval.
    if any(not set(ends) <= measures.get(name, set()) for name, ends in result.intervals.items()):
        return "'intervals' has settings, kinds or measures that 'scores' and 'summary' lack."
    if any(low > high for ends in result.intervals.values() for low, high in ends.values()):
        return "'intervals' has an interval whose lower end is above its upper end."
    if not result.references.keys() <= result.summary.get("multi", {}).keys():
        return "'references' has a measure that 'summary' lacks."
    for name, value in result.alignment.items():
        if (name == "bitext") != isinstance(value, dict):
            return f"'alignment' of {name!r} is {value!r:.60}; expected a matrix for 'bitext' and a number for others."
    return None


def _equal(reported: Mapping[Kind, Mapping[str, float]], expected: Mapping[Kind, Mapping[str, float]]) -> bool:
    return reported.keys() == expected.keys() and all(
        reported[kind].keys() == values.keys()
        and all(abs(reported[kind][measure] - value) <= ROUNDING for measure, value in values.items())
        for kind, values in expected.items()
    )
