"""The site of the made-up models, and a browser to see it in."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.leaderboard.made_sites import checked
from xlbench.leaderboard.site import build
from xlbench.leaderboard.site.serve import server


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The folder of a small site."""
    folder = tmp_path_factory.mktemp("built") / "site"
    build(checked(), folder)
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder, which is served meanwhile."""
    with server(folder, port=0) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/"
        listening.shutdown()
        thread.join()


@pytest.fixture
def picture() -> Callable[[Any, str], None]:
    """Keeps a picture of a page in the folder XLBENCH_PICTURES, where that is set: it is for people to look at."""

    def keep(page: Any, name: str) -> None:
        if folder := os.environ.get("XLBENCH_PICTURES"):
            page.screenshot(path=Path(folder) / f"leaderboard-{name}.png", full_page=True)

    return keep


@pytest.fixture
def opened(chromium) -> Callable[..., Any]:
    """Opens a page of a served site; afterwards fails if it asked another host, opened a dialog or had an error."""

    @contextmanager
    def open_page(folder: Path, path: str = "index.html", *, width: int = 1280, scheme: str = "light") -> Iterator[Any]:
        faults: list[str] = []
        with served(folder) as address:
            page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on(
                "request",
                lambda asked: asked.url.startswith((address, "data:")) or faults.append(f"request {asked.url}"),
            )
            page.on("response", lambda found: found.status < 400 or faults.append(f"{found.status} {found.url}"))
            page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
            page.on("console", lambda message: faults.append(f"console {message.type} {message.text}"))
            page.on("pageerror", lambda error: faults.append(f"error {error}"))
            page.goto(f"{address}{path}")
            yield page
            page.close()
        assert faults == []

    return open_page
