"""Clusters: which queries are drawn together."""

from __future__ import annotations

import pytest

from xlbench.collection import Clusters, Collection, Judgement, Text
from xlbench.errors import DataError


def test_without_names_a_question_with_its_translations_is_a_cluster():
    """The id without the language names it."""
    clusters = Clusters.of(["de:1", "en:1", "en:2", "plain"])
    assert (clusters.unit, clusters.of_query, len(clusters)) == ("question", ("1", "1", "2", "plain"), 3)


def test_names_that_share_a_question_are_one_cluster():
    """Each language calls an article by another name: joined over any number of languages, it has the first name."""
    named = {"de:1": "Zelle", "en:1": "Cell", "en:2": "Cell", "es:2": "Célula", "es:3": "Otra", "de:4": "Rom"}
    clusters = Clusters.of(list(named), unit="article", named=named)
    assert clusters.of_query == ("Cell", "Cell", "Cell", "Cell", "Otra", "Rom")
    assert len(clusters) == 3


def test_joining_does_not_depend_on_the_order_of_queries():
    """Whichever query comes first, the same queries are together under the same name."""
    named = {"a:1": "x", "b:1": "y", "b:2": "y", "c:2": "z", "c:3": "w", "a:3": "x", "a:9": "alone"}
    expected = dict(zip(named, Clusters.of(list(named), unit="page", named=named).of_query, strict=True))
    turned = list(named)[::-1]
    assert dict(zip(turned, Clusters.of(turned, unit="page", named=named).of_query, strict=True)) == expected
    assert set(expected.values()) == {"w", "alone"}


def test_a_query_without_a_cluster_is_refused_where_others_have_one():
    """The error names the query and the unit."""
    with pytest.raises(DataError, match="'en:2' has no article, but others have"):
        Clusters.of(["en:1", "en:2"], unit="article", named={"en:1": "Cell"})


def test_a_collection_takes_clusters_from_dicts_and_keeps_them_in_a_part():
    """`from_dicts` names them; a collection in one language has those of its queries."""
    texts = {f"{language}:{i}": f"{language} {i}" for language in ("de", "en") for i in range(3)}
    collection = Collection.from_dicts(
        texts,
        texts,
        {id_: [id_] for id_ in texts},
        clusters={id_: str(int(id_[-1]) // 2) for id_ in texts},
        unit="page",
    )
    assert (collection.clusters.unit, len(collection.clusters)) == ("page", 2)
    part = collection.in_languages(["en"])
    assert part.clusters == Clusters("page", ("0", "0", "1"))
    assert Collection.from_dicts(texts, texts, {}).clusters.unit == "question"


@pytest.mark.parametrize("part", ["queries", "passages", "judgements", "gain", "cluster"])
def test_the_checksums_tell_any_change_of_the_data(part):
    """A changed text, judgement, gain or cluster changes the checksum of its part, and no other."""

    def checksums(changed=""):
        queries = [Text("en:1", "en", "one?" if changed != "queries" else "one!"), Text("en:2", "en", "two?")]
        passages = [Text("en:a", "en", "a"), Text("en:b", "en", "b" if changed != "passages" else "c")]
        judged = Judgement("en:1", "en:a" if changed != "judgements" else "en:b", 2 if changed == "gain" else 1)
        clusters = {"en:1": "x", "en:2": "y" if changed != "cluster" else "x"}
        if changed == "cluster":
            clusters["en:1"] = "z"
        return Collection.build(["en"], queries, passages, [judged], unit="page", clusters=clusters).checksums

    differing = [name for name, value in checksums(part).items() if value != checksums()[name]]
    assert differing == [part if part in ("queries", "passages") else "judgements"]
