"""Names of models that could be taken for another."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from xlbench.errors import MissingLibraryError
from xlbench.leaderboard.manifest import FIELDS
from xlbench.leaderboard.model_names import name_fault, skeleton


@pytest.mark.parametrize("name", ["intfloat/multilingual-e5-small", "hash", "a b (7B)", "BAAI/bge-m3", "x_1.5"])
def test_names_in_ascii_are_taken(name):
    """They need no table, and are what the Hub has."""
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name", ["模型", "модель", "bge-模型-v2", "نموذج", "मॉडल", "mañana", "ひらがな漢字", "모델 v1"]
)
def test_names_in_one_script_are_taken(name):
    """Letters with accents too, and Latin beside Chinese, Japanese and Korean."""
    pytest.importorskip("confusable_homoglyphs")
    assert name_fault(unicodedata.normalize("NFKC", name)) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("h\u0430sh", "has letters of CYRILLIC and LATIN; expected those of one script"),
        ("\u0455\u0440\u0435\u0435\u0441\u04bb", "looks like 'speech'"),
        ("\u0391\u0392\u0395", "looks like 'ABE'"),
        ("\uff48ash", "is not in the form NFKC; write 'hash'"),
        ("a\u0308hnlich", "is not in the form NFKC; write 'ähnlich'"),
        ("\ufb01ne", "is not in the form NFKC; write 'fine'"),
        ("\u01c3kung-модель", "one script"),
        (7, "is 7; expected text"),
        ("<b>", "looks like markup"),
    ],
)
def test_names_that_could_be_mistaken_are_refused(name, message):
    """Of two scripts, of one whose letters all look like Latin ones, or written in another way than they are read."""
    pytest.importorskip("confusable_homoglyphs")
    assert message in str(name_fault(name))


@pytest.mark.parametrize(
    "other",
    [
        "HASH-small",
        "hash_small",
        "hash.small",
        "hash-srnall",
        "hash-smaII",
        "hash-sma1l",
        "h\u0430sh-small",
        "hásh-small",
    ],
)
def test_names_that_look_alike_have_one_skeleton(other):
    """Upper case, separators, digits and letters of other scripts or with accents."""
    pytest.importorskip("confusable_homoglyphs")
    assert skeleton(other) == skeleton("hash-small")


@pytest.mark.parametrize("other", ["hash-large", "hash-small-2", "hash-tiny", "smash-hall"])
def test_other_names_have_another_skeleton(other):
    """They are told apart at a glance."""
    assert skeleton(other) != skeleton("hash-small")


def test_without_the_table_a_name_beyond_ascii_says_what_to_install(monkeypatch):
    """An error with the extra's name; ASCII needs none."""
    monkeypatch.setitem(sys.modules, "confusable_homoglyphs", None)
    with pytest.raises(MissingLibraryError, match=r"xlbench\[leaderboard\]"):
        name_fault("模型")
    assert name_fault("model") is None


@pytest.mark.parametrize("key", ["submitter", "licence"])
def test_who_submits_is_written_as_it_is_read(key):
    """Half-width and composed letters are one name."""
    assert FIELDS[key].fault("Jo\u0308rg") == "is not in the form NFKC; write 'Jörg'"
    assert FIELDS[key].fault("Jörg") is None
