"""The reader of zipped translation memories."""

from __future__ import annotations

import zipfile

import pytest

from xlbench.catalogue import load, read_collection
from xlbench.catalogue.readers import forms, read, why_not
from xlbench.errors import DataError

UNIT = """<tu tuid="{}"><tuv xml:lang="en"><seg>{}</seg></tuv><tuv xml:lang="{}"><seg>{}</seg></tuv></tu>"""


def memory(folder, language, *units, head="", name=None):
    """A zipped TMX file of English and a language, from (tuid, English, translation)."""
    path = folder / f"all.en-{name or language}.tmx.zip"
    body = "\n".join(UNIT.format(tuid, english, language, other) for tuid, english, other in units)
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<tmx version="1.4"><body>{body}</body></tmx>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.stem, content)
    return path


def test_equal_ids_are_translations(tmp_path):
    """In all files; a sentence is answered in each other language, and its document is its cluster."""
    units = [("a:1", "one", "eins"), ("a:2", "two  and\nmore", "zwei")]
    german = memory(tmp_path, "de", *units)
    spanish = memory(tmp_path, "es-LA", ("a:2", "two", "dos"), ("b:3", "three", "tres"))
    collection = read("tmx", {"de": german, "en": german, "es": spanish}, text="sentence")
    assert collection.queries.ids == ("de:a:1", "de:a:2", "en:a:1", "en:a:2", "es:a:2", "es:b:3")
    assert tuple(collection.passages.text) == ("eins", "zwei", "one", "two and more", "dos", "tres")
    judged = [
        (collection.queries.ids[query], collection.passages.ids[passage])
        for query, passage in zip(collection.pairs.query, collection.pairs.passage, strict=True)
    ]
    assert [pair for pair in judged if pair[0] == "en:a:2"] == [("en:a:2", "de:a:2"), ("en:a:2", "es:a:2")]
    assert collection.clusters.unit == "document"
    assert collection.clusters.of_query == ("a", "a", "a", "a", "a", "b")


def test_it_has_pairs_of_languages_only():
    """In a pool with its own language a sentence would find itself, as of files that agree line by line."""
    assert forms("tmx") == ("sentence", "asked-elsewhere")
    assert "would find itself" in why_not("tmx", "multi", text="sentence")
    assert why_not("tmx", "cross", text="sentence") is None


BOMB = '<!DOCTYPE tmx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n'


@pytest.mark.parametrize(
    ("units", "head", "message"),
    [
        ([("a:1", "&b;", "eins")], BOMB, "declares an entity, which no translation memory needs; it is not read"),
        ([("a:1", "one", "<seg>")], "", r"is not valid XML \(.*\): is the file cut off\?"),
        ([("a:1", "one", "eins"), ("a:1", "two", "zwei")], "", "unit 2 has the tuid 'a:1'; expected one that no other"),
        ([("", "one", "eins")], "", "unit 1 has the tuid ''; expected one that no other unit has"),
        ([("a:1", "one", " ")], "", r"unit 1 \(a:1\) has no text in 'de'; it has en, de"),
    ],
    ids=["entities", "XML", "twice", "no id", "blank"],
)
def test_what_is_no_translation_memory_is_said(tmp_path, units, head, message):
    """With the file and the unit; an entity that would grow in memory is never expanded."""
    with pytest.raises(DataError, match=message):
        read("tmx", {"de": memory(tmp_path, "de", *units, head=head)}, text="sentence")


def test_a_file_without_the_language_is_refused(tmp_path):
    """The languages that a unit has are named."""
    path = memory(tmp_path, "fr", ("a:1", "one", "un"))
    with pytest.raises(DataError, match=r"unit 1 \(a:1\) has no text in 'de'; it has en, fr"):
        read("tmx", {"de": path}, text="sentence")


def test_an_archive_of_other_files_is_refused(tmp_path):
    """A file that is no archive, or one with two files, is not guessed at."""
    (tmp_path / "plain.zip").write_text("<tmx/>")
    with pytest.raises(DataError, match="is no zip archive, or is damaged"):
        read("tmx", {"de": tmp_path / "plain.zip"}, text="sentence")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.tmx", "<tmx/>")
        archive.writestr("b.tmx", "<tmx/>")
    with pytest.raises(DataError, match=r"holds 2 files: a.tmx \(6 bytes\), b.tmx \(6 bytes\); expected one TMX file"):
        read("tmx", {"de": tmp_path / "two.zip"}, text="sentence")


@pytest.mark.real_data
def test_tico_19(real_data):
    """3,071 sentences of 31 documents in each language; the first, the tenth and the last are translations."""
    task = load("tico-19")
    collection = read_collection(task, languages=["en", "fr", "zu"], data_dir=real_data, cache_dir=None)
    assert len(task.languages) == 30
    assert len(collection.queries) == 3 * 3_071
    assert len(set(collection.clusters.of_query)) == 31
    ids = [collection.queries.ids[3_071 + place].partition(":")[2] for place in (0, 9, -3_071 + 3_070)]
    assert ids[:2] == ["CMU_1:1", "CMU_1:10"]
    judged = set(zip(collection.pairs.query.tolist(), collection.pairs.passage.tolist(), strict=True))
    for place in (0, 9, 3_070):
        assert {(place, 3_071 + place), (3_071 + place, place), (place, 2 * 3_071 + place)} <= judged
    assert {len(collection.queries.text[place]) for place in (0, 9, 3_070)} == {49, 71, 145}


@pytest.mark.real_data
def test_tico_19_in_one_pool(real_data):
    """Each sentence is asked or found in a language, and the sizes of all 30 languages add up to all sentences."""
    task = load("tico-19-pool")
    assert {size.queries + size.passages for size in task.sizes.values()} == {3_071}
    collection = read_collection(task, languages=["en", "fr"], data_dir=real_data, cache_dir=None)
    assert not set(collection.queries.ids) & set(collection.passages.ids)
    keys = [collection.queries.ids[query].partition(":")[2] for query in collection.pairs.query]
    assert keys == [collection.passages.ids[passage].partition(":")[2] for passage in collection.pairs.passage]
    assert collection.pairs.query.max() < len(collection.queries)
