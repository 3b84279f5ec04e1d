"""Loading a fusion: two models by name, each with arguments of its own."""

from __future__ import annotations

import pytest

from xlbench.errors import EncoderError, UnknownNameError
from xlbench.models.bm25 import BM25Scorer
from xlbench.models.fused import Fusion
from xlbench.models.hash import HashEncoder
from xlbench.models.load import load
from xlbench.models.protocols import Scorer

PLACED = """
class Placed:
    name, revision = "placed", "3"
    def __init__(self, device=None, size=1):
        self.device, self.size = device, size
    def encode_queries(self, texts): ...
    def encode_passages(self, texts): ...
"""


@pytest.fixture
def placed(tmp_path) -> str:
    """A class in a file that runs on any device."""
    file = tmp_path / "placed.py"
    file.write_text(PLACED, encoding="utf-8")
    return f"{file}:Placed"


def test_a_fusion_is_named_after_both_models():
    """Its name has both names, its revision both revisions, and its arguments the method, given or not."""
    model = load("fusion:bm25+hash", arguments={"A.k1": 1.2, "B.dimensions": 64, "weight": 0.3})
    assert isinstance(model.encoder, Fusion)
    assert not isinstance(model.encoder, Scorer)
    assert [type(part.encoder) for part in model.encoder.parts] == [BM25Scorer, HashEncoder]
    assert [dict(part.arguments) for part in model.encoder.parts] == [{"k1": 1.2}, {"dimensions": 64}]
    revisions = [part.revision for part in model.encoder.parts]
    assert model.identity() == {
        "name": "fusion:bm25+hash",
        "revision": f"1 (bm25 {revisions[0]}, hash {revisions[1]})",
        "adapter": "fusion",
        "arguments": {"method": "rrf", "k": 60, "weight": 0.3, "A.k1": 1.2, "B.dimensions": 64},
    }
    assert load("fusion:bm25+hash", arguments=dict(model.arguments)).key() == model.key()
    assert set(model.provenance()) == {"A", "B"}


def test_a_part_is_the_model_by_itself():
    """It has the key of the model by itself, by which its vectors are found again."""
    model = load("fusion:hash+bm25", arguments={"A.dimensions": 32})
    assert model.encoder.parts[0].key() == load("hash", arguments={"dimensions": 32}).key()


def test_the_device_is_that_of_the_models_that_have_one(placed):
    """--device goes to the model that can run there; if none can, it is refused as of any other."""
    fused = load(f"fusion:bm25+{placed}", device="cuda:1", arguments={"B.size": 2})
    assert (fused.encoder.parts[1].encoder.device, fused.encoder.parts[1].encoder.size) == ("cuda:1", 2)
    assert load("fusion:bm25+hash", device="cpu").encoder.name == "fusion:bm25+hash"
    with pytest.raises(EncoderError, match=r"fusion:bm25\+hash runs on the CPU only, but --device is 'cuda'"):
        load("fusion:bm25+hash", device="cuda")


def test_the_code_of_a_users_model_is_part_of_the_revision(placed, tmp_path):
    """An edited file makes another revision of the fusion too."""
    before = load(f"fusion:hash+{placed}").revision
    (tmp_path / "placed.py").write_text(f"{PLACED}\nsize = 2\n", encoding="utf-8")
    assert load(f"fusion:hash+{placed}").revision != before


@pytest.mark.parametrize("name", ["fusion:", "fusion:bm25", "fusion:bm25+", "fusion:a+b+c", "fusion:hash+fusion:hash"])
def test_what_does_not_name_two_models_is_refused(name):
    """A fusion has two models, neither of them a fusion."""
    with pytest.raises(EncoderError, match=r"is no fusion; expected fusion:A\+B"):
        load(name)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"method": "sum"}, EncoderError, "method is 'sum'; expected rrf or interpolation"),
        ({"weight": 1.5}, EncoderError, "weight is 1.5; expected a number, 0 to 1"),
        ({"weight": True}, EncoderError, "weight is True"),
        ({"weight": float("nan")}, EncoderError, "weight is nan"),
        ({"k": -1}, EncoderError, "k is -1; expected a number, 0 or more"),
        ({"k": float("inf")}, EncoderError, "k is inf"),
        ({"wieght": 1}, UnknownNameError, "Did you mean 'weight'"),
        ({"dtype": "float16"}, UnknownNameError, "A fusion takes method, k, weight, and A.NAME or B.NAME"),
        ({"C.k1": 1}, UnknownNameError, "Unknown model argument 'C.k1'"),
        ({"A.k2": 1}, UnknownNameError, "Unknown model argument 'k2'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, error, message):
    """Each says what was given and what is expected."""
    with pytest.raises(error, match=message):
        load("fusion:bm25+hash", arguments=arguments)


def test_a_model_that_does_not_exist_is_named():
    """Of two models the one that is wrong is said."""
    with pytest.raises(UnknownNameError, match="Did you mean 'hash'"):
        load("fusion:bm25+hahs")
