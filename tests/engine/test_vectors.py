"""Each distinct text is encoded once, checked, and kept in shards on disk."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbench.collection import Collection, Text, Texts
from xlbench.engine import shards as module
from xlbench.engine.model_scores import score_collection
from xlbench.engine.vectors import VectorStore, embed
from xlbench.errors import EncoderError
from xlbench.models.protocols import Model
from xlbench.support.sealed import seal, unseal

KEY = {"name": "model", "revision": "1"}


def texts_of(*languages):
    """Texts of some languages, each a list of strings."""
    found = [(f"{code}:{i}", text, code) for code, texts in enumerate(languages) for i, text in enumerate(texts)]
    ids, text, language = zip(*found, strict=True)
    return Texts(ids=ids, text=text, language=np.array(language, np.int16))


def vector_of(text):
    """Three numbers that differ from text to text."""
    digest = hashlib.sha256(text.encode()).digest()
    return np.frombuffer(digest[:12], "<u4").astype(np.float32) / 2**31


class Encode:
    """Encodes, and keeps what it was asked; raises KeyboardInterrupt in place of the shard with number ``stop_at``."""

    def __init__(self, *, stop_at=None):
        self.asked = []
        self.stop_at = stop_at

    def __call__(self, texts):
        """A vector a text."""
        if len(self.asked) == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append(list(texts))
        return np.stack([vector_of(text) for text in texts])


def store_in(folder):
    """A store in this folder."""
    return VectorStore.open(folder, "queries", KEY)


def files_in(folder):
    """Every file below a folder, with its content."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def small_shards(monkeypatch):
    """At most three texts or ten characters in a shard."""
    monkeypatch.setattr(module, "_SHARD_TEXTS", 3)
    monkeypatch.setattr(module, "_SHARD_CHARACTERS", 10)


LANGUAGES = (["aa", "b", "aa", "cccc", "dd", "eeee"], ["b", "fff", "g", "h", "i", "j", "fff", "kkkkkkkkkkkk"])
SHARDS = [["cccc", "eeee", "aa"], ["dd", "b"], ["kkkkkkkkkkkk"], ["fff", "g", "h"], ["i", "j"]]
"""Distinct texts, language by language, longest first, at most three and ten characters; b is of the first language."""


def test_each_distinct_text_is_encoded_once_and_longest_first(tmp_path, small_shards):
    """A text that occurs again, in the same language or another, is not encoded again; each text gets its vector."""
    encode = Encode()
    texts = texts_of(*LANGUAGES)
    found = embed(texts, encode, store=store_in(tmp_path))
    assert encode.asked == SHARDS
    assert found.vectors.shape == (11, 3)
    of_texts = found.vectors[found.row]
    assert of_texts.dtype == np.float32
    np.testing.assert_array_equal(of_texts, np.stack([vector_of(text) for text in texts.text]))


def test_no_texts_have_no_vectors(tmp_path):
    """An empty collection is embedded without asking the encoder."""
    texts = Texts(ids=(), text=(), language=np.zeros(0, np.int16))
    encode = Encode()
    found = embed(texts, encode, store=store_in(tmp_path))
    assert (len(found.vectors), len(found.row), encode.asked) == (0, 0, [])


@given(
    languages=st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=12), max_size=9
        ),
        min_size=1,
        max_size=3,
    )
)
def test_every_distinct_text_is_in_one_shard_of_its_size(small_shards, languages):
    """Shards hold every distinct text once, are within both limits or a single text, and fall in length."""
    texts = texts_of(*languages) if any(languages) else Texts((), (), np.zeros(0, np.int16))
    shards = list(module.shards_of(texts))
    assert sorted(i for shard in shards for i in shard.rows) == list(range(len(set(texts.text))))
    for shard in shards:
        rows = texts.distinct.first[shard.rows]
        assert shard.texts == [texts.text[row] for row in rows]
        assert shard.ids == [texts.ids[row] for row in rows]
        lengths = [len(text) for text in shard.texts]
        assert len(shard.rows) == 1 or (len(shard.rows) <= 3 and sum(lengths) <= 10)
        assert lengths == sorted(lengths, reverse=True)
        assert len(set(texts.language[rows].tolist())) == 1


