"""server: a built site on the loopback address, for a look at it."""

from __future__ import annotations

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

from xlbench.errors import ResultError

_NAMES = ("127.0.0.1", "localhost")


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the standard library)
        """Says nothing: what is asked for is no news on a machine of one's own."""

    def parse_request(self) -> bool:
        """Whether the request is answered: a page of another name that leads here is another site's, and is refused."""
        if not super().parse_request():
            return False
        host = self.headers.get("Host", "")
        port = cast("ThreadingHTTPServer", self.server).server_port
        if host in (f"{name}{suffix}" for name in _NAMES for suffix in ("", f":{port}")):
            return True
        self.send_error(421, "Asked for under another name than 127.0.0.1 or localhost")
        return False

    def end_headers(self) -> None:
        """Has the browser ask again, as a site that is built anew has the same names."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def server(folder: Path, *, port: int) -> ThreadingHTTPServer:
    """A server of the files in a folder that other machines cannot reach; ``port`` 0 takes a free one.

    Raises:
        ResultError: if the port is taken or not allowed.

    """
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, directory=str(folder)))
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise ResultError(
            f"Port {port} cannot be used ({error.strerror}). Choose another with --port, or a free one with --port 0."
        ) from error
