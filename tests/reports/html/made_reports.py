"""Real results of small models on the demo task, and a browser where one is installed.

A plugin of its own, as a conftest here would take the place of the one above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.made_evaluation import evaluate
from xlbench import catalogue, models
from xlbench.measures.values import QueryValues
from xlbench.results import Result
from xlbench.settings import KINDS, Setting

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "]]></style><svg onload=alert(3)>")
# The name of a setting splits at '>', so that no language has one.
HOSTILE_LANGUAGES = ("<svg onload=alert(4) ", "\"'<img src=x onerror=alert(5) ", "]]&lt;</style ", "$x_$ {{ 7 }}")


@pytest.fixture(scope="session")
def hostile_names() -> tuple[str, ...]:
    """Names of a model, a task and a language with markup in them."""
    return (*HOSTILE[:2], HOSTILE_LANGUAGES[0])


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Callable[..., Result]:
    """Makes the result of hashing into so many dimensions on the demo task, in these languages."""
    cache = tmp_path_factory.mktemp("cache")
    task = catalogue.load("demo")
    made: dict[object, Result] = {}

    def result(*languages: str, dimensions: int = 512) -> Result:
        if (languages, dimensions) not in made:
            collection = catalogue.read_collection(task, languages=languages, data_dir=None, cache_dir=cache)
            model = models.load("hash", device=None, arguments={"dimensions": dimensions})
            of_task = replace(task, languages=("ar", "de", "en", "th"))
            made[languages, dimensions] = evaluate(of_task, collection, model, kinds=KINDS, cache_dir=cache)
        return made[languages, dimensions]

    return result


@pytest.fixture(scope="session")
def whole(demo) -> Result:
    """A whole result in four languages."""
    command = "xlbench run --model hash --task 'demo'"
    result = demo("ar", "de", "en", "th")
    return replace(
        result,
        environment={**result.environment, "command": command},
        timing={"encode_s": 1.25, "encoded_share": 1.0, "search_s": 0.5},
    )


@pytest.fixture(scope="session")
def other(demo) -> Result:
    """Another model's result in the same languages."""
    return demo("ar", "de", "en", "th", dimensions=16)


@pytest.fixture(scope="session")
def partial(demo) -> Result:
    """A result without two of the task's languages."""
    return demo("de", "en")


def renamed(result: Result, languages: Mapping[str, str], **changes: Any) -> Result:
    """The result with other names of languages."""

    def language(name: str) -> str:
        return languages.get(name, name)

    def setting(of: Any) -> Any:
        """Kinds of setting stay as they are."""
        if isinstance(of, str):
            return of
        return Setting(language(of.query), None if of.passages is None else language(of.passages))

    def keys(found: Mapping[Any, Any], name: Callable[[Any], Any]) -> dict[Any, Any]:
        return {name(key): value for key, value in found.items()}

    return replace(
        result,
        values=keys(result.values, setting),
        queries=keys(result.queries, setting),
        intervals=keys(result.intervals, setting),
        matrices={
            name: keys({a: keys(row, language) for a, row in matrix.items()}, language)
            for name, matrix in result.matrices.items()
        },
        per_query=tuple(QueryValues(setting(s.setting), s.query, s.values) for s in result.per_query),
        alignment={},
        **changes,
    )


@pytest.fixture(scope="session")
def hostile(whole) -> Result:
    """A result with markup in every name that a file may choose."""
    script, image, style = HOSTILE
    return renamed(
        whole,
        dict(zip(("ar", "de", "en", "th"), HOSTILE_LANGUAGES, strict=True)),
        task=image,
        model={"name": script, "revision": image, "adapter": style, "arguments": {image: script}},
        environment={"command": f"xlbench run --model {script}", image: {style: [script]}},
        missing_languages=[script],
    )


@pytest.fixture
def opened(chromium, tmp_path) -> Callable[..., Any]:
    """Opens a page from a file, with all that is folded open unless it is to stay so.

    Afterwards it fails if the page asked for anything, opened a dialog or had an error.
    """

    @contextmanager
    def open_page(
        html: str, *, width: int = 1280, scheme: str = "light", folded: bool = False, at: str = ""
    ) -> Iterator[Any]:
        file = Path(tmp_path / "report.html")
        file.write_text(html, encoding="utf-8")
        faults: list[str] = []
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on(
            "request",
            lambda request: request.url.partition("#")[0] == file.as_uri() or faults.append(f"request {request.url}"),
        )
        page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("console", lambda message: faults.append(f"console {message.type} {message.text}"))
        page.on("pageerror", lambda error: faults.append(f"error {error}"))
        page.goto(f"{file.as_uri()}{at}")
        if not folded:
            page.evaluate("document.querySelectorAll('.part').forEach((part) => { part.open = true; })")
        yield page
        page.close()
        assert faults == []

    return open_page
