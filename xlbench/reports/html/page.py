"""The page: its sections, its contents, and the template filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from xlbench.reports.html import compared, heatmaps, model
from xlbench.reports.html.parts import Section
from xlbench.reports.html.shared import Shared
from xlbench.reports.several_models import Group

if TYPE_CHECKING:
    from jinja2 import Environment

_MANY = 3


def draw(environment: Environment, groups: Sequence[Group]) -> str:
    """The page of these groups of results."""
    parts = files("xlbench.reports.html") / "templates"
    style, script = ((parts / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    drawn = environment.get_template("report.html.jinja").render(
        title=_title(groups),
        sections=[_of_task(group, f"t{i + 1}") for i, group in enumerate(groups)],
        # Of a few models all parts, of many only where each begins.
        levels=3 if sum(len(group.results) for group in groups) < _MANY else 2,
        languages=_languages(groups),
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


def _of_task(group: Group, key: str) -> Section:
    return Section(key, group.title, sections=list(_parts(group, key)))


def _parts(group: Group, key: str) -> Iterator[Section]:
    aligned = compared.alignment(group, key=f"{key}-alignment")
    if len(group.results) > 1:
        yield compared.section(group, key=f"{key}-models")
        if aligned:
            yield aligned
    shared = Shared.of(group.results)
    for i, (result, label) in enumerate(zip(group.results, group.labels, strict=True)):
        yield model.section(result, key=f"{key}-m{i + 1}", label=label, shared=shared)
    if aligned and len(group.results) == 1:
        yield aligned


def _languages(groups: Sequence[Group]) -> list[str]:
    """All languages of the queries, in alphabetical order."""
    return sorted({name.query for group in groups for result in group.results for name in result.queries})
