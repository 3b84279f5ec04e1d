"""align: how near the vectors of parallel passages lie."""

from __future__ import annotations

import json
import math
from itertools import permutations

import numpy as np
import pytest

from tests.conftest import embeddings, integer_vector, random_collection, torch_threads
from xlbench import catalogue
from xlbench.collection import Collection, Judgement, Text
from xlbench.collection.clusters import question_of
from xlbench.engine import alignment
from xlbench.engine.alignment import align
from xlbench.engine.vectors import Embeddings
from xlbench.models.hash import HashEncoder


def parallel_collection(answers: dict[str, str], *, others: int = 0) -> Collection:
    """A collection with the question ``q<i>`` in each language, whose answer in it is the letter ``answers[l][i]``.

    Each language has the passages ``<language> <letter>``, and as many others that answer nothing.
    """
    n_questions = {len(letters) for letters in answers.values()}.pop()
    passages = [(a, letter) for a, letters in answers.items() for letter in dict.fromkeys(letters)]
    passages += [(a, f"other {i}") for a in answers for i in range(others)]
    return Collection.build(
        list(answers),
        [Text(f"{a}:q{i}", a, f"{i}?") for a in answers for i in range(n_questions)],
        [Text(f"{a}:{letter}", a, f"{a} {letter}") for a, letter in passages],
        [
            Judgement(f"{a}:q{i}", f"{b}:{answers[b][i]}", 1)
            for a in answers
            for b in answers
            for i in range(n_questions)
        ],
    )


def vectors(collection: Collection, by_text: dict[str, tuple[float, ...]]) -> Embeddings:
    """These vectors of passages."""
    return embeddings(collection.passages, lambda text: np.array(by_text[text], np.float32))


def normal_vectors(collection: Collection, *, dimensions: int = 16, shift: float = 0.0) -> Embeddings:
    """Random vectors, the same for a text in any order; ``shift`` moves those of each language its own way."""

    def vector(text: str) -> np.ndarray:
        language = np.random.default_rng([*text.split(" ")[0].encode()]).standard_normal(dimensions)
        return np.random.default_rng([9, *text.encode()]).standard_normal(dimensions) + shift * language

    return embeddings(collection.passages, lambda text: vector(text).astype(np.float32))


TWO = parallel_collection({"de": "xy", "en": "xy"})
BY_HAND = {"de x": (3.0, 4.0), "de y": (0.0, 2.0), "en x": (1.0, 0.0), "en y": (0.0, 5.0)}


def test_the_figures_are_those_reckoned_by_hand():
    """Unit vectors (.6, .8) and (0, 1) in German, (1, 0) and (0, 1) in English, parallel in this order."""
    # Cosines: x-x .6, y-y 1, others .8 (de x, en y) and 0. Nearest: de x -> en y (wrong), the other three right.
    # Means: de (.3, .9), en (.5, .5), of all (.4, .7): between 2 (.01 + .04) * 2 = .2; total .04 + .01 + .16 + .09 +
    # .36 + .49 + .16 + .09 = 1.4.
    assert align(TWO, vectors(TWO, BY_HAND)) == {
        "parallel_cosine": 0.8,
        "random_cosine": 0.4,
        "bitext_accuracy": 0.75,
        "bitext": {"de": {"en": 0.5}, "en": {"de": 1.0}},
        "language_variance": round(0.2 / 1.4, 6),
        "n_parallel": 2,
    }


def test_equal_parallel_vectors_are_perfectly_aligned():
    """If translations have one vector, their cosine and every accuracy are 1, and the language explains nothing."""
    collection = parallel_collection({"de": "abcdef", "en": "abcdef", "th": "abcdef"})
    found = align(collection, embeddings(collection.passages, lambda text: integer_vector(text[-1]) + 0.5))
    others = {"de": 1.0, "en": 1.0, "th": 1.0}
    assert found["bitext"] == {a: {b: 1.0 for b in others if b != a} for a in others}
    assert (found["parallel_cosine"], found["bitext_accuracy"], found["language_variance"]) == (1, 1, 0)
    assert found["random_cosine"] < 0.9


