"""``xlbench leaderboard build`` and ``serve``: from submissions of real runs to pages that are served."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import finish, start

ANSWERS = {
    "link": "https://example.org/hash",
    "licence": "Apache-2.0",
    "parameters": None,
    "languages": ["de", "en"],
    "training_data": "none",
    "trained_on_evaluation_data": "no",
    "submitter": "the authors",
}


@pytest.fixture
def submissions(xlbench, folder) -> Path:
    """The submissions of two real runs on the demo task."""
    (folder / "manifest.json").write_text(json.dumps(ANSWERS), encoding="utf-8")
    for dimensions in (16, 512):
        output = f"results-{dimensions}"
        languages = ("--language", "de", "en", "th")
        arguments = ("--task", "demo", *languages, "--model-arg", f"dimensions={dimensions}", "--output", output)
        assert xlbench("run", "--model", "hash", *arguments, "--quiet").code == 0
        variant = ("--variant", "small") if dimensions == 16 else ()
        made = xlbench(
            "submit", f"{output}/hash+dimensions={dimensions}/demo.json", "--manifest", "manifest.json", *variant
        )
        assert made.code == 0, made.err
    return folder / "leaderboard" / "submissions"


def test_submissions_become_a_site(xlbench, folder, submissions):
    """What was run and submitted is checked and built, and the command says where it is."""
    links = ("--repository", "https://example.org/x/", "--address", "https://example.org/b")
    refused = xlbench("leaderboard", "build", "--output", "site", "--repository", "javascript:x")
    assert (refused.code, "no address of the web" in refused.err) == (2, True)
    built = xlbench("leaderboard", "build", "--output", "site", "--jobs", "1", *links)
    assert built.code == 0, built.err
    page = (folder / "site" / "index.html").read_text(encoding="utf-8")
    assert 'href="https://example.org/x/blob/main/docs/leaderboard.md#submit-a-model"' in page
    assert 'content="https://example.org/b/assets/share.png"' in page
    assert re.match(r"2 models on demo, version \d+\nSaved to site/index.html;", built.out)
    records = json.loads((folder / "site" / "leaderboard.json").read_text(encoding="utf-8"))
    assert {record["level"] for record in records} == {"verified"}
    expected = json.loads((folder / "results-512" / "hash+dimensions=512" / "demo.json").read_text(encoding="utf-8"))[
        "summary"
    ]
    (found,) = [record["means"]["multi"]["AP"]["value"] for record in records if record["key"] == "hash"]
    assert found == pytest.approx(expected["multi"]["AP"], abs=1e-12)
    assert len(list((folder / "site" / "models").iterdir())) == 2


def test_a_submission_with_a_changed_score_is_left_out(xlbench, folder, submissions):
    """With a score that its evidence does not give, a submission is named, and the site is built of the others."""
    (file,) = submissions.glob("hash/*/result.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    record["summary"]["multi"]["AP"] += 0.1
    file.write_text(json.dumps(record), encoding="utf-8")
    built = xlbench("leaderboard", "build", "--jobs", "1")
    assert built.code == 0
    assert "Left out: leaderboard/submissions/hash/demo: " in built.err
    assert built.out.startswith("1 model on demo")
    assert [path.name for path in (folder / "site" / "models").iterdir()] == ["hash--small.html"]


def test_another_folder_is_not_replaced(xlbench, folder, task):
    """A folder with other things in it is refused before anything is checked, and stays as it is."""
    (folder / "submissions").mkdir()
    built = xlbench("leaderboard", "build", "submissions", "--output", "task")
    assert built.code == 1
    assert "holds other things than a site" in built.err
    assert (folder / task).is_file()


def test_no_submissions_are_an_error(xlbench, folder):
    """A folder without submissions, and one that is not there, get a sentence each."""
    (folder / "submissions").mkdir()
    empty = xlbench("leaderboard", "build", "submissions")
    assert (empty.code, "no submissions to build a site from" in empty.err) == (1, True)
    missing = xlbench("leaderboard", "build", "elsewhere")
    assert (missing.code, "does not exist" in missing.err) == (2, True)


def test_a_site_is_served_until_interrupted(folder):
    """`serve` says its address, on the loopback alone, answers there under no other name, and ends well."""
    (folder / "site").mkdir()
    (folder / "site" / "index.html").write_text("<title>there</title>", encoding="utf-8")
    process = start(folder, "leaderboard", "serve", "--port", "0")
    address = process.stdout.readline().split()[0]
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"<title>there</title>"
        assert answer.headers["Cache-Control"] == "no-cache"
    rebound = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(rebound)
    process.send_signal(signal.SIGINT)
    assert finish(process).code == 0


def test_a_port_that_is_taken_says_what_to_do(xlbench, folder):
    """Another program on the port is an error with advice; a folder without a site is one of usage."""
    (folder / "site").mkdir()
    nothing = xlbench("leaderboard", "serve", "site")
    assert (nothing.code, "has no index.html" in nothing.err) == (2, True)
    (folder / "site" / "index.html").write_text("", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = xlbench("leaderboard", "serve", "site", "--port", taken.getsockname()[1])
    assert found.code == 1
    assert "--port 0" in found.err
