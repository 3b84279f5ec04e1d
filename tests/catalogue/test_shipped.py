"""The task files that come with xlbench, on small files of the form of the published ones, which the tests make."""

from __future__ import annotations

import gzip
import json
import zipfile
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made_hub_server import serving
from xlbench import catalogue
from xlbench.catalogue import Sizes
from xlbench.catalogue.readers import why_not
from xlbench.errors import DataError

MADE = [name for name in catalogue.names() if catalogue.load(name).reader in ("beir", "belebele", "miracl")]
SMALL = Sizes(queries=2, passages=3)
TITLES = ("Ti", "", "Tu")


def jsonl(records):
    """Records as lines of JSON."""
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def tsv(rows):
    """Rows with tabs."""
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def parquet(records):
    """Records as a parquet file."""
    written = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records), written)
    return written.getvalue().to_pybytes()


def belebele(task, language):
    """Two questions on each of two passages, and one on a third."""
    lines = [
        {
            "link": f"https://x/{i // 2}",
            "question_number": 1 + i % 2,
            "flores_passage": f"{i // 2}.",
            "question": f"{i}?",
        }
        for i in range(5)
    ]
    return {task.source["texts"].path_of(language): jsonl(lines)}


def miracl(task, language):
    """Two files of passages, topics and judgements."""
    records = [{"docid": f"{i}#0", "title": title, "text": f"{i}."} for i, title in enumerate(TITLES)]
    passages, queries, judgements = (
        task.source[part].path_of(language) for part in ("passages", "queries", "judgements")
    )
    return {
        passages.replace("*", "0"): gzip.compress(jsonl(records[:2])),
        passages.replace("*", "1"): gzip.compress(jsonl(records[2:])),
        queries: tsv([("0#0", "0?"), ("1#0", "1?")]),
        judgements: tsv([("0#0", "Q0", "0#0", "1"), ("1#0", "Q0", "2#0", "1"), ("1#0", "Q0", "1#0", "0")]),
    }


def beir(task, language):
    """A zip archive, or for MTEB's copies parquet files."""
    records = [{"_id": f"{i}#0", "title": title, "text": f"{i}."} for i, title in enumerate(TITLES)]
    asked = [{"_id": f"{i}#0", "text": f"{i}?"} for i in range(3)]
    judged = [("query-id", "corpus-id", "score"), ("0#0", "0#0", "1"), ("1#0", "2#0", "2"), ("2#0", "2#0", "0")]
    path = task.source["passages"].path_of(language)
    if not path.endswith(".zip"):
        rows = [{"query-id": query, "corpus-id": passage, "score": int(gain)} for query, passage, gain in judged[1:]]
        made = {"passages": parquet(records), "queries": parquet(asked), "judgements": parquet(rows)}
        return {task.source[part].path_of(language).replace("*", "dev-0"): content for part, content in made.items()}
    return {
        path: {"set/corpus.jsonl": jsonl(records), "set/queries.jsonl": jsonl(asked), "set/qrels/test.tsv": tsv(judged)}
    }


MAKERS = {"belebele": belebele, "beir": beir, "miracl": miracl}


def write(folder, files):
    """Writes files below a folder; one that is made of files is a zip archive."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
            continue
        with zipfile.ZipFile(path, "w") as archive:
            for inside, its_content in content.items():
                archive.writestr(inside, its_content)


def small(task):
    """The task with the sizes of the files that the tests make, and without their checksums."""
    sizes = Sizes(queries=5, passages=3) if task.reader == "belebele" else SMALL
    unchecked = {part: replace(its, checksums=dict.fromkeys(its.checksums)) for part, its in task.source.items()}
    return replace(task, source=unchecked, sizes=dict.fromkeys(task.languages, sizes))


@pytest.mark.parametrize("name", MADE)
def test_a_task_reads_files_of_the_published_form(name, tmp_path):
    """The paths, the reader and the form of text of a task file fit the form in which its data is published."""
    task = small(catalogue.load(name))
    languages = task.languages[-2:]
    for language in languages:
        write(tmp_path / "data", MAKERS[task.reader](task, language))
    places = {"data_dir": tmp_path / "data", "cache_dir": tmp_path / "cache"}
    collection = catalogue.read_collection(task, languages=languages, **places)
    assert collection.languages == languages
    of_title = {"passage": ["0.", "1.", "2."], "title+newlines+text": ["Ti\n\n0.", "1.", "Tu\n\n2."]}
    expected = of_title.get(task.text, ["Ti 0.", "1.", "Tu 2."])
    assert list(collection.passages.text) == expected * len(languages)
    n_judged = {"belebele": 5 * len(languages) ** 2}.get(task.reader, 2 * len(languages))
    assert len(collection.pairs) == n_judged


@pytest.mark.parametrize("name", ["miracl", "miracl-mteb", "belebele"])
def test_a_task_downloads_the_files_of_the_wanted_languages_only(name, tmp_path, monkeypatch):
    """From the Hub come the files of the languages that are read, and no others."""
    task = small(catalogue.load(name))
    language, other = task.languages[:2]
    with serving(monkeypatch, tmp_path / "home") as hub:
        for each in (language, other):
            files = MAKERS[task.reader](task, each)
            for source in task.source.values():
                address, _, inside = source.url_of(each).removeprefix("hf://datasets/").partition("@")
                folder = source.path_of(each).removesuffix(inside.partition("/")[2])
                served = hub.files.setdefault(address, {})
                served |= {
                    path.removeprefix(folder): content for path, content in files.items() if path.startswith(folder)
                }
        commits = {source.url.partition("@")[2].partition("/")[0] for source in task.source.values()}
        hub.commits = commits
        collection = catalogue.read_collection(task, languages=[language], data_dir=None, cache_dir=tmp_path)
        assert collection.languages == (language,)
        assert len(collection.passages) == 3
        assert not any(f"-{other}" in path or f"/{other}" in path for path in hub.asked)


def test_miracl_has_no_cross_lingual_setting_and_says_why():
    """MIRACL's judgements are within a language."""
    assert "the query's own language only" in why_not("miracl", "cross", text="title+text")
    assert why_not("miracl", "multi", text="title+text") is None
    assert why_not("beir", "cross", text="text") is None


def test_miracl_has_the_published_sizes():
    """Queries and passages are those of the paper's dev set (Zhang et al. 2023, tables 1 and 2), in all three files."""
    for name in ("miracl", "miracl-anserini", "miracl-mteb"):
        sizes = catalogue.load(name).sizes
        assert sum(size.queries for size in sizes.values()) == 13_495
        assert sum(size.passages for size in sizes.values()) == 106_332_152
        assert (sizes["de"], sizes["yo"]) == (Sizes(305, 15_866_222), Sizes(119, 49_043))


def test_an_incomplete_language_is_refused(tmp_path):
    """Where one of several files is missing and no checksums tell, the sizes do."""
    task = small(catalogue.load("miracl"))
    files = miracl(task, "yo")
    write(tmp_path, {path: content for path, content in files.items() if "docs-1" not in path})
    said = r"docs-0\.jsonl\.gz has 2 passages in 'yo', but task miracl says 3"
    without_judgement = {
        path: tsv([("0#0", "Q0", "0#0", "1"), ("1#0", "Q0", "1#0", "1")]) for path in files if "qrels" in path
    }
    write(tmp_path, without_judgement)
    with pytest.raises(DataError, match=said):
        catalogue.read_collection(task, languages=["yo"], data_dir=tmp_path, cache_dir=tmp_path / "cache")
