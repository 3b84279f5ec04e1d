"""The whole examination: sound data is passed, and broken data is found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.examination.made_collections import collection, model
from xlbench import models
from xlbench.catalogue import load, read_collection
from xlbench.collection import Collection, Judgement, Text, Texts
from xlbench.collection.strings import StoredStrings, store
from xlbench.errors import DataError
from xlbench.examination import Examination, chance, unreadable
from xlbench.examination.examine import examine
from xlbench.models.protocols import Model
from xlbench.settings import KINDS, Kind
from xlbench.support.progress import silent

N = 80
ALL = tuple(f"{a}>{b}" for a in ("aa", "bb", "cc") for b in ("aa", "bb", "cc"))


def examined(
    made: Collection, cache_dir: Path, *, kinds: Sequence[Kind] = KINDS, model: Model | None = None
) -> Examination:
    """The examination, by default of all kinds of setting and without a model."""
    return examine(made, kinds=kinds, model=model, cache_dir=cache_dir, show=lambda what: silent)


def of_weight(found: Examination, weight: str) -> dict[str, set[str]]:
    """What the findings of a weight are about, and where."""
    return {f.about: set(f.where) for f in found.findings if f.weight == weight}


def shuffle(seed: int = 0) -> list[int]:
    """A random order of the questions."""
    return np.random.default_rng(seed).permutation(N).tolist()


def test_sound_data_is_passed(tmp_path):
    """With a model that knows all languages, each setting is better than chance, and nothing is wrong."""
    found = examined(collection(N), tmp_path, model=model("aa", "bb", "cc"))
    assert not found.is_wrong
    assert {str(verdict.setting) for verdict in found.verdicts} == set(ALL)
    assert {verdict.said for verdict in found.verdicts} == {"better than chance"}
    assert [(size.language, size.n_queries, size.n_passages, size.n_pairs, size.n_own) for size in found.sizes] == [
        (language, N, N, 3 * N, N) for language in ("aa", "bb", "cc")
    ]
    assert found.sizes[0].passages.median == found.sizes[0].passages.longest == 21


def test_shuffled_judgements_are_found(tmp_path):
    """One shuffle of all judgements puts all settings at chance, with a model and, within languages, without one."""
    order = shuffle()
    made = collection(N, shuffled={tuple(name.split(">")): order for name in ALL})
    found = examined(made, tmp_path, model=model("aa", "bb", "cc"))
    assert of_weight(found, "wrong") == {"settings at chance level": set(ALL)}
    without = examined(made, tmp_path)
    assert of_weight(without, "wrong") == {"settings at chance level": {"aa>aa", "bb>bb", "cc>cc"}}


@pytest.mark.parametrize("setting", ["aa>bb", "cc>aa", "bb>bb"])
def test_one_shuffled_setting_is_found_among_sound_ones(tmp_path, setting):
    """A single setting with shuffled judgements is named, and no other."""
    made = collection(N, shuffled={tuple(setting.split(">")): shuffle()})
    found = examined(made, tmp_path, model=model("aa", "bb", "cc"))
    assert of_weight(found, "wrong") == {"settings at chance level": {setting}}


def test_shuffled_judgements_without_any_cross_lingual_ones_are_found(tmp_path):
    """Where passages are relevant in the query's language only, as in MIRACL, a language with a shuffle is named."""
    made = collection(N, shuffled={("bb", "bb"): shuffle()}, cross=False)
    found = examined(made, tmp_path, kinds=["mono", "multi"])
    assert of_weight(found, "wrong") == {"settings at chance level": {"bb>bb"}}
    assert len(found.verdicts) == 3


@pytest.mark.parametrize("known", [None, ("aa", "bb"), ("cc",)])
def test_settings_that_no_model_knows_cannot_be_told(tmp_path, known):
    """A setting across languages is at most noted without a model, and with one that does not know both."""
    made = collection(N, shuffled={("aa", "cc"): shuffle()})
    found = examined(made, tmp_path, model=model(*known) if known else None)
    sound = {"aa>bb", "bb>aa"} if known == ("aa", "bb") else set()
    assert not found.is_wrong
    across = {name for name in ALL if name[:2] != name[3:]}
    assert of_weight(found, "note")["settings that may be at chance level"] == across - sound


def test_a_model_is_asked_only_where_letters_leave_a_setting_open(tmp_path):
    """Where comparing letters is enough, the model is not asked to encode anything."""
    asked = model("aa")
    asked.encoder.encode_queries = None  # type: ignore[assignment]
    found = examined(collection(N), tmp_path, kinds=["mono"], model=asked)
    assert {standing.model for verdict in found.verdicts for standing in verdict.standings} == {"hash"}


