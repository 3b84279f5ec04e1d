"""Suites are tasks that come with xlbench, with measures and settings that these have."""

from __future__ import annotations

import pytest

from xlbench import catalogue
from xlbench.catalogue import suites
from xlbench.errors import TaskError
from xlbench.job import Job
from xlbench.settings import Setting


@pytest.mark.parametrize("name", suites.names())
def test_a_suite_asks_for_what_its_tasks_have(name):
    """Each entry's measure is the task's, and some of the task's settings count."""
    suite = suites.load(name)
    assert suite.name == name
    for entry in suite.tasks:
        task = catalogue.load(entry.task)
        assert entry.measure in task.measures
        assert any(entry.has(setting) for setting in Job.of(task).settings)


def test_the_settings_of_an_entry_are_of_its_kind_and_its_passages():
    """XTREME-R's Tatoeba asks in other languages for English, and not back."""
    of_tatoeba = suites.load("xtreme-r").tasks[1]
    assert of_tatoeba.has(Setting("gle", "eng-gle"))
    assert not of_tatoeba.has(Setting("eng-gle", "gle"))
    assert sum(of_tatoeba.has(setting) for setting in Job.of("tatoeba").settings) == 112


def test_a_suite_stands_for_its_tasks_each_once():
    """Beside other tasks, in the order in which they are named."""
    tasks, asked = suites.expanded(["demo", "xtreme-r", "tatoeba"])
    assert tasks == ["demo", "xquad-r-context", "tatoeba"]
    assert [suite.name for suite in asked] == ["xtreme-r"]


def test_a_file_that_is_no_suite_is_said(tmp_path, monkeypatch):
    """With the key that is at fault."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites/mine.yaml").write_text(
        "name: mine\ntitle: Mine\ncitation: ''\ntasks: [{task: demo, kind: all}]\n"
    )
    monkeypatch.setattr(catalogue, "registry", lambda: tmp_path)
    with pytest.raises(TaskError, match=r"mine.yaml: Invalid enum value 'all' - at `\$.tasks\[0\].kind`"):
        suites.load("mine")
