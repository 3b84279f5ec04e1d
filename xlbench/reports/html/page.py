"""The page: its sections, its contents, and the template filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from xlbench.reports.cells import Table
from xlbench.reports.html import compared, first_screen, heatmaps, model
from xlbench.reports.html.page_tables import page_table
from xlbench.reports.html.parts import SECTIONS, Section, Sentences
from xlbench.reports.html.shared import Shared
from xlbench.reports.judged_group import JudgedGroup
from xlbench.reports.several_models import Group
from xlbench.reports.words import SMOKE_TEST

if TYPE_CHECKING:
    from jinja2 import Environment

_MANY = 3


def draw(environment: Environment, groups: Sequence[Group], *, sections: Collection[str]) -> str:
    """The page of these groups of results: the overview, then the tasks, real ones first; only these sections."""
    judged = [JudgedGroup.of(group) for group in sorted(groups, key=lambda group: group.results[0].task == SMOKE_TEST)]
    groups = [of.group for of in judged]
    several = sum(len(group.results) for group in groups) > 1
    drawn = [
        first_screen.section(judged),
        *(_of_task(of, f"t{i + 1}", folded=several) for i, of in enumerate(judged)),
    ]
    kept = [part for each in drawn if (part := _kept(each, sections))]
    # Of a few models all parts, of many only where each begins.
    levels = 3 if sum(len(group.results) for group in groups) < _MANY else 2
    return _filled(environment, _title(groups), kept, levels=levels, languages=_languages(groups))


def _kept(section: Section, names: Collection[str]) -> Section | None:
    """The section if it is named, or with those within it that are; None if there are none."""
    name = section.key.rpartition("-")[2]
    if name in names:
        return section
    within = [part for each in section.sections if (part := _kept(each, names))]
    if not within:
        return None
    # A section that could have been named is left with its heading; that of a task or a model has its figures.
    left = replace(section, sections=within)
    return replace(left, how="", blocks=()) if name in SECTIONS else left


def of_tables(environment: Environment, title: str, tables: Sequence[Table], said: Sequence[str]) -> str:
    """The page of these tables, each a section that says how to read it."""
    first = [Section("said", "In short", blocks=[Sentences(tuple(said))])] if said else []
    sections = [
        Section(f"t{i + 1}", table.title, how=table.note, blocks=[page_table(table)]) for i, table in enumerate(tables)
    ]
    return _filled(environment, title, [*first, *sections], levels=2, languages=[])


def _filled(
    environment: Environment, title: str, sections: Sequence[Section], *, levels: int, languages: Sequence[str]
) -> str:
    parts = files("xlbench.reports.html") / "templates"
    style, script = ((parts / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    drawn = environment.get_template("report.html.jinja").render(
        title=title,
        sections=sections,
        levels=levels,
        languages=languages,
        style=f"{style}{heatmaps.style_sheet()}",
        script=script,
    )
    # Half a surrogate pair, which JSON lets through, is no character of a file.
    return drawn.encode("utf-8", "replace").decode("utf-8")


def _title(groups: Sequence[Group]) -> str:
    models = list(dict.fromkeys(str(result.model["name"]) for group in groups for result in group.results))
    tasks = list(dict.fromkeys(group.results[0].task for group in groups))
    of_models = models[0] if len(models) == 1 else f"{len(models)} models"
    return f"{of_models} on {', '.join(tasks[:-1]) + ' and ' if len(tasks) > 1 else ''}{tasks[-1]}"


def _of_task(of: JudgedGroup, key: str, *, folded: bool) -> Section:
    """All about a task; ``folded`` are the details of its models."""
    return Section(key, of.group.title, sections=list(_parts(of, key, folded=folded)))


def _parts(of: JudgedGroup, key: str, *, folded: bool) -> Iterator[Section]:
    group = of.group
    aligned = compared.alignment(group, key=f"{key}-alignment")
    if len(group.results) > 1:
        yield compared.section(of, key=f"{key}-models")
        if aligned:
            yield replace(aligned, folded=True)
    shared = Shared.of(group.results)
    for i, (result, label) in enumerate(zip(group.results, group.labels, strict=True)):
        yield replace(model.section(result, key=f"{key}-m{i + 1}", label=label, shared=shared), folded=folded)
    if aligned and len(group.results) == 1:
        yield aligned


def _languages(groups: Sequence[Group]) -> list[str]:
    """All languages of the queries, in alphabetical order."""
    return sorted({name.query for group in groups for result in group.results for name in result.queries})