def test_one_vector_for_everything_finds_nothing():
    """A tie is not found: a model whose vectors all point one way has accuracy 0, whatever their lengths."""
    found = align(TWO, vectors(TWO, {text: (i + 0.1, 2 * (i + 0.1)) for i, text in enumerate(BY_HAND)}))
    assert (found["bitext_accuracy"], found["parallel_cosine"], found["random_cosine"]) == (0, 1, 1)
    assert found["language_variance"] == 0


def test_vectors_of_languages_alone_have_all_their_variance_between_languages():
    """If a vector says the language and nothing else, the language's mean explains everything."""
    found = align(TWO, vectors(TWO, {text: (1.0, 0.0) if text < "e" else (0.0, 1.0) for text in BY_HAND}))
    assert (found["language_variance"], found["bitext_accuracy"], found["parallel_cosine"]) == (1, 0, 0)


def test_random_vectors_are_at_chance():
    """With random vectors a passage finds one of 200 by chance, and languages explain (L - 1) / (n - 1) of variance."""
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 200)))
    collection = parallel_collection({"de": letters, "en": letters, "th": letters})
    found = align(collection, normal_vectors(collection))
    n_trials = 6 * 200
    assert abs(found["bitext_accuracy"] - 1 / 200) < 4 * math.sqrt(1 / 200 / n_trials)
    assert abs(found["parallel_cosine"]) < 4 / math.sqrt(16 * 600)
    assert abs(found["random_cosine"]) < 0.02
    assert found["language_variance"] == pytest.approx(2 / 599, rel=0.5)


def test_a_shift_of_languages_is_seen_in_the_variance():
    """The further apart the languages lie, the more of the variance they explain."""
    collection = parallel_collection({"de": "abcdefgh", "en": "abcdefgh", "th": "abcdefgh"})
    share = [align(collection, normal_vectors(collection, shift=shift))["language_variance"] for shift in (0, 1, 9)]
    assert share == sorted(share)
    assert share[0] < 0.2 < share[1] < 0.9 < share[2]


def brute_force(collection: Collection, passages: Embeddings) -> dict:
    """The same figures by loops over passages; equal texts of a language are taken once."""
    unit = {}
    for i, text in enumerate(collection.passages.text):
        vector = passages.vectors[passages.row[i]].astype(float)
        length = math.sqrt(vector @ vector)
        unit[int(collection.passages.language[i]), text] = vector / length if length else vector
    queries: dict[int, set] = {}
    for query, passage in zip(collection.pairs.query, collection.pairs.passage, strict=True):
        at = int(collection.passages.language[passage]), collection.passages.text[passage]
        queries.setdefault(int(query), set()).add(at)
    links = {(a, b) for texts in queries.values() for a in texts for b in texts if a[0] != b[0]}
    cosines, bitext = [], {}
    for first, second in permutations(range(len(collection.languages)), 2):
        mine = {a for a, b in links if a[0] == first and b[0] == second}
        theirs = {b for a, b in links if a[0] == first and b[0] == second}
        if mine:
            hits, own, others = 0, [], []
            for a in mine:
                right = [unit[a] @ unit[b] for b in theirs if (a, b) in links]
                wrong = [unit[a] @ unit[b] for b in theirs if (a, b) not in links]
                hits += max(right) > max([-9, *wrong]) + 1e-6
                own, others = own + right, others + wrong
            names = collection.languages[first], collection.languages[second]
            bitext.setdefault(names[0], {})[names[1]] = hits / len(mine)
            cosines.append((np.mean(own), np.mean(others) if others else np.nan))
    used = sorted({a for a, _ in links})
    total = np.stack([unit[a] for a in used])
    means = {a[0]: np.mean([unit[b] for b in used if b[0] == a[0]], axis=0) for a in used}
    between = sum(((means[a[0]] - total.mean(axis=0)) ** 2).sum() for a in used)
    return {
        "parallel_cosine": np.mean([own for own, _ in cosines]),
        "random_cosine": np.nanmean([other for _, other in cosines]),
        "bitext_accuracy": np.mean([share for by_other in bitext.values() for share in by_other.values()]),
        "bitext": bitext,
        "language_variance": between / ((total - total.mean(axis=0)) ** 2).sum(),
        "n_parallel": len(links) // 2,
    }


