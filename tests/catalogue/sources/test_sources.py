"""Where the files of a task come from."""

from __future__ import annotations

import hashlib
import http.server
import re
import socket
import threading

import pytest

from xlbench.catalogue.sources import Checksum, Source, check, fetch, locate
from xlbench.catalogue.sources.web import download
from xlbench.errors import DataError

CONTENT = bytes(range(256)) * 8192  # 2 MiB, more than one block.
SUM = hashlib.sha256(CONTENT).hexdigest()
EXPECTED = Checksum("sha256", SUM)


class Server(http.server.ThreadingHTTPServer):
    """Serves the files in ``files`` on loopback, and keeps the Range of each request."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.ranges = []
        self.agents = set()
        self.takes_ranges = True
        self.cut_after = None
        self.chunked = False
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with whole files, or with the end of one."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Sends what was asked for, or less if the connection is to be cut."""
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        self.server.agents.add(self.headers["User-Agent"])
        self.close_connection = True
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and self.server.takes_ranges else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        content = content[start:]
        if self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.cut_after])

    def log_message(self, *_):
        """Is silent."""


@pytest.fixture
def server(monkeypatch):
    """A server on loopback, which no proxy is asked for."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def places(tmp_path):
    """The data folder, the folder of the task file and the cache folder."""
    found = {name: tmp_path / name for name in ("data_dir", "task_dir", "cache_dir")}
    for folder in found.values():
        folder.mkdir()
    return found


def put(folder, content, path="set/de.json"):
    """Writes a file below a folder."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def source(url=None, content=CONTENT):
    """A source of one file a language."""
    checksums = dict.fromkeys(["de", "en"], (Checksum("sha256", hashlib.sha256(content).hexdigest()),))
    return Source(url=url and f"{url}/{{language}}.json", path="set/{language}.json", checksums=checksums)


def parts(folder):
    """The unfinished downloads below a folder."""
    return list(folder.rglob("*.part"))


def test_a_file_is_taken_from_the_first_place_that_has_it(server, places):
    """The order is the data folder, beside the task file, the cache, and the network."""
    server.files["/de.json"] = CONTENT
    wanted = source(server.url)
    in_cache = places["cache_dir"] / "data" / "set" / "de.json"
    assert locate(wanted, "de", **places) == [in_cache]
    assert in_cache.read_bytes() == CONTENT
    assert locate(wanted, "de", **places) == [in_cache]
    assert len(server.ranges) == 1, "the second time, the file is in the cache"
    beside = put(places["task_dir"], CONTENT)
    assert locate(wanted, "de", **places) == [beside]
    in_data = put(places["data_dir"], CONTENT)
    assert locate(wanted, "de", **places) == [in_data]
    assert locate(wanted, "de", **places | {"data_dir": None}) == [beside]
    assert len(server.ranges) == 1


@pytest.mark.parametrize("place", ["data_dir", "task_dir", "cache_dir"])
def test_an_altered_file_is_refused_wherever_it_lies(places, place):
    """A file with another checksum is a DataError that names the file, both sums and what to do; no other is taken."""
    put(places["cache_dir"] / "data", CONTENT)
    altered = put(places[place] / "data" if place == "cache_dir" else places[place], CONTENT[:-1])
    found = hashlib.sha256(CONTENT[:-1]).hexdigest()
    with pytest.raises(DataError, match=rf"its sha256 is {found}, expected {SUM}\. Delete it and run again") as caught:
        locate(source(), "de", **places)
    assert str(caught.value).startswith(str(altered))


def test_a_file_that_is_nowhere_is_refused_with_the_places(places):
    """A file that a task brings with it and that is not there is a DataError that says where it was looked for."""
    said = rf"set/de\.json was not found in {places['data_dir']} or {places['task_dir']}, and the task names no address"
    with pytest.raises(DataError, match=said):
        locate(source(), "de", **places)


def test_check_accepts_the_file_itself(tmp_path):
    """A file with the expected checksum passes."""
    check(put(tmp_path, CONTENT), EXPECTED)


def test_a_download_is_whole_and_leaves_nothing_else(server, tmp_path):
    """A download makes the folders that it needs and leaves the file and no part; it says who asks."""
    server.files["/x"] = CONTENT
    target = tmp_path / "a" / "b" / "x"
    download(f"{server.url}/x", target, EXPECTED)
    assert target.read_bytes() == CONTENT
    assert [path for path in target.parent.iterdir() if path.suffix != ".lock"] == [target]
    assert server.ranges == [None]
    assert all(agent.startswith("xlbench/") for agent in server.agents)


def test_a_file_without_a_checksum_is_no_larger_than_the_task_says(server, tmp_path):
    """Nothing of it stays, whatever length the server states; a checksum says more than a length."""
    server.files["/x"] = CONTENT
    for server.chunked in (False, True):
        with pytest.raises(DataError, match=r"/x gave more than 1,000 bytes, .*'bytes', how large it may be"):
            download(f"{server.url}/x", tmp_path / "x", None, most_bytes=1000)
        assert not (tmp_path / "x").exists()
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 0
    server.chunked = False
    download(f"{server.url}/x", tmp_path / "x", None, most_bytes=len(CONTENT))
    download(f"{server.url}/x", tmp_path / "y", EXPECTED, most_bytes=1000)


