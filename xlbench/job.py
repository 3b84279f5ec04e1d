"""Job: a task and what of it is evaluated; and whether its result is stored."""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbench import catalogue
from xlbench.catalogue import Task
from xlbench.catalogue.own_data import task_name
from xlbench.catalogue.readers import answers, why_not
from xlbench.catalogue.sources import at_hand
from xlbench.collection import Collection, drawn
from xlbench.errors import ResultError, UnknownNameError, UsageError, differences
from xlbench.measures import LOSSES
from xlbench.results import Result, evidence_path, load, parquet_path
from xlbench.settings import Kind, Setting, settings
from xlbench.support.progress import Progress, silent
from xlbench.trec.write import Kept, runs_are_there


@dataclass(frozen=True)
class Job:
    """A task, and what of it is evaluated."""

    task: Task
    languages: tuple[str, ...]
    kinds: tuple[Kind, ...]
    collection: Collection | None = None
    """The texts and judgements, where they are at hand and not to be read."""
    limit: int | None = None
    """How many questions are drawn, for a first look; None for all."""

    @classmethod
    def of(
        cls,
        task: str | Path | Task | Collection,
        *,
        languages: Sequence[str] | str = (),
        kinds: Sequence[Kind] | Kind = (),
        limit: int | None = None,
    ) -> Job:
        """The job of a task in these languages and kinds of setting; all where none is named.

        Raises:
            UnknownNameError: for a task, a language or a setting that does not exist.
            UsageError: if no setting is left, or no question.

        """
        languages = [languages] if isinstance(languages, str) else languages
        kinds = (kinds,) if isinstance(kinds, str) else kinds
        if limit is not None and limit < 1:
            raise UsageError(f"limit is {limit}; expected 1 question at least, or None for all of them.")
        collection = task if isinstance(task, Collection) else None
        if isinstance(task, Collection):
            loaded = catalogue.of_collection(task)
        elif isinstance(task, str | Path) and Path(task).is_dir() and str(task) not in catalogue.names():
            collection = catalogue.read_folder(Path(task))
            loaded = catalogue.of_collection(collection, name=task_name(Path(task)), file=Path(task).resolve())
        else:
            loaded = catalogue.load(task)
        for kind in kinds:
            if kind not in loaded.settings:
                why = why_not(loaded.reader, kind, text=loaded.text) or f"Task {loaded.name} has no such setting."
                raise UnknownNameError("setting", kind, loaded.settings, hint=why)
        job = cls(
            loaded,
            catalogue.choose_languages(loaded, languages),
            tuple(kind for kind in loaded.settings if not kinds or kind in kinds),
            collection,
            limit,
        )
        if not job.settings:
            pooled = ", ".join(
                language
                for language, size in loaded.sizes.items()
                if size.passages and any(answers(loaded.reader, asked, language) for asked in job.languages)
            )
            raise UsageError(
                f"{loaded.name} has no {'/'.join(job.kinds)} setting in {', '.join(job.languages)} alone. Its passages "
                f"are in {pooled}."
            )
        return job

    @property
    def settings(self) -> list[Setting]:
        """The settings of these kinds in these languages, as far as those have queries and passages."""
        asked = [language for language in self.languages if self.task.sizes[language].queries]
        pooled = [language for language in self.languages if self.task.sizes[language].passages]
        return self._settings(asked, pooled)

    def settings_in(self, collection: Collection) -> list[Setting]:
        """Those that a collection of the task has; of a part, a language may have no question and settings without."""
        return self.settings if self.limit else self._settings(collection.asked, collection.pooled)

    def _settings(self, asked: Sequence[str], pooled: Sequence[str]) -> list[Setting]:
        return [
            setting
            for setting in settings(self.kinds, asked, pooled=pooled)
            if setting.kind != "cross" or answers(self.task.reader, setting.query, setting.passages or "")
        ]

    def read(self, *, data_dir: str | Path | None, cache_dir: Path | None, progress: Progress = silent) -> Collection:
        """The task's collection in these languages, or what is drawn of it."""
        if self.collection is not None:
            collection = self.collection.in_languages(self.languages)
        else:
            collection = catalogue.read_collection(
                self.task, languages=self.languages, data_dir=data_dir, cache_dir=cache_dir, progress=progress
            )
        return collection if self.limit is None else drawn(collection, self.limit)

    def stored_result(self, path: Path, identity: Mapping[str, Any], kept: Kept | None) -> Result | None:
        """The result of just this job and model, if it is stored with all its files.

        Raises:
            ResultError: if another result stands in its place.

        """
        if not path.exists():
            return None
        result = load(path)
        measures = {measure for values in result.values.values() for measure in values} - {*self.task.measures}
        same_task = result.headline == self.task.headline and not measures
        version, settings = self.task.version, self.settings
        if same_task and result.is_of(task_version=version, model=identity, settings=settings, limit=self.limit):
            whole = parquet_path(path).exists() and evidence_path(path).exists()
            return result if whole and (kept is None or runs_are_there(path, result, kept)) else None
        limit = result.sample.limit if result.sample else None
        theirs = {"task version": result.task_version, "headline": result.headline, **result.model, "limit": limit}
        ours = {"task version": version, "headline": self.task.headline, **identity, "limit": self.limit}
        others = [*differences(theirs, ours), *_other_settings(result.queries, settings)]
        raise ResultError(
            f"{path} is the result of another run: {'; '.join(others) or 'it is of other measures'}. "
            "Add --force to replace it, or choose another --output."
        )

    def check_data(self, result: Result, path: Path, *, data_dir: Path | None, cache_dir: Path | None) -> None:
        """Returns if a stored result is of the data that is here; data that is pinned, or not here, is not read.

        Raises:
            ResultError: naming what was changed.

        """
        if self.collection is None and (self.task.is_pinned or not self._is_at_hand(data_dir, cache_dir)):
            return
        data = self.read(data_dir=data_dir, cache_dir=cache_dir).checksums
        if changed := [part for part, checksum in data.items() if result.data.get(part) != checksum]:
            raise ResultError(
                f"{path} is the result of other data: the {' and the '.join(changed)} of {self.task.name} were changed "
                "since. Add --force to replace it, or choose another --output."
            )

    def _is_at_hand(self, data_dir: Path | None, cache_dir: Path | None) -> bool:
        """Whether all files are here, so that nothing would be downloaded."""
        return all(
            at_hand(source, language, data_dir=data_dir, task_dir=self.task.file.parent, cache_dir=cache_dir)
            for source in self.task.source.values()
            for language in catalogue.needed(self.task, self.languages)
            if language in source.checksums
        )

    def left_out(self, result: Result) -> str:
        """A sentence on the task's measures that have no value in a result; empty if all have."""
        measured = {measure for values in result.values.values() for measure in values}
        absent = [measure for measure in self.task.measures if measure not in measured]
        if "multi" not in self.kinds or not absent:
            return ""
        fused = result.ranking is not None and result.ranking.alone is not None and {*absent} == {*LOSSES}
        why = "divide up what one ranking loses" if fused else "some language's queries have no value of"
        return f"Left out: {', '.join(absent)}, which {why}."


def jobs_of(
    names: Sequence[str], *, languages: Sequence[str], kinds: Sequence[Kind], limit: int | None = None
) -> list[Job]:
    """The jobs of tasks, each once.

    Raises:
        UsageError: if two tasks have one name.

    """
    jobs = [Job.of(name, languages=languages, kinds=kinds, limit=limit) for name in dict.fromkeys(names)]
    of_name: dict[str, Job] = {}
    for job in jobs:
        if job.task.name in of_name:
            raise UsageError(
                f"Two of the tasks are named {job.task.name}, and would have one result: rename one in its file."
            )
        of_name[job.task.name] = job
    return jobs


def _other_settings(theirs: Some[Setting], ours: Some[Setting]) -> Iterator[str]:
    for verb, some, others in (("has", theirs, ours), ("lacks", ours, theirs)):
        if more := [str(setting) for setting in some if setting not in others]:
            rest = f" and {len(more) - 3} others" if len(more) > 4 else ""
            yield f"it {verb} {', '.join(more[: 3 if rest else 4])}{rest}"
