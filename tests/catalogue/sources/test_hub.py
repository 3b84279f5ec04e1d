"""Downloads from the Hugging Face Hub, which here is a server on loopback."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.made_hub_server import COMMIT, serving
from xlbench.catalogue.sources import Checksum, Source, fetch, hub, locate
from xlbench.errors import DataError

SHARDS = {f"corpus-de/docs-{i}.jsonl.gz": b"shard %d" % i for i in range(12)}
OTHERS = {
    "corpus-de/README.md": b"read me",
    "corpus-de/old/docs-0.jsonl.gz": b"old",
    "corpus-en/docs-0.jsonl.gz": b"en",
}
URL = f"hf://datasets/owner/set@{COMMIT}/corpus-{{language}}/docs-*.jsonl.gz"


@pytest.fixture
def served(monkeypatch, tmp_path):
    """A Hub with one data set of twelve German files."""
    with serving(monkeypatch, tmp_path / "home") as found:
        found.files["owner/set"] = SHARDS | OTHERS
        yield found


@pytest.fixture
def places(tmp_path):
    """The data folder, the folder of the task file and the cache folder."""
    return {name: tmp_path / name for name in ("data_dir", "task_dir", "cache_dir")}


def source(checksums="unknown", url=URL):
    """A source of many files a language."""
    if checksums == "unknown":
        checksums = tuple(Checksum("md5", hashlib.md5(content).hexdigest()) for content in SHARDS.values())
    return Source(url=url, path="set/{language}/docs-*.jsonl.gz", checksums={"de": checksums, "en": None})


def below(folder):
    """The files below a folder, but for locks."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"
    )


@pytest.mark.parametrize("checksums", ["unknown", None])
def test_all_files_of_a_pattern_are_downloaded_in_natural_order(served, places, checksums):
    """The files of the one folder that match are downloaded, docs-2 before docs-10; the second time none is."""
    found = locate(source(checksums), "de", **places)
    assert [path.read_bytes() for path in found] == list(SHARDS.values())
    assert [path.name for path in found][:3] == ["docs-0.jsonl.gz", "docs-1.jsonl.gz", "docs-2.jsonl.gz"]
    assert below(places["cache_dir"]) == sorted(f"data/set/de/{path.name}" for path in found)
    assert len(served.downloads()) == 12
    served.files.clear()
    served.asked.clear()
    assert locate(source(checksums), "de", **places) == found
    assert served.asked == []


def test_a_download_that_was_cut_off_goes_on_with_the_files_that_are_missing(served, places):
    """No file of a pattern is found before all have arrived, and those that have are not asked for again."""
    served.fails_at = "corpus-de/docs-7.jsonl.gz"
    with pytest.raises(DataError, match=r"docs-\*\.jsonl\.gz could not be downloaded: .*403.* Run again to go on"):
        locate(source(None), "de", **places)
    assert not list((places["cache_dir"] / "data/set/de").glob("docs-*"))
    served.fails_at = None
    served.asked.clear()
    assert len(locate(source(None), "de", **places)) == 12
    assert served.downloads() == [f"docs-{i}.jsonl.gz" for i in range(7, 12)]


def test_a_download_that_was_killed_while_its_files_were_put_in_place_goes_on(served, places):
    """Files beside an unfinished download are not taken for all files; what is missing is downloaded."""
    found = locate(source(None), "de", **places)
    found[5].unlink()
    (found[0].parent / f".docs-all.jsonl.gz.{COMMIT[:12]}.part").mkdir()
    served.asked.clear()
    assert locate(source(None), "de", **places) == found
    assert served.downloads() == ["docs-5.jsonl.gz"]


def test_fetch_keeps_the_files_that_are_there(served, places):
    """fetch downloads what a folder lacks, names every file, and takes the chosen languages only."""
    folder = places["data_dir"] / "set" / "de"
    folder.mkdir(parents=True)
    (folder / "docs-3.jsonl.gz").write_bytes(SHARDS["corpus-de/docs-3.jsonl.gz"])
    said = []
    fetch([source()], places["data_dir"], languages=["de"], report=said.append)
    assert said == [f"{folder}/docs-{i}.jsonl.gz: downloaded, checked" for i in range(12)]
    assert len(served.downloads()) == 11
    fetch([source(None)], places["data_dir"], languages=["de"], report=said.append)
    assert said[12:] == [f"{folder}/docs-{i}.jsonl.gz: there" for i in range(12)]
    assert not (places["data_dir"] / "set" / "en").exists()


def test_fetch_refuses_an_altered_file_beside_missing_ones(served, places):
    """A file that is there is checked although others are still to be downloaded, and is not replaced."""
    folder = places["data_dir"] / "set" / "de"
    folder.mkdir(parents=True)
    (folder / "docs-3.jsonl.gz").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"docs-3\.jsonl\.gz is not the file that the task was made with"):
        fetch([source()], places["data_dir"], languages=["de"], report=print)
    assert (folder / "docs-3.jsonl.gz").read_bytes() == b"mine"


