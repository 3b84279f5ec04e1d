"""Tests of the files that a repository has for people and tools: citation, forms, container."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from xlbench import __version__, measures
from xlbench.cli import cli

ROOT = Path(__file__).parents[1]


def test_the_citation_has_the_version_and_the_licence():
    """Who cites xlbench names the version of the package."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    assert citation["license"] == "Apache-2.0"
    assert {"cff-version", "message", "title", "authors", "type"} <= citation.keys()
    assert all({"type", "title", "authors"} <= reference.keys() for reference in citation["references"])


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem)
def test_an_issue_form_is_one(path):
    """Each form has what GitHub asks for, and ids that occur once."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        assert form == {"blank_issues_enabled": True}
        return
    assert {"name", "description", "body"} <= form.keys()
    ids = [entry["id"] for entry in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(entry["attributes"]["label"] for entry in form["body"])


def test_the_container_copies_what_there_is_and_runs_the_demo():
    """Every file that is copied exists and is not ignored, and its command is that of `make demo`."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[0] == "!"]
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert copied
    assert all((ROOT / name).exists() and name in kept for name in copied)
    (command,) = (yaml.safe_load(line.removeprefix("CMD ")) for line in lines if line.startswith("CMD "))
    demo = re.search(r"xlbench (run .*)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert demo is not None
    assert command == shlex.split(demo[1])
    assert command[0] in cli.commands


def test_what_the_package_needs_to_be_built_is_in_the_container():
    """The files that pyproject names for the metadata are copied before the package is installed."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    before = lines[: next(i for i, line in enumerate(lines) if "pip install" in line and "'." in line)]
    copied = {name for line in before if line.startswith("COPY") for name in line.split()[1:-1]}
    assert {"pyproject.toml", "README.md", "LICENSE", "tasks", "xlbench"} <= copied


NAV = re.compile(r"[\w./-]+\.md$")
MADE = {"index.md", "tutorial.md", "benchmarks.md", "contributing.md", "changelog.md", "api.md"}


def entries(nav) -> list[str]:
    """The pages of a navigation of MkDocs."""
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in entries(part)]


def test_every_page_is_in_the_sites_navigation():
    """A page of docs/ that is named nowhere would not be found; those that are not there are made by the hook."""
    named = {page for page in entries(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]) if NAV.match(page)}
    there = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert named - MADE == there


def test_every_measure_is_explained():
    """The page of measures has a section for each family of the registry, and for nothing else."""
    headings = re.findall(r"^### (\w+)$", (ROOT / "docs/measures.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(family.name for family in measures.FAMILIES)


def test_the_notebook_has_no_output():
    """What its cells give is seen when it is run, and would be old in the repository."""
    cells = json.loads((ROOT / "docs/tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells if "outputs" in cell)