def cut_off(server, target, *, after):
    """Begins a download that ends after so many bytes of the answer."""
    server.files["/x"] = CONTENT
    server.cut_after = after
    with pytest.raises(DataError, match=r"/x could not be downloaded: .*\. Run again to go on where it stopped"):
        download(f"{server.url}/x", target, EXPECTED)
    server.cut_after = None
    assert not target.exists()


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_a_download_that_was_cut_off_goes_on(server, tmp_path, takes_ranges):
    """After a cut, the rest is asked for; a server that sends the whole again is listened to from the start."""
    target = tmp_path / "x"
    cut_off(server, target, after=1_500_000)
    assert [part.stat().st_size for part in parts(tmp_path)] == [1_500_000]
    server.takes_ranges = takes_ranges
    download(f"{server.url}/x", target, EXPECTED)
    assert server.ranges == [None, "bytes=1500000-"]
    assert target.read_bytes() == CONTENT
    assert parts(tmp_path) == []


def test_a_chunked_download_that_was_cut_off_goes_on(server, tmp_path):
    """A cut is noticed, and taken up, also where the length of the answer was not known."""
    server.chunked = True
    cut_off(server, tmp_path / "x", after=1_500_000)
    download(f"{server.url}/x", tmp_path / "x", EXPECTED)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_part_that_is_already_whole_is_taken(server, tmp_path):
    """A run that was killed between the last byte and the end asks for nothing more and has the file."""
    target = tmp_path / "x"
    cut_off(server, target, after=1_500_000)
    parts(tmp_path)[0].write_bytes(CONTENT)
    download(f"{server.url}/x", target, EXPECTED)
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_version_of_the_file_is_not_continued(server, tmp_path):
    """Where the task file names another checksum than when the download began, it begins anew."""
    target = tmp_path / "x"
    cut_off(server, target, after=1_500_000)
    new = CONTENT[::-1]
    server.files["/x"] = new
    download(f"{server.url}/x", target, Checksum("sha256", hashlib.sha256(new).hexdigest()))
    assert target.read_bytes() == new
    assert server.ranges == [None, None]


@pytest.mark.parametrize("with_part", [False, True])
def test_wrong_content_is_refused_and_removed(server, tmp_path, with_part):
    """A download with another checksum is a DataError with both sums, and neither it nor a part of it stays."""
    target = tmp_path / "x"
    if with_part:
        cut_off(server, target, after=1_500_000)
    server.files["/x"] = CONTENT[:-1] + b"!"
    with pytest.raises(DataError, match=rf"/x gave another file than expected\. .* expected {SUM}"):
        download(f"{server.url}/x", target, EXPECTED)
    assert [path.name for path in tmp_path.iterdir()] == [".x.lock"]


def test_an_address_without_a_file_is_refused(server, tmp_path):
    """An answer of 404 is a DataError with the address, the answer and what to do."""
    with pytest.raises(DataError, match=r"/nothing could not be downloaded: HTTP Error 404.* `xlbench fetch`"):
        download(f"{server.url}/nothing", tmp_path / "x", EXPECTED)
    assert not (tmp_path / "x").exists()


def test_a_server_that_does_not_answer_is_reported(tmp_path, monkeypatch):
    """A refused connection is a DataError with the address and what to do."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
    with pytest.raises(DataError, match=rf"{re.escape(url)} could not be downloaded: .*refused.*--data-dir"):
        download(url, tmp_path / "x", EXPECTED)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "x.json", "", "//127.0.0.1/x"])
def test_only_web_addresses_are_downloaded(tmp_path, url):
    """An address that is neither http nor https is a DataError; a task file cannot read this machine's files."""
    with pytest.raises(DataError, match=r"is not a web address: expected https://"):
        download(url, tmp_path / "x", EXPECTED)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://127.0.0.1:port/x", "http://127.0.0.1/a b", "http://", "http://127.0.0.1/é"]
)
def test_an_address_that_cannot_be_asked_is_reported(tmp_path, url, monkeypatch):
    """An address that breaks the rules of addresses is a DataError like one that does not answer."""
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DataError, match=rf"{re.escape(url)} could not be downloaded"):
        download(url, tmp_path / "x", EXPECTED)


def test_fetch_puts_every_file_in_place_once(server, tmp_path):
    """fetch downloads the files that are not there, keeps those that are, and says so."""
    server.files = {"/de.json": CONTENT, "/en.json": CONTENT}
    there = put(tmp_path, CONTENT)
    said = []
    fetch([source(server.url)], tmp_path, languages=["de", "en"], report=said.append)
    downloaded = tmp_path / "set" / "en.json"
    assert said == [f"{there}: there, checked", f"{downloaded}: downloaded, checked"]
    assert downloaded.read_bytes() == CONTENT
    assert len(server.ranges) == 1


def test_fetch_refuses_an_altered_file(server, tmp_path):
    """fetch does not replace a file that differs from the expected one: it may be the user's."""
    altered = put(tmp_path, b"mine")
    with pytest.raises(DataError, match=f"expected {SUM}"):
        fetch([source(server.url)], tmp_path, languages=["de"], report=print)
    assert altered.read_bytes() == b"mine"


def test_fetch_has_nothing_to_do_for_files_that_come_with_the_task(tmp_path):
    """A source without an address is reported as one that needs no download; one file of all languages once."""
    said = []
    alone = Source(url=None, path="all.jsonl", checksums={"de": (EXPECTED,), "en": (EXPECTED,)})
    fetch([alone], tmp_path, languages=["de", "en"], report=said.append)
    assert said == ["all.jsonl: comes with the task file, nothing to download"]


def test_language_stands_in_path_and_address():
    """{language} in the path and the address stands for the language; other braces stay."""
    found = Source(url="https://x/{language}/{language}?{a}", path="{language}.json", checksums={})
    assert (found.path_of("de"), found.url_of("de")) == ("de.json", "https://x/de/de?{a}")
    assert Source(url=None, path="x", checksums={}).url_of("de") is None
