"""Tests of the wheel: what it holds is enough to run the demo from an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from xlbench import __version__

ROOT = Path(__file__).parents[1]


def python(*arguments: object, **options: object) -> str:
    """The standard output of this Python with these arguments, which must succeed."""
    found = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", **options
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of a copy of the tree, so that a build leaves nothing behind in the tree itself."""
    tree = tmp_path_factory.mktemp("tree") / "xlbench"
    left_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "dist")
    # The results folder of whoever works here, but not the package of that name.
    shutil.copytree(
        ROOT, tree, ignore=lambda at, names: {*left_out(at, names), *(["results"] if at == str(ROOT) else [])}
    )
    built = tmp_path_factory.mktemp("built")
    python("-m", "hatchling", "build", "-t", "wheel", "-d", built, cwd=tree)
    (found,) = built.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with the wheel's packages, and no others."""
    target = tmp_path_factory.mktemp("target")
    flags = ["--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--quiet"]
    python("-m", "pip", "install", *flags, "--target", target, wheel)
    return target


@pytest.fixture
def xlbench(installed, tmp_path):
    """Runs ``python -m xlbench`` of the wheel from an empty folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XLBENCH_")}
    environment |= {"PYTHONPATH": str(installed), "XLBENCH_CACHE": str(tmp_path / "cache")}
    (tmp_path / "empty").mkdir()
    return lambda *arguments: python("-m", "xlbench", *arguments, cwd=tmp_path / "empty", env=environment)


def test_the_wheel_holds_the_package_and_the_tasks(wheel):
    """Every file of the package, every task file, the demo's texts and the licence are in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = [path for path in _files(ROOT / "xlbench") if "__pycache__" not in path.parts]
    modules = {path.relative_to(ROOT).as_posix() for path in files}
    assert modules >= {"xlbench/py.typed", "xlbench/reports/paper_tables.tsv", "xlbench/results/__init__.py"}
    tasks = {f"xlbench/task_files/{path.relative_to(ROOT / 'tasks').as_posix()}" for path in _files(ROOT / "tasks")}
    assert tasks >= {"xlbench/task_files/demo.yaml", "xlbench/task_files/demo/demo.jsonl"}
    info = f"xlbench-{__version__}.dist-info"
    assert names >= modules | tasks | {f"{info}/licenses/LICENSE", f"{info}/entry_points.txt"}
    assert all(name.startswith(("xlbench/", f"{info}/")) for name in names)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_wheel_says_what_it_needs(wheel):
    """The metadata has the version of the package, and the extras that `xlbench models` names."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"xlbench-{__version__}.dist-info/METADATA").decode()
    metadata = Parser().parsestr(text)
    assert metadata["Version"] == __version__
    assert {"bm25", "use-multilingual", "dev"} <= {*metadata.get_all("Provides-Extra")}


def test_the_tasks_of_an_installed_package_come_from_the_wheel(xlbench, installed):
    """`xlbench tasks` lists the task files of the tree, and reads them where the wheel put them."""
    tasks, _, of_suites = xlbench("tasks").partition("\nSuites\n")
    rows = [line.split()[0] for line in tasks.splitlines()[3:] if line]
    assert "xtreme-r" in of_suites
    assert rows == sorted(path.stem for path in (ROOT / "tasks").glob("*.yaml"))
    assert f"file:        {installed / 'xlbench/task_files/demo.yaml'}" in xlbench("tasks", "demo").splitlines()


def test_an_installed_package_runs_the_demo_from_an_empty_folder(xlbench, tmp_path):
    """The built-in task needs no data folder and no network, and its result has all settings of 11 languages."""
    out = xlbench("run", "--task", "demo", "--model", "hash")
    assert out.endswith("Saved to results/hash/demo.json\n")
    result = json.loads((tmp_path / "empty/results/hash/demo.json").read_text(encoding="utf-8"))
    assert len(result["scores"]) == 11 + 110 + 11
