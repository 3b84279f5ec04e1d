"""Tests of what is said where a library that some commands need is missing."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from xlbench.errors import MissingLibraryError
from xlbench.support.extras import EXTRAS, how_to_install, require

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_extras_are_those_of_the_package():
    """Every extra but those of developers is known, with the modules that it brings."""
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert sorted(EXTRAS) == sorted(extras.keys() - {"dev", "docs"})
    assert {name: len(modules) for name, modules in EXTRAS.items()} == {name: len(extras[name]) for name in EXTRAS}


def test_missing_modules_are_named_with_what_installs_them(monkeypatch):
    """One or several are said in one sentence; what is installed is not named."""
    require("html", "The HTML report")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingLibraryError) as error:
        require("html", "The HTML report")
    sentence = "The HTML report needs jinja2, which is not installed: pip install 'xlbench[html]'"
    assert str(error.value) == sentence
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingLibraryError, match="jinja2 and matplotlib, which are not installed"):
        require("html", "The HTML report")


@pytest.mark.parametrize(
    ("module", "advised"),
    [
        ("accelerate.utils", "accelerate is not installed: pip install 'xlbench[train]'"),
        ("torch", "torch is not installed, and this command needs it: install xlbench again with its dependencies."),
    ],
)
def test_a_module_that_fails_to_import_has_its_advice(module, advised):
    """A module of an extra is installed by the extra, any other with xlbench."""
    assert how_to_install(module) == advised
