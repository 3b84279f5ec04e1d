"""A Hugging Face Hub on loopback: as much of its protocol as huggingface_hub asks for to list and download files."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(http.server.ThreadingHTTPServer):
    """Serves ``files`` by repository (of data or of a model) and path, at ``commits`` and on main."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.gated: set[str] = set()
        self.commits = {COMMIT}
        self.token = "hf_letmein"
        self.asked: list[str] = []
        """The methods and paths of the requests."""
        self.fails_at: str | None = None
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def downloads(self) -> list[str]:
        """The names of the files that were downloaded."""
        return [path.rpartition("/")[2] for path in self.asked if path.startswith("GET /datasets/")]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        parts = path.strip("/").removeprefix("api/").split("/")
        owner, name, *rest = parts[1:] if parts[0] in ("datasets", "models") else parts
        what, revision = rest[:2] if rest else ("revision", "main")
        repository, inside = f"{owner}/{name}", "/".join(rest[2:])
        files = self.server.files.get(repository)
        if files is None:
            self._refuse(401, "RepoNotFound")
        elif repository in self.server.gated and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            self._refuse(401, "GatedRepo")
        elif revision not in (*self.server.commits, "main"):
            self._refuse(404, "RevisionNotFound")
        elif what == "revision":
            self._send(json.dumps({"id": repository, "sha": COMMIT, "tags": []}).encode(), "application/json")
        elif what == "tree":
            self._send(json.dumps(_tree(files, inside)).encode(), "application/json")
        elif inside not in files:
            self._refuse(404, "EntryNotFound")
        elif self.server.fails_at == inside and self.command == "GET":
            self._refuse(403, "")
        else:
            self._send(files[inside], "application/octet-stream")

    def _send(self, content, kind):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", kind)
        self.send_header("X-Repo-Commit", next(iter(self.server.commits)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _refuse(self, status, code):
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", f"{code} it is")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Is silent."""


def _tree(files, folder):
    """The entries of a folder, files and folders."""
    prefix = f"{folder}/" if folder else ""
    inside = [name for name in files if name.startswith(prefix)]
    folders = {name[len(prefix) :].partition("/")[0] for name in inside if "/" in name[len(prefix) :]}
    return [{"type": "directory", "oid": "0", "path": prefix + name} for name in sorted(folders)] + [
        {"type": "file", "oid": "0", "size": len(files[name]), "path": name}
        for name in sorted(inside)
        if "/" not in name[len(prefix) :]
    ]


@contextmanager
def serving(monkeypatch, home) -> Iterator[Hub]:
    """A Hub that the library asks, with nobody logged in."""
    with Hub() as hub:
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(home / "token"))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