def test_a_folder_that_lacks_files_is_refused(places):
    """A data folder with some of the files, or none, is a DataError that says how many and what to do."""
    folder = places["data_dir"] / "set" / "de"
    folder.mkdir(parents=True)
    with pytest.raises(DataError, match=r"set/de has 0 whole files docs-\*\.jsonl\.gz; expected 12\. `xlbench fetch`"):
        locate(source(), "de", **places)
    for name in list(SHARDS)[:5]:
        (folder / name.rpartition("/")[2]).write_bytes(SHARDS[name])
    with pytest.raises(DataError, match=r"set/de has 5 whole files docs-\*\.jsonl\.gz; expected 12\."):
        locate(source(), "de", **places)


def test_a_file_too_many_is_refused(places):
    """A data folder with more files than the task has checksums for is a DataError."""
    folder = places["data_dir"] / "set" / "de"
    folder.mkdir(parents=True)
    for i in range(13):
        (folder / f"docs-{i}.jsonl.gz").write_bytes(b"x")
    with pytest.raises(DataError, match=r"set/de has 13 files docs-\*\.jsonl\.gz, but the task 12: remove"):
        locate(source(), "de", **places)


@pytest.mark.parametrize("place", ["data_dir", "download"])
def test_an_altered_file_among_many_is_refused(served, places, place):
    """The checksum of each file is compared, wherever it comes from; the message names the file."""
    files = SHARDS | {"corpus-de/docs-10.jsonl.gz": b"altered"}
    if place == "download":
        served.files["owner/set"] = files
    else:
        folder = places["data_dir"] / "set" / "de"
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name.rpartition("/")[2]).write_bytes(content)
    with pytest.raises(DataError, match=r"docs-10\.jsonl\.gz is not the file that the task was made with: its md5 is"):
        locate(source(), "de", **places)


def test_as_many_files_as_checksums_are_expected_on_the_hub(served, places):
    """A Hub with more files than the task has checksums for is a DataError with both numbers."""
    few = source(tuple(Checksum("md5", "0" * 32) for _ in range(3)))
    with pytest.raises(DataError, match="stands for 12 files on the Hub, but the task has the checksums of 3"):
        locate(few, "de", **places)


def test_a_gated_data_set_says_how_to_get_access(served, places, monkeypatch):
    """A gated data set is a DataError with its page and what to do; with a token it is downloaded."""
    served.gated.add("owner/set")
    said = (
        rf"docs-\*\.jsonl\.gz is gated: .* Ask for it on {served.url}/datasets/owner/set, then run `hf auth login` or"
    )
    for found in (source(), Source(url=URL.replace("*", "0"), path="x", checksums={"de": None})):
        with pytest.raises(DataError, match=said if found.path != "x" else said.replace(r"\*", "0")):
            locate(found, "de", **places)
    monkeypatch.setenv("HF_TOKEN", served.token)
    assert len(locate(source(), "de", **places)) == 12


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (URL.replace("owner/set", "owner/other"), "the Hub has no data set owner/other, or it is private"),
        (URL.replace(COMMIT, "f" * 40), "the Hub has no such file or revision. Correct 'url' in the task file"),
        (URL.replace("corpus-", "corpora-"), "the Hub has no such file. Correct 'url' in the task file"),
        (URL.replace("docs-*", "docs-99"), "the Hub has no such file or revision. Correct 'url' in the task file"),
        (f"hf://datasets/owner/set@{COMMIT}/no-*.txt", "the Hub has no such file. Correct 'url' in the task file"),
    ],
)
def test_what_the_hub_does_not_have_is_reported(served, places, url, said):
    """A data set, a commit or a file that the Hub does not have is a DataError with the address and what to do."""
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        locate(source(None, url), "de", **places)
    assert str(caught.value).startswith(url.replace("{language}", "de"))


@pytest.mark.parametrize("url", [URL, URL.replace("docs-*", "docs-0")])
def test_a_hub_that_does_not_answer_is_reported(served, places, monkeypatch, url):
    """A Hub that cannot be reached is a DataError that says what to do on a machine without a network."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda _: None)  # The library tries five times, longer and longer apart.
    with pytest.raises(DataError, match=r"could not be downloaded: .*`xlbench fetch` on another one"):
        locate(source(None, url), "de", **places)


def test_one_file_keeps_the_name_that_the_task_gives_it(served, places):
    """A single file is put where the task says, whatever its name on the Hub."""
    alone = Source(url=URL.replace("docs-*", "docs-4"), path="mine/{language}.gz", checksums={"de": None})
    assert locate(alone, "de", **places) == [places["cache_dir"] / "data/mine/de.gz"]
    assert below(places["cache_dir"]) == ["data/mine/de.gz"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (f"hf://datasets/a/b@{COMMIT}/x/y.txt", hub.Address("a/b", COMMIT, "x/y.txt")),
        ("hf://datasets/a/b@main/y", hub.Address("a/b", "main", "y")),
        ("hf://datasets/a/b/y", None),
        ("hf://models/a/b@main/y", None),
        ("hf://datasets/a/b@main/", None),
        ("hf://datasets/a/../b@main/x", None),
        ("https://huggingface.co/x", None),
    ],
)
def test_an_address_has_a_name_a_revision_and_a_path(url, found):
    """hf://datasets/OWNER/NAME@REVISION/PATH is an address, and nothing else; a commit is a pin."""
    assert hub.parse(url) == found
    assert found is None or (str(found), found.is_pinned) == (url, COMMIT in url)