@pytest.mark.parametrize("rows_at_once", [1, 3, 4096])
@pytest.mark.parametrize("seed", range(6))
def test_the_figures_are_those_of_loops_over_passages(monkeypatch, seed, rows_at_once):
    """With ragged relevance, repeated texts, ties and zero vectors, in blocks of any size, all figures are the same."""
    monkeypatch.setattr(alignment, "_ROWS_AT_ONCE", rows_at_once)
    collection = random_collection(np.random.default_rng(seed), n_languages=4, n_queries=6)
    passages = embeddings(collection.passages, lambda text: integer_vector(text, seed=seed))
    found, expected = align(collection, passages), brute_force(collection, passages)
    assert found.pop("bitext") == {a: pytest.approx(values, abs=1e-6) for a, values in expected.pop("bitext").items()}
    assert found == pytest.approx(expected, abs=1e-6)


def test_lengths_of_vectors_change_nothing():
    """Vectors of any positive length give the same figures: only directions count."""
    collection = parallel_collection({"de": "abcdef", "en": "abcdef", "th": "abbbef"})
    passages = normal_vectors(collection)
    length = np.random.default_rng(1).uniform(0.01, 100, size=(len(passages.vectors), 1)).astype(np.float32)
    assert align(collection, Embeddings(passages.vectors * length, passages.row)) == align(collection, passages)


def test_names_and_order_of_languages_change_nothing():
    """The same passages in languages of other names and order give the same figures by these names."""
    answers = {"de": "abcdef", "en": "abcdeg", "th": "abbbef"}
    collection = parallel_collection(answers)
    passages = normal_vectors(collection)
    expected = align(collection, passages)
    by_text = {text: passages.vectors[row] for text, row in zip(collection.passages.text, passages.row, strict=True)}
    new = {"de": "xx", "en": "yy", "th": "aa"}
    back = {name: old for old, name in new.items()}
    other = parallel_collection({new[old]: answers[old] for old in ("th", "de", "en")})
    found = align(other, embeddings(other.passages, lambda text: by_text[f"{back[text[:2]]}{text[2:]}"]))
    renamed = {new[a]: {new[b]: share for b, share in by_other.items()} for a, by_other in expected["bitext"].items()}
    assert found == {**expected, "bitext": renamed}


def test_passages_that_answer_nothing_change_nothing():
    """Only the passages that have a parallel one are looked at."""
    answers = {"de": "abcd", "en": "abcd"}
    few, many = parallel_collection(answers), parallel_collection(answers, others=20)
    assert align(many, normal_vectors(many)) == align(few, normal_vectors(few))


def test_a_passage_that_answers_several_questions_counts_once_a_pair():
    """Two questions with one answer in both languages are one pair; if they differ in one language, two."""
    assert align(TWO, vectors(TWO, BY_HAND))["n_parallel"] == 2
    same = parallel_collection({"de": "xxy", "en": "xxy"})
    assert align(same, vectors(same, BY_HAND)) == align(TWO, vectors(TWO, BY_HAND))
    ragged = parallel_collection({"de": "xxy", "en": "xyy"})
    assert align(ragged, vectors(ragged, BY_HAND))["n_parallel"] == 3


