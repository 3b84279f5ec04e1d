"""What ``xlbench run`` has to do: tasks, what of them is evaluated, and whether it was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xlbench.errors import ResultError, UnknownNameError
from xlbench.settings import Kind, Setting, settings
from xlbench.support.progress import display

if TYPE_CHECKING:
    from xlbench.engine.debiasing import Debiasing
    from xlbench.models.protocols import Model
    from xlbench.results import Result
    from xlbench.tasks import Task
    from xlbench.trec.write import Kept


@dataclass(frozen=True)
class Job:
    """A task, and what of it is evaluated."""

    given: str
    """The task's name, or its file, as the user gave it."""
    task: Task
    languages: tuple[str, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def of(cls, given: str, wanted: Sequence[str], kinds: Sequence[Kind]) -> Job:
        """The job of a task, given by name or file, in the wanted languages and settings; all where none are."""
        from xlbench.tasks import choose_languages, load
        from xlbench.tasks.readers import why_not

        task = load(given)
        for kind in kinds:
            if kind not in task.settings:
                why = why_not(task.reader, kind) or f"Task {task.name} has no such setting."
                raise UnknownNameError("setting", kind, task.settings, hint=why)
        job = cls(
            given,
            task,
            choose_languages(task, wanted),
            tuple(kind for kind in task.settings if not kinds or kind in kinds),
        )
        if not job.settings:
            of_all = ", ".join(language for language, size in task.sizes.items() if size.passages)
            raise click.UsageError(
                f"{task.name} has no {'/'.join(job.kinds)} setting in {', '.join(job.languages)} alone. Its passages "
                f"are in {of_all}."
            )
        return job

    @property
    def settings(self) -> list[Setting]:
        """The settings of these kinds in these languages, as far as those have queries and passages."""
        asked = [language for language in self.languages if self.task.sizes[language].queries]
        pooled = [language for language in self.languages if self.task.sizes[language].passages]
        return settings(self.kinds, asked, pooled=pooled)


def jobs_of(tasks: Sequence[str], wanted: Sequence[str], kinds: Sequence[Kind]) -> list[Job]:
    """The jobs of tasks, each once; two of one name are an error."""
    jobs = [Job.of(name, wanted, kinds) for name in dict.fromkeys(tasks)]
    names = [job.task.name for job in jobs]
    for name in names:
        if names.count(name) > 1:
            raise click.UsageError(
                f"Two of the tasks are named {name}, and would have one result: rename one in its file."
            )
    return jobs


def left_out(job: Job, result: Result) -> str:
    """A line on the task's measures that the collection gives no value to, if there are any."""
    from xlbench.measures.bias import LOSSES

    found = {measure for values in result.values.values() for measure in values}
    absent = [measure for measure in job.task.measures if measure not in found]
    if "multi" not in job.kinds or not absent:
        return ""
    fused = result.ranking is not None and result.ranking.alone is not None and set(absent) == set(LOSSES)
    why = "divide up what one ranking loses" if fused else "some language's queries have no value of"
    return f"Left out: {', '.join(absent)}, which {why}.\n"


def known_result(job: Job, identity: Mapping[str, Any], path: Path, kept: Kept | None) -> Result | None:
    """The result of just this run, if it is there with all its files; another one in its place is an error."""
    from xlbench.results import evidence_path, load, parquet_path
    from xlbench.trec.write import runs_are_there

    if not path.exists():
        return None
    found = load(path)
    measures = sorted({measure for values in found.values.values() for measure in values} - set(job.task.measures))
    same_task = found.headline == job.task.headline and not measures
    if same_task and found.is_of(task_version=job.task.version, model=identity, settings=job.settings):
        whole = parquet_path(path).exists() and evidence_path(path).exists()
        return found if whole and (kept is None or runs_are_there(path, found, kept)) else None
    compared = [("task version", found.task_version, job.task.version), ("headline", found.headline, job.task.headline)]
    compared += [(key, found.model.get(key), identity.get(key)) for key in dict.fromkeys((*identity, *found.model))]
    compared += [("number of settings", len(found.queries), len(job.settings))]
    differences = [f"its {what} is {theirs}, not {ours}" for what, theirs, ours in compared if theirs != ours]
    raise ResultError(
        f"{path} is the result of another run: {'; '.join(differences) or 'its settings are others'}. "
        "Add --force to replace it, or choose another --output."
    )


@dataclass(frozen=True)
class Subject:
    """What is evaluated, where its vectors are kept, and what of its rankings is."""

    model: Model
    debiasing: Debiasing | None
    cache_dir: Path
    kept: Kept | None


def evaluated(job: Job, subject: Subject, path: Path, *, data_dir: Path | None, quiet: bool) -> Result:
    """The result of a job, which is to be saved as ``path``; its runs are there already, and no older ones."""
    from xlbench.tasks import read_collection
    from xlbench.trec.write import check_ids, clear_runs, save_runs

    progress, kept = display(job.task.name, quiet=quiet), subject.kept
    collection = read_collection(
        job.task, languages=job.languages, data_dir=data_dir, cache_dir=subject.cache_dir, progress=progress
    )
    if kept:
        check_ids(collection)

    # Only here, because it imports torch, which takes longer than finding that the data is missing.
    from xlbench.evaluate import Options, evaluate

    result = evaluate(
        job.task,
        collection,
        subject.model,
        kinds=job.kinds,
        cache_dir=subject.cache_dir,
        options=Options(subject.debiasing, keep=kept.best if kept else 0),
        progress=progress,
    )
    clear_runs(path)
    if kept is None:
        return result
    n_queries = sum(result.queries.values())
    with progress("writing runs", n_texts=n_queries, n_characters=n_queries, noun="rankings") as advance:
        save_runs(path, result, collection, kept=kept, advance=advance)
    return replace(result, environment={**result.environment, **kept.record()})
