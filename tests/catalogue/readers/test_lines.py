"""The reader of translations that agree line by line."""

from __future__ import annotations

import pytest

from xlbench.catalogue import load, read_collection
from xlbench.catalogue.readers import forms, parts, read, why_not
from xlbench.errors import DataError


def files(folder, documents="a\na\nb\nb\n", **texts):
    """The files of the parts, with these lines."""
    for name, content in {**texts, "documents": documents}.items():
        (folder / name).write_text(content, encoding="utf-8")
    return {
        "sentences": {language: [folder / language] for language in texts},
        "documents": {language: [folder / "documents"] for language in texts},
    }


def test_a_sentence_is_answered_by_its_translations(tmp_path):
    """In each other language that has the line, and by nothing in its own."""
    found = read(
        "lines", files(tmp_path, de="eins\nzwei\n\nvier\n", en="\ufeffone\ntwo\nthree\nfour\n"), text="sentence"
    )
    assert list(found.queries.ids) == list(found.passages.ids)
    assert list(found.queries.ids) == ["de:1", "de:2", "de:4", "en:1", "en:2", "en:3", "en:4"]
    assert found.passages.text[3] == "one"
    judged = [
        (found.queries.ids[query], found.passages.ids[passage])
        for query, passage in zip(found.pairs.query, found.pairs.passage, strict=True)
    ]
    assert sorted(judged) == [
        ("de:1", "en:1"), ("de:2", "en:2"), ("de:4", "en:4"), ("en:1", "de:1"), ("en:2", "de:2"), ("en:4", "de:4")
    ]  # fmt: skip


def test_the_sentences_of_a_document_are_a_cluster(tmp_path):
    """In all languages; it is what intervals and tests draw."""
    found = read("lines", files(tmp_path, de="1a\n2a\n3a\n4a\n", en="1b\n2b\n3b\n4b\n"), text="sentence")
    assert found.clusters.unit == "document"
    assert found.clusters.of_query == ("a", "a", "b", "b") * 2


def test_it_has_pairs_of_languages_only():
    """In a pool with its own language a sentence would find itself, which a task file is told."""
    assert forms("lines") == ("sentence", "asked-elsewhere")
    assert parts("lines") == ("sentences", "documents")
    assert "would find itself" in why_not("lines", "mono", text="sentence")
    assert "would find itself" in why_not("lines", "multi", text="sentence")
    assert why_not("lines", "cross", text="sentence") is None


def test_in_one_pool_no_sentence_finds_itself(tmp_path):
    """In the form ``asked-elsewhere`` a sentence is a query or a passage of a language, by a hash, and never both."""
    several = {language: f"{language} 1\n{language} 2\n{language} 3\n{language} 4\n" for language in ("de", "en", "fr")}
    collection = read("lines", files(tmp_path, **several), text="asked-elsewhere")
    asked, answering = set(collection.queries.ids), set(collection.passages.ids)
    assert not asked & answering
    assert asked | answering == {f"{language}:{number}" for language in several for number in range(1, 5)}
    # As of Python 3.11: those for which the first byte of hashlib.sha256(id.encode()).digest() is odd.
    assert asked == {"de:1", "de:2", "de:4", "en:1", "en:4", "fr:1", "fr:2", "fr:3", "fr:4"}
    judged = {
        (collection.queries.ids[query], collection.passages.ids[passage])
        for query, passage in zip(collection.pairs.query, collection.pairs.passage, strict=True)
    }
    assert judged == {(a, b) for a in asked for b in answering if a[3:] == b[3:]}
    assert why_not("lines", "multi", text="asked-elsewhere") is None
    assert "in which it is no passage" in why_not("lines", "mono", text="asked-elsewhere")


def test_a_file_with_more_lines_than_documents_is_refused(tmp_path):
    """It cannot be of the same text."""
    with pytest.raises(DataError, match=r"has 5 lines and .*documents 4"):
        read("lines", files(tmp_path, de="1\n2\n3\n4\n5\n", en="1\n2\n3\n4\n"), text="sentence")


def test_a_sentence_without_a_document_is_refused(tmp_path):
    """With the line of the file of documents that is blank."""
    with pytest.raises(DataError, match=r"documents, line 2, is blank, and .*de has a sentence there"):
        read("lines", files(tmp_path, documents="a\n\nb\nb\n", de="1\n2\n3\n4\n"), text="sentence")


def test_a_line_that_is_not_utf_8_is_refused(tmp_path):
    """With file and line."""
    found = files(tmp_path, de="1\n", en="1\n")
    (tmp_path / "de").write_bytes(b"1\n\xff\n")
    with pytest.raises(DataError, match="de, line 2"):
        read("lines", found, text="sentence")


@pytest.mark.real_data
def test_ntrex_has_its_sentences_and_documents(real_data, tmp_path):
    """1,997 sentences of 123 documents, the third one of them in German and in Yoruba."""
    found = read_collection(load("ntrex"), languages=["de", "yo"], data_dir=real_data, cache_dir=tmp_path)
    assert len(found.queries) == len(found.passages) == len(found.pairs) == 2 * 1997
    assert len(found.clusters) == 123
    assert found.queries.ids[2] == "de:3"
    path = real_data / "ntrex/NTREX-128/newstest2019-ref.deu.txt"
    assert found.queries.text[2] == path.read_text(encoding="utf-8").splitlines()[2]