def test_a_copy_of_an_answer_does_not_hide_it():
    """A passage with the text of a parallel one is as good: it is no nearer other passage."""
    collection = Collection.build(
        ["de", "en"],
        [Text("de:1", "de", "?"), Text("de:2", "de", "??")],
        [Text("a", "de", "de x"), Text("b", "en", "en x"), Text("c", "en", "en x"), Text("d", "de", "de y"),
         Text("e", "en", "en y")],
        [Judgement("de:1", "a", 1), Judgement("de:1", "b", 1), Judgement("de:2", "d", 1), Judgement("de:2", "e", 1),
         Judgement("de:2", "c", 1)],
    )  # fmt: skip
    found = align(collection, vectors(collection, {**BY_HAND, "de x": (1.0, 0.0)}))
    assert (found["bitext_accuracy"], found["n_parallel"]) == (1.0, 3)


def test_a_zero_vector_has_cosine_0():
    """A passage with a zero vector lowers the means and finds nothing; no NaN comes of it."""
    found = align(TWO, vectors(TWO, {**BY_HAND, "en x": (0.0, 0.0)}))
    assert (found["parallel_cosine"], found["random_cosine"]) == (0.5, 0.4)
    assert found["bitext"] == {"de": {"en": 0.5}, "en": {"de": 0.5}}
    assert json.dumps(found, allow_nan=False)


def test_without_parallel_passages_there_is_nothing_to_say():
    """A collection whose questions have answers in one language only, such as MIRACL, has no alignment."""
    texts = [Text("de:1", "de", "a"), Text("en:2", "en", "b")]
    collection = Collection.build(["de", "en"], texts, texts, [Judgement(t.id, t.id, 1) for t in texts])
    assert align(collection, embeddings(collection.passages, integer_vector)) == {}
    empty = Collection.build(["de", "en"], texts, texts, [])
    assert align(empty, embeddings(empty.passages, integer_vector)) == {}


def test_queries_that_share_a_number_are_not_one_query():
    """MIRACL's numbers coincide across languages: yo:10 and en:10 ask different things, and nothing is parallel."""
    texts = [Text("en:10", "en", "a"), Text("yo:10", "yo", "b")]
    collection = Collection.build(["en", "yo"], texts, texts, [Judgement(t.id, t.id, 1) for t in texts])
    assert align(collection, embeddings(collection.passages, integer_vector)) == {}


def test_without_others_there_is_no_random_cosine():
    """With one parallel pair alone there are no two passages that are not parallel: None, not a NaN."""
    one = parallel_collection({"de": "x", "en": "x"})
    found = align(one, vectors(one, BY_HAND))
    assert (found["random_cosine"], found["bitext_accuracy"], found["parallel_cosine"]) == (None, 1, 0.6)


@pytest.mark.real_data
def test_parallel_passages_of_xquad_r(real_data, tmp_path):
    """Thai, Turkish, Chinese, hash vectors: as many pairs as distinct answers, little aligned, the same bytes again."""
    task = catalogue.load("xquad-r")
    collection = catalogue.read_collection(task, languages=["th", "tr", "zh"], data_dir=real_data, cache_dir=tmp_path)
    encoder = HashEncoder(dimensions=64)
    passages = embeddings(collection.passages, lambda text: encoder.encode_passages([text])[0])
    found = align(collection, passages)
    texts = {
        (question_of(collection.queries.ids[q]), int(collection.passages.language[p])): collection.passages.text[p]
        for q, p in zip(collection.pairs.query, collection.pairs.passage, strict=True)
    }
    questions = {question for question, _ in texts}
    pairs = {(a, b, texts[q, a], texts[q, b]) for q in questions for a, b in ((0, 1), (0, 2), (1, 2))}
    assert len(questions) == 1190
    assert found["n_parallel"] == len(pairs)
    assert found["bitext_accuracy"] < 0.1
    assert found["random_cosine"] < found["parallel_cosine"]
    with torch_threads(1):
        assert json.dumps(align(collection, passages)) == json.dumps(found)
