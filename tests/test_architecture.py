"""The layer rule: a module imports only from strictly lower layers, so that no cycle is possible."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import xlbench
from xlbench import measures

PACKAGE = Path(xlbench.__file__).parent
LAYERS = [
    "__init__ errors arrays",
    "settings support",
    "collection",
    "measures",
    "statistics",
    "models",
    "engine",
    "results",
    "trec",
    "catalogue",
    "job comparison second_stage changes",
    "evaluation sweep",
    "evaluator examination remedies vector_sizes",
    "training",
    "reports",
    "leaderboard",
    "cli",
    "__main__",
]
LAYER = {unit: layer for layer, units in enumerate(LAYERS) for unit in units.split()}
ALLOWED = {
    "torch": {"models", "engine", "training"},
    "click": {"cli"},
    "yaml": {"catalogue", "sweep", "training"},
    "datasets": {"catalogue", "training"},
    "ray": {"engine"},
}
HEAVY = {
    "torch",
    "ray",
    "numba",
    "transformers",
    "sentence_transformers",
    "pytrec_eval",
    "ir_measures",
    "pyarrow",
    "scipy",
    "bm25s",
    "matplotlib",
    "jinja2",
}
UNITS = sorted({path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")})


def imports(unit: str) -> set[str]:
    """The dotted names that a module or subpackage imports, at its head or in a function; ``xlbench.x`` for our own."""
    found = set()
    files = (PACKAGE / unit).rglob("*.py") if (PACKAGE / unit).is_dir() else [PACKAGE / f"{unit}.py"]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    if unit == "__init__":  # The door names what it opens to, for type checkers.
        trees = [ast.Module([node for node in trees[0].body if not isinstance(node, ast.If)], [])]
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{unit} has a relative import, which this test does not follow"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_unit_has_a_layer():
    """Each module or subpackage stands in one layer, and each name in the layers exists."""
    assert sorted(LAYER) == UNITS


def modules() -> dict[str, Path]:
    """The files of the package by dotted name, a folder's ``__init__`` by the folder's."""
    names = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def test_no_module_imports_itself_by_a_detour():
    """The imports between modules have no cycle, not even inside functions; those for type checkers do not count."""
    known = modules()
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                node.body = []
        used = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("xlbench"):
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    used.add(full if full in known else node.module)
        graph[name] = used - {name, "xlbench"}
    ordered = list(TopologicalSorter(graph).static_order())
    assert len(ordered) >= len(graph) - 1


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_imports_only_from_lower_layers(unit):
    """A unit imports only from strictly lower layers; a subpackage is one unit."""
    for name in imports(unit):
        package, used, *_ = [*name.split("."), ""]
        if package == "xlbench" and used not in (unit, "__version__"):
            assert LAYER[used] < LAYER[unit], f"{unit} imports {name}"


@pytest.mark.parametrize("unit", UNITS)
def test_heavy_and_special_packages_stay_where_they_belong(unit):
    """Only the units named beside a package import it, such as torch, click and yaml."""
    used = {name.partition(".")[0] for name in imports(unit)}
    assert {package for package in used if unit not in ALLOWED.get(package, {unit})} == set()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *((command, 0) for command in (["--help"], ["run", "--help"], ["compare", "--help"], ["score", "--help"])),
        *((command, 0) for command in (["report", "--help"], ["tasks"], ["tasks", "xquad-r"], ["models"])),
        (["check", "--help"], 0),
        (["train", "--help"], 0),
        *(
            (command, 0)
            for command in (["submit", "--help"], ["leaderboard", "--help"], ["leaderboard", "check", "--help"])
        ),
        *((command, 2) for command in (["run"], ["tusks"])),
    ],
)
def test_help_and_the_registry_import_nothing_heavy(arguments, code):
    """Help, the list of tasks and a usage error import no torch, numba or transformers."""
    command = [sys.executable, "-X", "importtime", "-m", "xlbench", *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})
    imported = {line.rsplit("|", 1)[1].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
    assert ran.returncode == code
    assert "xlbench.cli" in imported
    assert imported.isdisjoint(HEAVY)


def test_a_name_stands_for_one_thing():
    """A module's name and a public class's name occur once; a command's module may be named as what it calls."""
    modules_of: dict[str, list[str]] = {}
    classes_of: dict[str, list[str]] = {}
    for name, path in modules().items():
        if path.stem not in ("__init__", "__main__") and "cli" not in path.parts:
            modules_of.setdefault(path.stem, []).append(name)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes_of.setdefault(node.name, []).append(name)
    for of in (modules_of, classes_of):
        assert {name: places for name, places in of.items() if len(places) > 1} == {}


def test_measures_are_named_among_the_measures_only():
    """No text in the code of another part is a measure's or a family's name: such names are constants of measures."""
    families = {family.name for family in measures.FAMILIES}
    named = []
    for name, path in modules().items():
        if name.startswith("xlbench.measures"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in documented else None
            if isinstance(text, str) and (text in families or measures.find(text)):
                named.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {text}")
    assert named == []


def test_found_is_no_name():
    """A variable is named for what it holds."""
    named = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if "found" in (getattr(node, "id", None), getattr(node, "arg", None))
    ]
    assert named == []
