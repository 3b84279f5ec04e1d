"""In what language texts are, against the one that they are declared to be in."""

from __future__ import annotations

import importlib.util

import pytest

from xlbench.catalogue import load, read_collection
from xlbench.collection import Collection, Text
from xlbench.examination import languages
from xlbench.examination.languages import in_another_language

GERMAN = "In diesem Herbst fielen die Blätter früher als im Jahr davor, Nummer {}."
FRENCH = "Cet automne, les feuilles sont tombées plus tôt que l'année passée, numéro {}."
CHINESE = "今年秋天树叶比去年落得早，街上到处都是黄色的叶子，编号{}。"
MIRACL = ("ar", "bn", "de", "en", "es", "fa", "fi", "fr", "hi", "id", "ja", "ko", "ru", "sw", "te", "th", "yo", "zh")


def made(**texts: list[str]) -> Collection:
    """A collection without queries; the passages of each language."""
    passages = [Text(f"{a}:{i}", a, text) for a, mine in texts.items() for i, text in enumerate(mine)]
    return Collection.build(tuple(texts), [], passages, [])


def found(collection: Collection) -> list[tuple[str, str, dict[str, int]]]:
    """Weight, what it is about, and how many texts by language."""
    findings = in_another_language(collection.queries, collection.passages, collection.languages)
    return [(f.weight, f.about, {count.language: count.n for count in f.counts}) for f in findings]


@pytest.mark.parametrize(("n_french", "weight"), [(1, "note"), (3, "doubtful"), (30, "wrong")])
def test_texts_in_another_language_are_counted_and_weighed(n_french, weight):
    """French among German is noted, doubtful from one text in twenty on, and wrong from one half on."""
    german = [(FRENCH if i < n_french else GERMAN).format(i) for i in range(40)]
    collection = made(de=german, fr=[FRENCH.format(i) for i in range(40)])
    assert found(collection) == [(weight, "passages in another language", {"de": n_french})]


def test_examples_name_the_language_that_texts_are_in():
    """An example is an id with the language that was identified."""
    collection = made(de=[FRENCH.format(0)])
    finding = in_another_language(collection.queries, collection.passages, collection.languages)[0]
    assert finding.counts[0].examples == ("de:0 (fr)",)


def test_few_texts_are_never_more_than_a_note():
    """Fewer than 20 texts are too few to say that a language is wrong."""
    assert found(made(de=[FRENCH.format(i) for i in range(19)])) == [
        ("note", "passages in another language", {"de": 19})
    ]


def test_short_texts_are_not_judged():
    """A text of fewer than 40 bytes says too little about its language."""
    assert found(made(de=["Bonjour, monsieur."] * 30)) == []


def test_numbers_are_in_no_language():
    """Text that is no language is not in another one."""
    assert found(made(de=["3.14159 26535 89793 23846 26433 83279 50288 41971 69399"] * 30)) == []


@pytest.mark.parametrize("code", ["zh", "zh-TW", "zho_Hans", "cmn", "yue"])
def test_codes_of_all_kinds_and_members_of_a_macrolanguage_are_known(code):
    """Chinese is Chinese, by whatever code it is declared."""
    assert found(made(**{code: [CHINESE.format(i) for i in range(30)]})) == []


def test_what_is_taken_for_a_dialect_is_in_its_macrolanguage():
    """Egyptian Arabic, which the identifier tells from Standard Arabic, is Arabic."""
    assert found(made(ar=["هو مين اللى كتب الكتاب ده؟ وكان عايش فين؟"] * 20)) == []


@pytest.mark.parametrize("code", ["xx", "klingon"])
def test_an_unknown_language_is_said_to_be_not_examined(code):
    """What the identifier does not know is said, and no text of it is taken to be in another language."""
    collection = made(**{code: [GERMAN.format(i) for i in range(30)]})
    finding = in_another_language(collection.queries, collection.passages, collection.languages)[0]
    assert (finding.weight, finding.about) == ("note", "language of texts not examined")
    assert code in finding.sentence


def test_without_the_identifier_it_says_how_to_install_it(monkeypatch):
    """Where py3langid is not installed, this is said, with the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "pip install 'xlbench[check]'" in in_another_language(*[made(de=["x"]).queries] * 2, ("de",))[0].meaning


def test_only_a_sample_of_a_long_language_is_looked_at(monkeypatch):
    """Of 60 texts and a sample of 20, 20 are counted, the same each time."""
    monkeypatch.setattr(languages, "_SAMPLE", 20)
    collection = made(de=[(FRENCH if i % 2 else GERMAN).format(i) for i in range(60)])
    first, second = (in_another_language(collection.queries, collection.passages, ("de",)) for _ in range(2))
    assert first == second
    assert first[0].counts[0].of == 20


@pytest.mark.real_data
def test_the_texts_of_xquad_r_are_in_their_languages(real_data, tmp_path, monkeypatch):
    """Of each of the 11 languages, hardly a text is taken for another language's."""
    monkeypatch.setattr(languages, "_SAMPLE", 200)  # To save time.
    task = load("xquad-r")
    collection = read_collection(task, languages=task.languages, data_dir=real_data, cache_dir=tmp_path)
    findings = in_another_language(collection.queries, collection.passages, collection.languages)
    assert all(count.n < 0.02 * count.of for finding in findings for count in finding.counts)


@pytest.mark.real_data
def test_the_questions_of_miracl_are_in_their_languages(real_data):
    """Of each of the 18 languages, Yoruba, Swahili and Telugu among them, hardly a question is taken for another."""
    queries = []
    for language in MIRACL:
        name = f"miracl-v1.0-{language}"
        lines = (real_data / "miracl" / name / "topics" / f"topics.{name}-dev.tsv").read_text("utf-8").splitlines()
        queries += [Text(f"{language}:{i}", language, line.split("\t")[1]) for i, line in enumerate(lines)]
    collection = Collection.build(MIRACL, queries, [], [])
    findings = in_another_language(collection.queries, collection.passages, MIRACL)
    assert all(count.n < 0.02 * count.of for finding in findings for count in finding.counts)
    assert "language of texts not examined" not in {finding.about for finding in findings}