def test_progress_is_told_of_each_shard(tmp_path, small_shards):
    """After each shard, the display hears how many texts and characters it had, and whether they were stored."""
    told = []

    def advance(*, texts, characters, stored):
        told.append((texts, characters, stored))

    for _ in range(2):
        embed(texts_of(*LANGUAGES), Encode(), store=store_in(tmp_path), advance=advance)
    shards = [(len(shard), sum(map(len, shard))) for shard in SHARDS]
    assert told == [(*shard, False) for shard in shards] + [(*shard, True) for shard in shards]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_refused_by_name(tmp_path, value):
    """NaN or infinity is an EncoderError that names the text and counts the others, and nothing is stored."""

    def encode(texts):
        return [[1.0, value if text in {"bad", "bax"} else 0.0] for text in texts]

    said = r"gave NaN or infinity for the text '1:1' \(2 of 3 texts in this batch\).*--dtype float32"
    with pytest.raises(EncoderError, match=said):
        embed(texts_of(["fine"], ["good", "bad", "bax", "bad"]), encode, store=store_in(tmp_path))
    assert len(list(store_in(tmp_path).folder.glob("*.npy"))) == 1, "the first language's shard only"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (np.zeros((2, 4)), r"gave an array of shape \(2, 4\) for 3 texts; expected \(3, D\)"),
        (np.zeros((4, 4)), r"gave an array of shape \(4, 4\) for 3 texts; expected \(3, D\)"),
        (np.zeros(3), r"gave an array of shape \(3,\) for 3 texts"),
        (np.zeros((3, 4, 2)), r"gave an array of shape \(3, 4, 2\) for 3 texts"),
        (np.zeros((3, 0)), r"gave an array of shape \(3, 0\) for 3 texts"),
        (None, r"gave an array of shape \(\) for 3 texts"),
        ("vectors", r"gave str for 3 texts; expected float32\[texts, D\]"),
        ({"a": 1}, r"gave dict for 3 texts; expected float32\[texts, D\]"),
        ([[1.0], [2.0, 3.0], [4.0]], r"gave list for 3 texts; expected float32\[texts, D\]"),
    ],
)
def test_what_is_no_vector_a_text_is_refused(tmp_path, answer, said):
    """An answer of another shape, or that is no array at all, is an EncoderError that says what came."""
    with pytest.raises(EncoderError, match=said):
        embed(texts_of(["a", "b", "c"]), lambda texts: answer, store=store_in(tmp_path))


def test_a_tensor_that_requires_grad_is_refused_in_a_sentence(tmp_path):
    """A torch tensor with a gradient cannot become an array; that is an EncoderError with torch's advice."""
    torch = pytest.importorskip("torch")
    with pytest.raises(EncoderError, match=r"gave Tensor for 1 texts; expected .*detach"):
        embed(texts_of(["a"]), lambda texts: torch.zeros(1, 2, requires_grad=True), store=store_in(tmp_path))


def test_what_is_like_an_array_of_vectors_is_taken(tmp_path):
    """Lists, other float types and transposed arrays become float32, row by row."""
    answers = {"a": [[1, 2]], "b": np.array([[1, 2]], np.float64), "c": np.array([[1], [2]], np.float16).T}
    for text, answer in answers.items():
        found = embed(texts_of([text]), lambda texts, answer=answer: answer, store=store_in(tmp_path))
        np.testing.assert_array_equal(found.vectors, np.array([[1, 2]], np.float32))


def test_a_dimension_that_varies_is_refused(tmp_path, small_shards):
    """Vectors of another dimension than before are an EncoderError that names a text and both dimensions."""
    with pytest.raises(EncoderError, match=r"vectors of 2 dimensions for '1:0' and of 3 before"):
        embed(texts_of(["aaa"], ["bb"]), lambda texts: np.zeros((1, len(texts[0]))), store=store_in(tmp_path))


@pytest.mark.parametrize("stop_at", range(len(SHARDS)))
def test_a_run_that_ended_goes_on(tmp_path, small_shards, stop_at):
    """After an end at any shard, only the shards that are missing are encoded, and the bytes on disk are the same."""
    texts = texts_of(*LANGUAGES)
    undisturbed = embed(texts, Encode(), store=store_in(tmp_path / "undisturbed"))
    with pytest.raises(KeyboardInterrupt):
        embed(texts, Encode(stop_at=stop_at), store=store_in(tmp_path / "ended"))
    encode = Encode()
    found = embed(texts, encode, store=store_in(tmp_path / "ended"))
    assert encode.asked == SHARDS[stop_at:]
    assert found.vectors[:].tobytes() == undisturbed.vectors[:].tobytes()
    assert files_in(tmp_path / "ended") == files_in(tmp_path / "undisturbed")


