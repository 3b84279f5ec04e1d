"""Pages: the templates filled in. They share their parts and their look with the HTML report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from xlbench.errors import ResultError
from xlbench.leaderboard.site import site_texts
from xlbench.reports.html.parts import Facts, PageTable, Section

if TYPE_CHECKING:
    from jinja2 import Environment

    from xlbench.leaderboard.site.figures import TaskFigures

# What could end a script element or a line of one.
_IN_SCRIPT = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"})
_LIBRARY = "dataTables.min.js"
SCRIPTS = {
    "index.html": (_LIBRARY, "report.js", "site.js", "table.js", "plane.js", "overview.js"),
    "compare.html": ("site.js", "compare.js"),
    "model": ("report.js",),
}
"""The scripts of each page, in the order in which they run."""


def section(part: Section) -> str:
    """A part of a model's page as HTML."""
    return _environment().get_template("sections.html.jinja").render(part=part)


@dataclass(frozen=True)
class Links:
    """Where the pages lead to beside each other, and where they are; each may be empty."""

    repository: str = ""
    """The address of the project's repository, where models are submitted."""
    address: str = ""
    """The site's own address, which a picture for sharing needs."""


NO_LINKS = Links()


@dataclass(frozen=True)
class ModelPage:
    """What the page of a model says."""

    key: str
    label: str
    link: str
    """Where the model can be found."""
    levels: Sequence[tuple[str, str]]
    """Each task with how far its submission was checked."""
    about: Facts
    contents: Sequence[Section]
    """The headings of its parts."""
    parts: Sequence[str]
    """HTML of ``section``, one a task."""


def model(page: ModelPage, links: Links = NO_LINKS) -> bytes:
    """The page of a model."""
    headings = [Section("about", "About the model"), *page.contents]
    # A link may lead to a web page, and do nothing else.
    safe = page.link if page.link.startswith(("https://", "http://")) else ""
    return _page("model.html.jinja", "model", links, model=page, link=safe, contents_of=headings)


def overview(data: Any, over_all: PageTable, of_tasks: Sequence[TaskFigures], links: Links = NO_LINKS) -> bytes:
    """The first page, which draws its board from the data."""
    drawn = {"over_all": over_all, "of_tasks": of_tasks}
    return _page("overview.html.jinja", "index.html", links, data=in_script(data), **drawn)


def compare(data: Any, links: Links = NO_LINKS) -> bytes:
    """The page that tests models against another."""
    return _page("compare.html.jinja", "compare.html", links, data=in_script(data))


def assets() -> dict[str, bytes]:
    """The files that the pages share, by name."""
    from xlbench.reports.html.heatmaps import style_sheet

    of_report, of_site = files("xlbench.reports.html") / "templates", files("xlbench.leaderboard.site")
    contents = {path.name: path.read_bytes() for path in (of_site / "assets").iterdir()}
    library = of_site / "vendor" / "datatables"
    contents[_LIBRARY] = (library / _LIBRARY).read_bytes()
    contents["dataTables.LICENSE.txt"] = (library / "LICENSE.txt").read_bytes()
    contents["report.css"] = (of_report / "style.css").read_bytes() + style_sheet().encode()
    contents["report.js"] = (of_report / "script.js").read_bytes()
    return contents


def in_script(data: Any) -> str:
    """Data as JSON that cannot leave the script element it stands in."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).translate(_IN_SCRIPT)


def _page(template: str, page: str, links: Links, **values: Any) -> bytes:
    root = "../" if page == "model" else ""
    shared = {"page": page, "root": root, "scripts": SCRIPTS[page], "texts": site_texts, "links": links}
    text = _environment().get_template(template).render(**shared, **values)
    # Half a surrogate pair, which JSON lets through, is no character of a file.
    return text.encode("utf-8", "replace")


@cache
def _environment() -> Environment:
    try:
        import jinja2
        import matplotlib  # noqa: F401 (only whether it is there)
    except ImportError as error:
        raise ResultError(
            f"The site needs jinja2 and matplotlib, but {error.name} is not installed: pip install 'xlbench[html]'"
        ) from error
    packages = ("xlbench.leaderboard.site", "xlbench.reports.html")
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
