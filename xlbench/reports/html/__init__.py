"""The HTML report: one file with everything in it, which asks nothing of any network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xlbench.reports.cells import Table
from xlbench.reports.html.parts import SECTIONS
from xlbench.reports.several_models import grouped
from xlbench.results import Result
from xlbench.support.extras import require

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["SECTIONS", "render", "render_tables"]


def render(results: Sequence[Result], *, sections: Sequence[str] = SECTIONS) -> str:
    """The report of results with their per-query scores as HTML: the same bytes for the same results.

    Results of one version of a task are compared with the first of them. ``sections`` are names of ``SECTIONS``.

    Raises:
        MissingLibraryError: if jinja2 or matplotlib is not installed.

    """
    environment = _environment()

    from xlbench.reports.html import page

    return page.draw(environment, grouped(results), sections=sections)


def render_tables(title: str, tables: Sequence[Table], said: Sequence[str] = ()) -> str:
    """Tables as a page of the same form, each a section, with what is ``said`` of them above all.

    Raises:
        MissingLibraryError: if jinja2 or matplotlib is not installed.

    """
    environment = _environment()

    from xlbench.reports.html import page

    return page.of_tables(environment, title, tables, said)


def _environment() -> Environment:
    require("html", "The HTML report")
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("xlbench.reports.html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