def npy(array):
    """The content of an .npy file, pickled if it must be, as a shard has it after its checksum."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


GOOD = np.stack([vector_of(text) for text in SHARDS[0]])


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        npy(GOOD)[:-1],
        npy(GOOD)[:100],
        npy(GOOD)[:7],
        npy(GOOD).replace(b"}", b"("),
        npy(GOOD).replace(b"(3, 3)", b"(3, 03"),
        npy(GOOD).replace(b"(3, 3), }           ", b"(3, 99999999999999),"),
        b"PK\x03\x04" + npy(GOOD),
        b"\x80\x04junk",
        npy(GOOD[:2]),
        npy(GOOD.astype(np.float64)),
        npy(GOOD[0]),
        npy(np.full((3, 3), np.nan, np.float32)),
        npy(np.array([None] * 3)),
    ],
)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_damaged_shard_is_encoded_again(tmp_path, small_shards, damage):
    """A shard file that is cut off, no array, or of another shape or type is encoded again and replaced."""
    texts = texts_of(*LANGUAGES)
    store = store_in(tmp_path)
    embed(texts, Encode(), store=store)
    whole = files_in(tmp_path)
    path = store.path(SHARDS[0])
    assert damage != path.read_bytes()
    # Neither as it is, nor where its checksum is right all the same.
    for content in (damage, seal(path, damage)):
        path.write_bytes(content)
        encode = Encode()
        embed(texts, encode, store=store)
        assert encode.asked == SHARDS[:1]
        assert files_in(tmp_path) == whole


@pytest.mark.parametrize("at", [0, 8, 11, 15, 16, 30, 100, 143, 144, 150, -1])
def test_a_byte_that_changed_is_noticed_wherever_it_is(tmp_path, small_shards, at):
    """In the checksum, in the header of numpy or in a number that would be as good as another."""
    texts = texts_of(*LANGUAGES)
    store = store_in(tmp_path)
    embed(texts, Encode(), store=store)
    path = store.path(SHARDS[0])
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert store.get(SHARDS[0]) is None


def test_a_shard_in_the_place_of_another_is_noticed(tmp_path, small_shards):
    """Of other texts, of the other role or of another model: each is whole, and none is what was stored there."""
    texts = texts_of(*LANGUAGES)
    stores = [store_in(tmp_path), VectorStore.open(tmp_path, "passages", KEY)]
    stores.append(VectorStore.open(tmp_path, "queries", {**KEY, "name": "other"}))
    for store in stores:
        embed(texts, Encode(), store=store)
    path = stores[0].path(SHARDS[0])
    for other in (stores[0].path(SHARDS[1]), stores[1].path(SHARDS[0]), stores[2].path(SHARDS[0])):
        assert other.is_file()
        path.write_bytes(other.read_bytes())
        assert stores[0].get(SHARDS[0]) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_stored_vectors_are_the_user_s_own(tmp_path):
    """Nobody else may read or write them."""
    folder = store_in(tmp_path / "cache").folder
    for each in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


@given(at=st.integers(0, len(npy(GOOD)) - 1), byte=st.integers(0, 255), cut=st.integers(0, 200))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_damaged_file_never_ends_a_run(tmp_path, at, byte, cut):
    """Whatever byte is altered and wherever the file ends, reading a shard gives vectors or None."""
    store = store_in(tmp_path)
    content = npy(GOOD)
    path = store.path(SHARDS[0])
    path.write_bytes(seal(path, (content[:at] + bytes([byte]) + content[at + 1 :])[: len(content) - cut]))
    found = store.get(SHARDS[0])
    assert found is None or (len(found) == 3 and found.dtype == np.float32 and np.isfinite(found).all())


def test_a_shard_is_known_by_its_texts(tmp_path):
    """Other texts, another order, and texts that only join to the same characters have another file."""
    store = store_in(tmp_path)
    groups = [["ab", "c"], ["a", "bc"], ["c", "ab"], ["abc"], ["ab", "c", ""], ["ab\0c"], ["\ud800"]]
    assert len({store.path(texts) for texts in groups}) == len(groups)


class Small:
    """An encoder whose every trait can be set."""

    def __init__(self, name="small", revision="1", made_with="1"):
        self.name, self.revision, self.made_with = name, revision, made_with
        self.asked = []

    def encode_queries(self, texts, /):
        """A vector a text."""
        self.asked.append(len(texts))
        return np.ones((len(texts), 2), np.float32)

    encode_passages = encode_queries

    def provenance(self):
        """One library."""
        return {"library": self.made_with}


@dataclasses.dataclass(frozen=True)
class Run:
    """What can differ between two runs on the same texts."""

    name: str = "small"
    revision: str = "1"
    made_with: str = "1"
    adapter: str = "class"
    pooling: str = "mean"
    fingerprint: str = ""

    def encoded(self, cache_dir):
        """How many queries and passages a run encodes."""
        encoder = Small(self.name, self.revision, self.made_with)
        model = Model(encoder, self.adapter, {"pooling": self.pooling}, fingerprint=self.fingerprint)
        same = [Text("1", "de", "same"), Text("2", "de", "text")]
        score_collection(Collection.build(["de"], same, same[:1], []), model, cache_dir=cache_dir)
        return encoder.asked


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Run)])
def test_vectors_of_another_model_are_not_taken(tmp_path, field):
    """Another name, revision, adapter, argument, provenance or code encodes anew; the same model is only probed."""
    probed = Run().encoded(tmp_path), Run().encoded(tmp_path)
    assert Run(**{field: "2"}).encoded(tmp_path / "other") == probed[0]
    other = Run(**{field: "2"}).encoded(tmp_path)
    assert (other, Run().encoded(tmp_path)) == probed


def test_queries_and_passages_have_vectors_of_their_own(tmp_path):
    """The same texts as queries and as passages are kept apart: a model may encode them in two ways."""
    folders = {VectorStore.open(tmp_path, role, KEY).folder for role in ("queries", "passages")}
    assert len(folders) == 2


def test_a_store_says_what_it_is_keyed_by(tmp_path):
    """The folder of a store has the key in plain JSON, and a name that any file system takes."""
    store = VectorStore.open(tmp_path, "queries", {"name": "owner/model:é*" + "x" * 300, "revision": "1"})
    assert '"revision": "1"' in (store.folder / "key.json").read_text(encoding="utf-8")
    name = store.folder.parent.name
    assert len(name) < 100
    assert not set(name) & set('/:*"')


SCRIPT = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from xlbench.collection import Texts
from xlbench.engine.vectors import VectorStore, embed
from xlbench.models.hash import HashEncoder

folder, go, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
texts = Texts(tuple(map(str, range(9000))), [f"text {i * i}" for i in range(9000)], np.zeros(9000, np.int16))
encoder, n = HashEncoder(dimensions=32), 0

def encode(some):
    global n
    n += 1
    if n == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return encoder.encode_queries(some)

print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
embed(texts, encode, store=VectorStore.open(folder, "queries", {"name": "hash"}))
print(n)
"""


