"""What is wrong with a mixed index: numbers that can be counted by hand, of a model that lies by language."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from xlbench.errors import DataError, EncoderError
from xlbench.examination.index_check import IndexCheck, index_check
from xlbench.reports.index_tables import sentences

N = 20


class ByLanguage:
    """Each text is at the place of its number, far away in another direction for each language."""

    name = "by-language"
    revision = "1"

    def __init__(self, apart: float = 5) -> None:
        self.apart = apart

    def encode(self, texts):
        """The first coordinates are the number's, the last the language's."""
        vectors = np.zeros((len(texts), N + 2), np.float32)
        for row, text in enumerate(texts):
            language, number = text.split()
            vectors[row, int(number)] = 1
            vectors[row, N + (language == "en")] = self.apart
        return vectors

    encode_queries = encode_passages = encode


def write(path: Path, records: list[dict[str, object]]) -> Path:
    """A file of JSON lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """An index of passages in two languages, and German queries: two are answered in German, six in English."""
    folder = tmp_path_factory.mktemp("index")
    passages = [{"id": f"{a}-{i}", "text": f"{a} {i}", "language": a} for a in ("de", "en") for i in range(N)]
    # Half of what the queries ask for is not there in German.
    passages = [passage for passage in passages if passage["id"] not in {f"de-{i}" for i in range(6)}]
    queries = [{"query": f"de {i}", "passage_id": f"en-{i}", "language": "de"} for i in range(6)]
    queries += [{"query": f"de {i}", "passage_id": f"de-{i}", "language": "de"} for i in (10, 11)]
    return write(folder / "index.jsonl", passages), write(folder / "queries.jsonl", queries)


def checked(files: tuple[Path, Path], model: object, *, queries: bool = True) -> IndexCheck:
    """The check of the index."""
    return index_check(files[0], model, queries=files[1] if queries else None, cache=None, quiet=True)


@pytest.fixture(scope="module")
def apart(files) -> IndexCheck:
    """That of a model whose languages lie apart."""
    return checked(files, ByLanguage())


def test_neighbours_are_held_against_the_sizes_of_the_languages(apart):
    """All are in the passage's language; by chance it would be 13 of 33 others in German, and 19 in English."""
    of = {each.language: each for each in apart.passages}
    assert (of["de"].n_passages, of["de"].own, of["de"].expected) == (14, 1, pytest.approx(13 / 33))
    assert (of["en"].n_passages, of["en"].own, of["en"].expected) == (20, 1, pytest.approx(19 / 33))
    assert apart.plain.purity == 1
    assert apart.expected.purity == pytest.approx((14 * 13 + 20 * 19) / 34 / 33)
    assert apart.strength == 1
    assert apart.plain.variance > 0.8
    assert apart.expected.variance == pytest.approx(1 / 33)


def test_without_each_languages_mean_the_neighbours_are_mixed(apart):
    """What separates the languages of this model is their means alone."""
    assert apart.centred.purity < 0.8
    assert apart.centred.variance < 0.05
    assert apart.centred.first < apart.plain.first


def test_the_first_passages_of_queries_are_held_against_the_index(apart):
    """All ten are German, and 14 of 34 passages are."""
    (of,) = apart.queries
    assert (of.language, of.n_queries, of.own, of.expected) == ("de", 8, 1, pytest.approx(14 / 34))


def test_known_passages_show_what_mixing_costs(apart):
    """In their language they are first; in another they are found in its index alone, and not in the mixed one."""
    own, other = apart.known
    assert (own.own, own.n_queries, other.own, other.n_queries) == (True, 2, False, 6)
    assert own.mixed == own.alone == {"R@1": 1, "R@10": 1}
    assert other.alone == {"R@1": 1, "R@10": 1}
    assert other.mixed == {"R@1": 0, "R@10": 0}
    assert apart.result.value("multi", "FirstOwnIrrelevant") == 6 / 8


def test_the_sentences_say_how_bad_why_and_what_to_try(apart):
    """In this order, with the numbers."""
    said = sentences(apart, "index.jsonl")
    assert said[0].startswith("The vectors lie by language: of a passage's 10 nearest, 1.00 are in its own, where .50")
    assert "are in its language, which has .41 of the index" in said[1]
    assert "in another language is among the first 10 for .000 of 6 queries, and for 1.000 in an index" in said[3]
    assert said[4].startswith("Why: language explains")
    assert "--remedies" in said[5]


def test_a_model_that_knows_no_language_has_nothing_to_mend(files):
    """By the neighbours; without queries there is no more to say."""
    even = checked(files, ByLanguage(apart=0), queries=False)
    assert even.strength < 0.1
    assert (even.plain.first, even.queries, even.known, even.result) == (None, (), (), None)
    said = sentences(even, "index.jsonl")
    assert said[0].startswith("The vectors hardly lie by language")
    assert said[-1] == "What to try: nothing, by these numbers."


def test_three_passages_are_too_few(tmp_path):
    """None would have ten neighbours."""
    records = [{"text": f"{a} 1", "language": a} for a in ("de", "en", "fr")]
    with pytest.raises(DataError, match="3 different passages; expected 11 at least"):
        checked((write(tmp_path / "x.jsonl", records), tmp_path), ByLanguage(), queries=False)


def test_a_model_without_vectors_is_refused(files):
    """bm25 has no neighbours."""
    with pytest.raises(EncoderError, match="bm25 does not give one dense vector a text"):
        checked(files, "bm25", queries=False)
