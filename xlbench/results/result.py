"""Result: the values of one model on one task with their provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from xlbench.collection.sample import Sample
from xlbench.errors import ResultError, UnknownNameError
from xlbench.measures.ranks import Ranking
from xlbench.measures.values import QueryValues
from xlbench.results.record import ROUNDING
from xlbench.results.result_files import load_per_query, parquet_path, path_of, read, write
from xlbench.results.shown import as_html, lines
from xlbench.settings import Kind, Setting

if TYPE_CHECKING:
    import pandas as pd

_T = TypeVar("_T")


@dataclass(frozen=True, repr=False)
class Result:
    """The values of one model on one task; ``files`` says how it is stored."""

    schema: int
    task: str
    task_version: int
    headline: str
    """The measure that sums up the task."""
    missing_languages: Sequence[str]
    """Languages of the task that were left out; empty if the result is whole."""
    unit: str
    """What intervals and tests draw: ``article``, ``page``, ``question``; queries of one are not independent."""
    n_clusters: int
    """How many of these the queries belong to."""
    data: Mapping[str, str]
    """Checksums of the texts of ``queries`` and ``passages``, and of the ``judgements``."""
    model: Mapping[str, Any]
    """``name, revision, adapter, arguments``."""
    values: Mapping[Setting, Mapping[str, float]]
    """By setting and measure: the mean over the setting's queries."""
    queries: Mapping[Setting, int]
    """By setting: how many queries it has; a setting without any has no values."""
    summary: Mapping[Kind, Mapping[str, float]]
    """By kind of setting and measure: the macro mean; see ``summarise``."""
    intervals: Mapping[Setting | Kind, Mapping[str, Sequence[float]]]
    """By setting or kind, and measure: the lower and the upper end of the 95 % interval; see ``statistics``."""
    references: Mapping[str, Mapping[str, float]]
    """By measure of bias: its ``perfect`` and its ``random`` value in this collection, macro means."""
    matrices: Mapping[str, Mapping[str, Mapping[str, float]]]
    """``first_language`` and ``one_target`` of ``bias``, means by language of the query and of the passage."""
    alignment: Mapping[str, Any]
    """How close the vectors of parallel passages are; see ``alignment``. Empty for a model without vectors."""
    environment: Mapping[str, Any]
    timing: Mapping[str, float]
    """In seconds; ``encoded_share`` is the share of the texts that was encoded then, and not kept from an earlier run.

    The one part that differs between two equal runs.
    """
    sample: Sample | None = None
    """How much of the task was drawn for a first look; None if nothing was left out."""
    per_query: tuple[QueryValues, ...] = field(default=(), compare=False)
    """Not in the JSON, but in the parquet file beside it; empty if ``load`` read the result, without that file."""
    ranking: Ranking | None = field(default=None, compare=False)
    """The evidence: the counts that all other figures but the alignment's follow from. Not in the JSON."""

    @property
    def is_partial(self) -> bool:
        """Whether languages, questions or passages of the task were left out."""
        return bool(self.missing_languages) or (self.sample is not None and self.sample.is_partial)

    def is_of(
        self, *, task_version: int, model: Mapping[str, Any], settings: Sequence[Setting], limit: int | None = None
    ) -> bool:
        """Whether this is the result of just such a run."""
        return (
            self.task_version == task_version
            and dict(self.model) == dict(model)
            and list(self.queries) == list(settings)
            and (self.sample.limit if self.sample else None) == limit
        )

    def value(self, setting: Setting | str, measure: str) -> float:
        """The mean of a measure in a setting, ``de>en`` or ``de>*``, or over all of a kind, ``multi``.

        Raises:
            UnknownNameError: if the result does not have the setting or the measure.

        Example:
            >>> import xlbench
            >>> result = xlbench.evaluate("hash", "demo", languages=["de", "en"], cache=None, quiet=True)
            >>> result.value("de>*", "AP") == result.value(xlbench.Setting("de", None), "AP")
            True

        """
        by_measure: Mapping[str, float] = _at(self._means(), setting, "setting")
        return _at(by_measure, measure, "measure")

    def interval(self, setting: Setting | str, measure: str) -> tuple[float, float]:
        """The lower and the upper end of the 95 % interval of a value.

        Raises:
            UnknownNameError: if the result does not have the setting or the measure.

        """
        by_name = {str(key): ends for key, ends in self.intervals.items()}
        low, high = _at(_at(by_name, setting, "setting"), measure, "measure")
        return low, high

    def means(self) -> dict[str, float]:
        """The mean of each measure by kind of setting, such as ``multi/AP``: what a tracker of experiments logs.

        Names have ``_`` for the ``@`` of a cut-off, which MLflow does not take.

        Example:
            >>> import xlbench
            >>> result = xlbench.evaluate("hash", "demo", languages=["de", "en"], cache=None, quiet=True)
            >>> result.means()["multi/AP"] == result.value("multi", "AP")
            True

        """
        return {
            f"{kind}/{measure}".replace("@", "_"): value
            for kind, by_measure in self.summary.items()
            for measure, value in by_measure.items()
        }

    def to_frame(self) -> pd.DataFrame:
        """A pandas frame with a row for each setting or kind of setting, and measure."""
        import pandas as pd

        rows = []
        for name, by_measure in [*self.values.items(), *self.summary.items()]:
            setting = name if isinstance(name, Setting) else None
            for measure, value in by_measure.items():
                low, high = self.intervals.get(name, {}).get(measure, (float("nan"), float("nan")))
                rows.append(
                    {
                        "setting": str(name),
                        "kind": setting.kind if setting else name,
                        "query_language": setting.query if setting else None,
                        "passage_language": setting.passages if setting else None,
                        "measure": measure,
                        "value": value,
                        "low": low,
                        "high": high,
                        "n_queries": self.queries[setting] if setting else None,
                    }
                )
        return pd.DataFrame(rows)

    def save(self, path: str | Path) -> Path:
        """Writes the result as this JSON file, with the parquet files beside it; in a folder it is ``MODEL/TASK.json``.

        Returns:
            The JSON file.

        """
        target = Path(path)
        if target.suffix != ".json":
            limit = self.sample.limit if self.sample else None
            target = path_of(target, str(self.model["name"]), self.task, arguments=self.model["arguments"], limit=limit)
        write(self, target)
        return target

    @classmethod
    def load(cls, path: str | Path) -> Result:
        """The result in a JSON file, with its values of single queries.

        Raises:
            ResultError: if it is no result, or its files are missing or damaged.

        """
        return load_whole(Path(path))

    def __repr__(self) -> str:
        """At most twelve lines: the headline, its intervals, and the time."""
        return "\n".join(lines(self))

    def _repr_html_(self) -> str:
        return as_html(self)

    def _means(self) -> dict[str, Mapping[str, float]]:
        return {str(name): values for name, values in [*self.values.items(), *self.summary.items()]}


