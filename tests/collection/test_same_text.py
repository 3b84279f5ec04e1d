"""One rule says when two texts are the same, and four parts go by it."""

from __future__ import annotations

import json

import pytest

from xlbench.collection import Collection, Judgement, Text
from xlbench.collection.same_text import same_key
from xlbench.examination.odd_texts import facts
from xlbench.training.data import Data
from xlbench.training.pairs import read_pairs

SAME = [
    ("Café, s'il vous plaît!", "CAFE\u0301  s il vous plaît"),
    ("Straße 1", "STRASSE 1"),
    ("a  b\n", "a b"),
    ("① km", "1 km"),
]
OTHER = [("Straße 1", "Straße 2"), ("!", "?"), ("a b", "ab")]


@pytest.mark.parametrize(
    ("one", "other", "same"), [*((*pair, True) for pair in SAME), *((*pair, False) for pair in OTHER)]
)
def test_the_loss_mask_and_the_check_go_by_the_rule(tmp_path, one, other, same):
    """Forms of Unicode, case, spaces and signs make no other text; letters and digits do."""
    assert (same_key(one) == same_key(other)) is same
    rows = [
        {"id": str(i), "queries": {"de": f"frage {i}"}, "passages": {"de": text}} for i, text in enumerate((one, other))
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    data = Data.of([read_pairs(tmp_path / "pairs.jsonl")], weights=[1.0])
    assert bool(data.group[0] == data.group[1]) is same
    passages = [Text("de:a", "de", one), Text("de:b", "de", other)]
    collection = Collection.build(["de"], [Text("de:q", "de", "?")], passages, [Judgement("de:q", "de:a", 1)])
    told = facts(collection.passages, ("de",), lambda **_: None)
    assert bool(told.checksum[0] == told.checksum[1]) is same
