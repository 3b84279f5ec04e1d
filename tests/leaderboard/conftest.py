"""Sound submissions, to be spoilt by a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.leaderboard.made_submissions import made
from xlbench.leaderboard.checks import Checker


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound submission of ``hash`` on ``demo``; not to be changed."""
    return made(tmp_path_factory.mktemp("made"))


@pytest.fixture
def submission(made_once: Path, tmp_path: Path) -> Path:
    """A copy of a sound submission, ``submissions/hash/demo``."""
    return Path(shutil.copytree(made_once, tmp_path / "submissions" / "hash" / "demo"))


@pytest.fixture(scope="session")
def checker() -> Checker:
    """One that has seen the task before, which is faster."""
    return Checker()