def _at(known: Mapping[str, _T], name: object, what: str) -> _T:
    if str(name) not in known:
        raise UnknownNameError(what, str(name), known)
    return known[str(name)]


def save(result: Result, path: Path) -> None:
    """Writes a result's files, each whole or not at all; the JSON file comes last and marks a whole result."""
    write(result, path)


def load(path: Path) -> Result:
    """The result in a JSON file, without its values of single queries.

    Raises:
        ResultError: if it is no result, or one of another schema.

    """
    return Result(**read(path))


def load_whole(path: str | Path) -> Result:
    """The result in a JSON file with its per-query scores from the parquet file beside it.

    Raises:
        ResultError: if one of them is missing, damaged or no result, or if they do not have the same scores.

    Example:
        >>> import tempfile, xlbench
        >>> result = xlbench.evaluate("hash", "demo", settings=["mono"], cache=None, quiet=True)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     xlbench.load_result(result.save(folder)) == result
        True

    """
    path = Path(path)
    result = replace(load(path), per_query=load_per_query(path))
    for of_setting in result.per_query:
        setting = of_setting.setting
        means, reported = of_setting.means(), result.values.get(setting, {})
        n_queries = len(set(of_setting.query))
        same = means.keys() == reported.keys() and n_queries == len(of_setting.query) == result.queries.get(setting)
        if not same or any(abs(means[name] - reported[name]) > ROUNDING for name in means):
            raise ResultError(
                f"{parquet_path(path)} and {path.name} do not have the same queries and scores in '{setting}': "
                "they are of two runs, or one was altered. `xlbench run --force` writes both anew."
            )
    if len(result.per_query) != len(result.values):
        raise ResultError(
            f"{parquet_path(path)} lacks settings that {path.name} has. `xlbench run --force` writes both anew."
        )
    return result