def test_a_few_queries_are_too_few(tmp_path):
    """Ten queries say nothing, even if shuffled, and that is noted."""
    made = collection(10, shuffled={("aa", "aa"): [*range(1, 10), 0]})
    found = examined(made, tmp_path, kinds=["mono"])
    assert not found.is_wrong
    assert "settings with too few queries to test" in of_weight(found, "note")


def test_a_collection_without_judgements_is_examined(tmp_path):
    """Where nothing is judged, that is noted, and there is no verdict."""
    made = Collection.build(("de",), [Text("de:1", "de", "frage")], [Text("de:p", "de", "antwort")], [])
    found = examined(made, tmp_path)
    assert found.verdicts == ()
    assert of_weight(found, "note")["queries without a relevant passage"] == {"de"}


def test_findings_are_sorted_by_weight(tmp_path):
    """What is wrong comes first, notes come last."""
    queries = [Text(f"de:{i}", "de", f"frage {i}") for i in range(3)]
    passages = [Text(f"{a}:p{i}", a, f"gleich {i}") for a in ("de", "en") for i in range(3)]
    passages.append(Text("de:x", "de", "?!"))
    made = Collection.build(("de", "en"), queries, passages, [Judgement("de:0", "de:x", 1)])
    weights = [finding.weight for finding in examined(made, tmp_path).findings]
    assert weights == sorted(weights, key=["wrong", "doubtful", "note"].index)
    assert set(weights) == {"wrong", "doubtful", "note"}


def test_the_same_data_gives_the_same_examination(tmp_path):
    """Two examinations of a collection are equal."""
    made = collection(N, shuffled={("aa", "bb"): shuffle()})
    first, second = (examined(made, tmp_path / name, model=model("aa", "bb", "cc")) for name in "ab")
    assert first == second


def test_an_id_that_occurs_twice_on_disk_is_found(tmp_path):
    """A collection that is not in memory is asked for ids that occur twice, which its making does not see."""
    file = tmp_path / "passages.arrow"
    store([("de:p", "antwort"), ("de:p", "noch eine")], file)
    passages = Texts(StoredStrings([file], "id"), StoredStrings([file], "text"), np.zeros(2, np.int16))
    made = Collection.build(("de",), [Text("de:1", "de", "frage")], passages, [])
    with pytest.raises(DataError, match="'de:p' occurs twice"):
        examined(made, tmp_path)


def test_what_cannot_be_read_is_wrong():
    """An error of the data is a finding, with its own sentence."""
    found = unreadable(DataError("A judgement names the query 'x', which the collection does not have."))
    assert found.is_wrong
    assert found.findings[0].sentence == "A judgement names the query 'x', which the collection does not have."


def shuffled_setting(made: Collection, query: str, passage: str) -> Collection:
    """The collection with the relevant passages of one setting shuffled among its queries."""
    asked, pool = made.languages.index(query), made.languages.index(passage)
    pairs = made.pairs
    mine = (made.queries.language[pairs.query] == asked) & (made.passages.language[pairs.passage] == pool)
    passages = pairs.passage.copy()
    passages[mine] = np.random.default_rng(0).permutation(passages[mine])
    texts = [
        [Text(id_, made.languages[code], text) for id_, code, text in zip(of.ids, of.language, of.text, strict=True)]
        for of in (made.queries, made.passages)
    ]
    pairs_of_rows = dict.fromkeys(zip(pairs.query.tolist(), passages.tolist(), strict=True))
    judgements = [Judgement(made.queries.ids[q], made.passages.ids[p], 1) for q, p in pairs_of_rows]
    return Collection.build(made.languages, *texts, judgements)


@pytest.mark.real_data
def test_one_broken_setting_of_xquad_r_is_found_and_no_sound_one(real_data, tmp_path, monkeypatch):
    """In XQuAD-R with one setting shuffled, that one is wrong, and none in Hindi, which the model does not know."""
    monkeypatch.setattr(chance, "_QUERIES", 60)  # Fewer than there are, to save time.
    languages = ("en", "es", "hi", "zh")
    made = read_collection(load("xquad-r"), languages=languages, data_dir=real_data, cache_dir=tmp_path)
    found = examined(shuffled_setting(made, "en", "zh"), tmp_path, model=models.load("use-multilingual"))
    assert of_weight(found, "wrong") == {"settings at chance level": {"en>zh"}}
    assert of_weight(found, "doubtful") == {}
