"""Makes the pages of the documentation that are no files in docs/, and leads links to where the site has them.

A hook of MkDocs; `make docs` builds the site, with pages from files of the repository, the task files, the commands and
the names of the package's door.
"""

from __future__ import annotations

import inspect
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import xlbench
from xlbench import catalogue, measures
from xlbench.cli import GROUPS
from xlbench.measures.measure import Family

ROOT = Path(__file__).parents[1]
OF_REPOSITORY = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "docs/tutorial.ipynb": "tutorial.md",
}
"""Files of the repository that are pages, and what these are called."""
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")
_LINKED = re.compile(r"(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)[^)]*\)")
_MARKED = str.maketrans({character: f"\\{character}" for character in "*_["})
_FAMILY = re.compile(r"^### (\w+)$", re.MULTILINE)
_DIRECTIONS = {
    "higher": "Higher is better.",
    "lower": "Lower is better.",
    "nearer": "Nearer to the value of a perfect ranking is better.",
    "neither": "Neither higher nor lower is better.",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Puts a page for each task, and for each command, into the navigation."""
    for section in config.nav or []:
        for title, entries in section.items():
            if isinstance(entries, list):
                section[title] = [_expanded(entry) for entry in entries]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made."""
    for path, content in made_pages().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Leads links from the repository's files to its pages, and adds to each measure what the registry knows of it."""
    del config, files
    if page.file.src_uri == "measures.md":
        markdown = _FAMILY.sub(lambda match: f"{match[0]}\n\n{_facts(match[1])}", markdown)
    source = {made: source for source, made in OF_REPOSITORY.items()}.get(page.file.src_uri)
    return linked(markdown, source or f"docs/{page.file.src_uri}", page.file.src_uri)


def linked(markdown: str, source: str, page: str) -> str:
    """The text of a file of the repository as that of a page; what has no page is no link.

    ``source`` and ``page`` are the paths of the two.
    """

    def goal(link: str) -> str | None:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        made = OF_REPOSITORY.get(target) or (target.removeprefix("docs/") if target.startswith("docs/") else None)
        return posixpath.relpath(made, posixpath.dirname(page) or ".") if made else None

    markdown = _LINKED.sub(lambda match: match[0] if goal(match[2]) else match[1], markdown)
    return _LINK.sub(lambda match: goal(match[1]) or match[0], markdown)


def made_pages() -> Mapping[str, str]:
    """The text of each page that is made, by its path."""
    pages = {"api.md": _api(), "tasks/index.md": _tasks(), "commands/index.md": _commands()}
    pages |= {f"tasks/{name}.md": _task(name) for name in catalogue.names()}
    pages |= {f"commands/{command.name}.md": _command(command, example) for command, example in _all_commands()}
    for source, made in OF_REPOSITORY.items():
        if (ROOT / source).exists():
            text = (ROOT / source).read_text(encoding="utf-8")
            pages[made] = _notebook(text) if source.endswith(".ipynb") else text
    return pages


def _expanded(entry: Any) -> Any:
    """An entry of the navigation, a folder of made pages with all of them."""
    if isinstance(entry, dict):
        ((title, path),) = entry.items()
        if path in ("tasks/", "commands/"):
            names = catalogue.names() if path == "tasks/" else [command.name for command, _ in _all_commands()]
            return {title: [f"{path}index.md", *({name: f"{path}{name}.md"} for name in names)]}
    return entry


def _all_commands() -> Iterator[tuple[click.Command, str]]:
    for commands in GROUPS.values():
        yield from commands.items()


def _facts(name: str) -> str:
    """What the registry says of a family of measures."""
    family = family_of(name)
    measure = family.find(name) or family.find(f"{name}@10")
    if measure is None:
        raise ValueError(f"{name} has no measure")
    cut = "with a cut-off" if family.needs_cutoff else "with a cut-off or without" if family.takes_cutoff else ""
    trec = f"trec_eval's `{measure.trec_name}`" if measure.trec_name else ""
    kinds = ", ".join(measure.kinds)
    facts = filter(None, [cut, f"in {kinds}", f"shown with {measure.decimals} decimals", trec])
    return f"*{measure.about}* {_DIRECTIONS[measure.better]} `{measure.name}`: {', '.join(facts)}."


def family_of(name: str) -> Family:
    """The family of a name."""
    return next(family for family in measures.FAMILIES if family.name == name)


def _api() -> str:
    entries = []
    for name in xlbench.__all__:
        of = getattr(xlbench, name)
        options = f"    options:\n      heading: xlbench.{name}\n      toc_label: {name}\n"
        entries.append(f"::: {of.__module__}.{of.__qualname__}\n{options}")
    return "# API reference\n\nAll that `import xlbench` gives.\n\n" + "\n".join(entries)


def _tasks() -> str:
    rows = []
    for name in catalogue.names():
        task = catalogue.load(name)
        sizes = task.sizes.values()
        counted = all(size.counted for size in sizes)
        n_queries = f"{sum(size.queries for size in sizes):,}" if counted else "?"
        n_passages = f"{sum(size.passages for size in sizes):,}" if counted else "?"
        rows.append(f"| [{name}]({name}.md) | {task.title} | {len(task.languages)} | {n_queries} | {n_passages} |")
    head = "| task | | languages | queries | passages |\n|---|---|--:|--:|--:|"
    return "\n".join(["# Tasks", "", head, *rows, ""])


def _task(name: str) -> str:
    task = catalogue.load(name)
    facts = {
        "Settings": ", ".join(task.settings),
        "Headline": f"`{task.headline}`",
        "Measures": ", ".join(f"`{measure}`" for measure in task.measures),
        "A passage is": task.text,
        "Licence": task.licence,
        "Version": str(task.version),
    }
    of_tables = (f"hf://datasets/{table.name}@{table.revision}" for table in task.tables.values())
    urls = dict.fromkeys([*(source.url or "comes with xlbench" for source in task.source.values()), *of_tables])
    facts |= {"Source": "<br>".join(f"`{url}`" if ":" in url else url for url in urls)} if urls else {}
    sizes = [
        f"| {code} | {size.queries:,} | {size.passages:,} |" if size.counted else f"| {code} | ? | ? |"
        for code, size in task.sizes.items()
    ]
    return "\n".join(
        [
            f"# {name}",
            f"\n{task.title}.\n",
            f"```sh\nxlbench run --task {name} --model MODEL\n```\n",
            "| | |\n|---|---|",
            *(f"| {key} | {value} |" for key, value in facts.items()),
            f"\n{' '.join(task.citation.split())}\n",
            "| language | queries | passages |\n|---|--:|--:|",
            *sizes,
            "",
        ]
    )


def _commands() -> str:
    lines = ["# Commands", ""]
    for heading, commands in GROUPS.items():
        lines += [f"## {heading}", ""]
        lines += [f"- [xlbench {of.name}]({of.name}.md): {of.get_short_help_str(200)}" for of in commands] + [""]
    return "\n".join(lines)


def _command(command: click.Command, example: str) -> str:
    context = click.Context(command, info_name=f"xlbench {command.name}", max_content_width=100)
    parts = [f"# xlbench {command.name}", *_described(command, context), f"Example:\n\n```sh\n{example}\n```"]
    for name, within in sorted(getattr(command, "commands", {}).items()):
        parts.append(f"## xlbench {command.name} {name}")
        parts += _described(within, click.Context(within, info_name=name, parent=context))
    return "\n\n".join(parts) + "\n"


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    """The usage, the help and the options of a command."""
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield f"```text\n{usage}\n```"
    yield _plain(inspect.cleandoc(command.help or "").replace("\b\n", ""))
    records = [record for option in command.get_params(context) if (record := option.get_help_record(context))]
    rows = [f"| <code>{_cell(escape(name))}</code> | {_plain(_cell(about))} |" for name, about in records if about]
    if rows:
        yield "\n".join(["| option | |\n|---|---|", *rows])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "&#124;")


def _plain(text: str) -> str:
    """Text of a terminal, in which a name in angle brackets or stars is nothing else; what is quoted is code."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;").translate(_MARKED) for part in parts[::2]]
    return "`".join(parts)


def _notebook(text: str) -> str:
    """The cells of a notebook: text as it is, and code as code."""
    cells = json.loads(text)["cells"]
    return "\n\n".join(
        "".join(cell["source"]) if cell["cell_type"] == "markdown" else f"```python\n{''.join(cell['source'])}\n```"
        for cell in cells
    )
