"""What the tests share: the real data where there is any, and small collections and encoders made on the spot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.engine.vectors import Embeddings

if TYPE_CHECKING:
    from xlbench.engine.scores import VectorScores

# Several test processes with as many threads each would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=_CHECKS)
settings.register_profile("thorough", max_examples=300, deadline=None, suppress_health_check=_CHECKS)
settings.load_profile("default")

_ROOT = Path(__file__).parents[1]
_CANDIDATES = [Path(folder) for folder in (os.environ.get("XLBENCH_DATA"), _ROOT.parent / "shared" / "data") if folder]
REAL_DATA = next((folder for folder in _CANDIDATES if (folder / "lareqa").is_dir()), None)


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDS = {
    "real_data": (REAL_DATA is not None, "the real data sets are not here: set XLBENCH_DATA to their folder"),
    "browser": (CHROMIUM is not None and find_spec("playwright") is not None, "no Chromium or no Playwright is here"),
    "latex": (shutil.which("pdflatex") is not None, "no pdflatex is here"),
}
"""What the tests with a marker need: whether it is here, and why they are skipped if not."""


def pytest_addoption(parser):
    """Adds the option with which something missing is a failure."""
    parser.addoption("--require", action="append", default=[], choices=[*NEEDS], help="fail where this is not here")


def pytest_configure(config):
    """Fails at once if something required is not here."""
    for name in config.getoption("--require"):
        here, reason = NEEDS[name]
        if not here:
            raise pytest.UsageError(f"--require {name}: {reason}")


def pytest_collection_modifyitems(items):
    """Skips the tests that need something which is not here."""
    for item in items:
        for name, (here, reason) in NEEDS.items():
            if item.get_closest_marker(name) and not here:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real data sets."""
    assert REAL_DATA is not None
    return REAL_DATA


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The Chromium that is installed, headless; for tests with the marker ``browser``."""
    from playwright import sync_api

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    arguments += ["--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def random_collection(
    rng: np.random.Generator, *, n_languages: int = 3, n_queries: int = 8, n_passages: int = 20
) -> Collection:
    """A collection with ragged relevance, graded gains, repeated texts, and ids that sort differently as numbers.

    Some languages lack some queries; some ids are not ASCII; some queries have no relevant passage in some languages.
    """
    languages = ["zz", "aa", "mm", "bb"][:n_languages]
    words = [f"word{i}" for i in range(max(3, n_passages // 2))]
    queries = [
        Text(f"{language}:{rng.choice(['q', 'ü', 'q-'])}{i}", language, f"{rng.choice(words)}?")
        for language in languages
        for i in range(n_queries)
        if rng.random() < 0.8 or i == 0
    ]
    passages = [
        Text(f"{language}:{i}{rng.choice(['', 'é', '#0'])}", language, str(rng.choice(words)))
        for language in languages
        for i in range(n_passages)
    ]
    judgements = [
        Judgement(query.id, passages[j].id, int(rng.integers(1, 4)))
        for query in queries
        for j in rng.choice(len(passages), size=rng.integers(1, 6), replace=False)
    ]
    return Collection.build(languages, queries, passages, judgements)


def integer_vector(text: str, seed: int = 0) -> np.ndarray:
    """A text's vector of four small integers, the same wherever the text stands: products are exact, ties plentiful."""
    return np.random.default_rng([seed, *text.encode()]).integers(-1, 2, size=4).astype(np.float32)


def embeddings(texts: Texts, vector_of: Callable[[str], np.ndarray]) -> Embeddings:
    """The vectors of these texts as the engine takes them: one for each distinct text."""
    vectors = np.stack([vector_of(texts.text[row]) for row in texts.distinct.first])
    return Embeddings(vectors=vectors, row=texts.distinct.row)


def vector_scores(collection: Collection, vector_of: Callable[[str], np.ndarray]) -> VectorScores:
    """The scores of a collection by these vectors."""
    from xlbench.engine.scores import VectorScores

    return VectorScores(embeddings(collection.queries, vector_of), embeddings(collection.passages, vector_of))


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Has torch use so many threads; one is steadier on a busy machine, where two wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