def start(tmp_path, folder, *, last=0):
    """A process that embeds 9,000 texts in 9 shards once the file ``go`` is there; killed at the shard ``last``."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / folder), str(tmp_path / "go"), str(last)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_runs_at_once_do_not_harm_each_other(tmp_path):
    """Two processes on one cache at once both succeed, and leave the bytes that one alone leaves."""
    (tmp_path / "go").touch()
    with start(tmp_path, "alone") as alone:
        assert alone.communicate()[0] == "ready\n9\n"
    (tmp_path / "go").unlink()
    with start(tmp_path, "both") as one, start(tmp_path, "both") as other:
        assert [process.stdout.readline() for process in (one, other)] == ["ready\n", "ready\n"]
        (tmp_path / "go").touch()
        assert [process.wait() for process in (one, other)] == [0, 0]
    assert files_in(tmp_path / "both") == files_in(tmp_path / "alone")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_run_that_was_killed_goes_on(tmp_path):
    """After kill -9 in the middle, the finished shards are taken, and the bytes are those of an undisturbed run."""
    (tmp_path / "go").touch()
    with start(tmp_path, "alone") as alone:
        alone.communicate()
    with start(tmp_path, "killed", last=5) as killed:
        killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "killed").rglob("*.npy"))) == 4
    with start(tmp_path, "killed") as again:
        assert again.communicate()[0] == "ready\n5\n"
    assert files_in(tmp_path / "killed") == files_in(tmp_path / "alone")


@pytest.mark.parametrize(
    ("factor", "said"),
    [(1e20, "expected at most 1e\\+18, beyond which inner products overflow"), (1j, "expected float32")],
)
def test_vectors_whose_products_would_be_wrong_are_refused(tmp_path, factor, said):
    """Vectors so long that their products overflow, and complex ones, are refused and not scored."""
    texts = texts_of(["one", "two"])
    with pytest.raises(EncoderError, match=said):
        embed(texts, lambda some: np.ones((len(some), 3)) * factor, store=store_in(tmp_path))


def test_an_error_of_the_encoder_is_said_with_its_line(tmp_path):
    """What a user's encoder raises becomes a sentence with the kind of error, the file and the line."""

    def encode(texts):
        raise ZeroDivisionError("mine")

    with pytest.raises(
        EncoderError, match=r"failed on 1 texts: ZeroDivisionError: mine \(.*test_vectors.py, line \d+\)"
    ):
        embed(texts_of(["one"]), encode, store=store_in(tmp_path))


