"""Collection: validated arrays sorted by language."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.conftest import random_collection
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.errors import DataError

QUERIES = [Text("q1", "de", "wer?"), Text("q2", "en", "who?"), Text("q3", "de", "was?")]
PASSAGES = [Text("p1", "en", "this"), Text("p2", "de", "das"), Text("p3", "en", "that")]


def test_texts_are_sorted_by_language_and_keep_their_order_within_one():
    """Languages stand in the order in which they are given, and the records of one in the order in which they came."""
    collection = Collection.build(["en", "de", "fr"], QUERIES, PASSAGES, [])
    assert collection.queries.ids == ("q2", "q1", "q3")
    assert collection.passages.ids == ("p1", "p3", "p2")
    assert list(collection.queries.text) == ["who?", "wer?", "was?"]
    assert [collection.queries.rows(language) for language in range(3)] == [slice(0, 1), slice(1, 3), slice(3, 3)]


def test_pairs_are_sorted_by_query_and_passage():
    """Pairs stand by row of the query, then of the passage, each with its gain, in whatever order they were judged."""
    judgements = [
        Judgement("q3", "p2", 3),
        Judgement("q2", "p3", 2),
        Judgement("q3", "p1", 1),
        Judgement("q2", "p1", 4),
    ]
    pairs = Collection.build(["en", "de"], QUERIES, PASSAGES, judgements).pairs
    assert list(zip(pairs.query, pairs.passage, pairs.gain, strict=True)) == [
        (0, 0, 4),
        (0, 1, 2),
        (2, 0, 1),
        (2, 2, 3),
    ]
    assert (pairs.query.dtype, pairs.passage.dtype, pairs.gain.dtype) == (np.int32, np.int64, np.int16)


def test_queries_and_passages_have_two_namespaces():
    """A query and a passage may have the same id and stay two things."""
    same = [Text("10020#0", "en", "a")]
    collection = Collection.build(["en"], same, same, [Judgement("10020#0", "10020#0", 1)])
    assert collection.queries.ids == collection.passages.ids
    assert len(collection.pairs) == 1


@pytest.mark.parametrize(
    ("queries", "passages", "judgements", "said"),
    [
        ([*QUERIES, Text("q1", "en", "x")], PASSAGES, [], "The id 'q1' occurs twice"),
        (QUERIES, [*PASSAGES, Text("p2", "de", "x")], [], "The id 'p2' occurs twice"),
        ([*QUERIES, Text("q4", "en", "")], PASSAGES, [], "The text of 'q4' is empty"),
        (QUERIES, [*PASSAGES, Text("p4", "en", " \n\u3000")], [], "The text of 'p4' is empty"),
        ([*QUERIES, Text("q4", "fr", "x")], PASSAGES, [], "'q4' is in the language 'fr'; expected one of de, en"),
        (QUERIES, PASSAGES, [Judgement("q9", "p1", 1)], "names the query 'q9'"),
        (QUERIES, PASSAGES, [Judgement("q1", "p9", 1)], "query 'q1' names the passage 'p9'"),
        (QUERIES, PASSAGES, [Judgement("p1", "q1", 1)], "names the query 'p1'"),
        (QUERIES, PASSAGES, [Judgement("q1", "p1", 32_768)], "is 32768; expected at most 32,767"),
        (
            QUERIES,
            PASSAGES,
            [Judgement("q1", "p1", 1), Judgement("q1", "p1", 0)],
            "'q1' and passage 'p1' are judged twice, with the gains 1 and 0",
        ),
    ],
)
def test_bad_records_are_refused_by_name(queries, passages, judgements, said):
    """A record that cannot be used is a DataError that names it."""
    with pytest.raises(DataError, match=re.escape(said)):
        Collection.build(["de", "en"], queries, passages, judgements)


@pytest.mark.parametrize(
    ("ids", "text", "language", "said"),
    [
        (("a", "b"), ["x", "y"], [1, 0], "not sorted by language"),
        (("a", "b"), ["x"], [0, 0], "2 ids, 1 texts and 2 languages"),
    ],
)
def test_texts_cannot_be_made_in_disorder(ids, text, language, said):
    """Texts that are not sorted by language, or not all there, are refused however they are made."""
    with pytest.raises(DataError, match=said):
        Texts(ids=ids, text=text, language=np.array(language, np.int16))


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_records_changes_nothing_but_the_order(seed):
    """Records shuffled before they are built give the same texts and the same gains by id."""
    rng = np.random.default_rng(seed)
    collection = random_collection(rng)
    texts = {
        role: [
            Text(texts.ids[row], collection.languages[texts.language[row]], texts.text[row])
            for row in rng.permutation(len(texts))
        ]
        for role, texts in (("queries", collection.queries), ("passages", collection.passages))
    }
    judged = gains(collection)
    shuffled = [Judgement(*ids, gain) for ids, gain in judged.items()]
    rng.shuffle(shuffled)
    again = Collection.build(collection.languages, texts["queries"], texts["passages"], shuffled)
    assert gains(again) == judged
    for before, after in ((collection.queries, again.queries), (collection.passages, again.passages)):
        assert dict(zip(before.ids, before.text, strict=True)) == dict(zip(after.ids, after.text, strict=True))
        assert np.array_equal(before.language, after.language)


def gains(collection: Collection) -> dict[tuple[str, str], int]:
    """The gain of each judged pair by the ids of its query and passage."""
    pairs = collection.pairs
    return {
        (collection.queries.ids[query], collection.passages.ids[passage]): int(gain)
        for query, passage, gain in zip(pairs.query, pairs.passage, pairs.gain, strict=True)
    }


def test_an_equal_judgement_twice_is_one_and_a_gain_below_1_is_not_relevant():
    """As trec_eval reads them, whatever the format that they came in; what is not relevant need not even be there."""
    judged = [Judgement("q1", "p1", 1), Judgement("q1", "p1", 1), Judgement("q1", "p2", 0), Judgement("q2", "gone", -1)]
    assert len(Collection.build(["de", "en"], QUERIES, PASSAGES, judged).pairs) == 1
