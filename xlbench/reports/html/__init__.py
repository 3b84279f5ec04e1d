"""The HTML report: one file with everything in it, which asks nothing of any network."""

from __future__ import annotations

from collections.abc import Sequence

from xlbench.reports.several_models import grouped
from xlbench.results import Result
from xlbench.support.extras import require

__all__ = ["render"]


def render(results: Sequence[Result]) -> str:
    """The report of results with their per-query scores as HTML: the same bytes for the same results.

    Results of one version of a task are compared with the first of them.

    Raises:
        MissingLibraryError: if jinja2 or matplotlib is not installed.

    """
    require("html", "The HTML report")
    import jinja2

    from xlbench.reports.html import page

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("xlbench.reports.html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return page.draw(environment, grouped(results))