@pytest.fixture
def windows(monkeypatch, small_shards):
    """At most four rows of a language in a window."""
    monkeypatch.setattr(module, "_WINDOW_ROWS", 4)
    monkeypatch.setattr(module, "_SHARD_CHARACTERS_OF_MANY", 12)


def test_a_long_language_is_encoded_window_by_window(tmp_path, windows):
    """Texts are sorted by length within four rows only, and the shards of a language of several windows are larger."""
    encode = Encode()
    texts = texts_of(["bb", "a", "ccc", "bb", "dddd", "eeeee", "f", "gggggg", "hh"], ["iiiiii", "jjjjj"])
    found = embed(texts, encode, store=store_in(tmp_path))
    assert encode.asked == [["ccc", "bb", "a"], ["gggggg", "eeeee"], ["dddd", "f"], ["hh"], ["iiiiii"], ["jjjjj"]]
    np.testing.assert_array_equal(found.vectors[found.row], np.stack([vector_of(text) for text in texts.text]))


def test_stored_vectors_are_read_as_from_an_array(tmp_path, small_shards):
    """Slices and rows in any order, over the borders of shards, are those of the whole array."""
    vectors = embed(texts_of(*LANGUAGES), Encode(), store=store_in(tmp_path)).vectors
    whole = np.asarray(vectors)
    assert (len(vectors), vectors.shape) == (11, whole.shape)
    for rows in (slice(0, 0), slice(2, 9), slice(None), np.array([10, 0, 3, 3, 2]), np.array([], np.int64)):
        np.testing.assert_array_equal(vectors[rows], whole[rows])


def test_a_shard_that_has_gone_is_an_error_that_names_it(tmp_path, small_shards):
    """A file that is removed or damaged after it was stored is named, with what to do."""
    vectors = embed(texts_of(*LANGUAGES), Encode(), store=store_in(tmp_path)).vectors
    path = vectors.shards[1]
    whole = path.read_bytes()
    longer = seal(path, npy(np.zeros((9, 3), np.float32)))
    wider = seal(path, npy(np.zeros((3, 4), np.float32)))
    for content in (b"damaged", whole[:-1], whole[:-1] + b"\0", whole[16:], longer, wider):
        path.write_bytes(content)
        assert vectors[slice(0, 3)].shape == (3, 3)
        with pytest.raises(EncoderError, match=f"{path.name}.*run again"):
            vectors[slice(0, 4)]


def test_half_precision_takes_half_the_space(tmp_path):
    """Vectors are rounded to 16 bits, the first time as when they were there, and read as 32 bits."""
    texts = texts_of(["a", "b", "c"])
    store = VectorStore.open(tmp_path, "queries", KEY, dtype="float16")
    found = [np.asarray(embed(texts, encode, store=store).vectors) for encode in (Encode(), Encode(stop_at=0))]
    expected = np.stack([vector_of(text) for text in texts.text]).astype(np.float16)
    for vectors in found:
        assert vectors.dtype == np.float32
        np.testing.assert_array_equal(vectors, expected)
    assert np.load(io.BytesIO(unseal(next(store.folder.glob("*.npy"))))).nbytes == 3 * 3 * 2


def test_what_half_precision_cannot_hold_is_refused(tmp_path):
    """A number past 65,504 would become infinite."""
    store = VectorStore.open(tmp_path, "queries", KEY, dtype="float16")
    with pytest.raises(EncoderError, match=r"7\.0e\+04, too large for half precision"):
        embed(texts_of(["a"]), lambda _: np.array([[1.0, 7e4]]), store=store)


def test_memory_does_not_grow_with_the_texts(tmp_path):
    """Eight times as many vectors, 80 MB more, take less than 8 MB more at the peak."""
    peaks = []
    for n in (5_000, 40_000):
        texts = texts_of([f"{i} ".ljust(200, "x") for i in range(n)])
        assert len(texts.distinct) == n
        store = VectorStore.open(tmp_path / str(n), "queries", KEY)
        tracemalloc.start()
        embed(texts, lambda some: np.ones((len(some), 600), np.float32), store=store)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 8e6
