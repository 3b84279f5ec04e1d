"""Prompts: the user's, the model's own, those of a family, and instructions in them."""

from __future__ import annotations

import json

import pytest

from tests.models.made_models import TEXTS, make_bert, make_sentence_bert, one_thread
from xlbench.errors import EncoderError
from xlbench.models.load import load
from xlbench.models.prompts import FAMILIES, Prompts, family_of

WEB = "Given a web search query, retrieve relevant passages that answer the query"
QWEN = f"Instruct: {WEB}\nQuery:"


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("intfloat/multilingual-e5-small", "query: ", "passage: "),
        ("intfloat/e5-base-v2", "query: ", "passage: "),
        ("me/E5-Large-finetuned", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large-instruct", f"Instruct: {WEB}\nQuery: ", ""),
        ("intfloat/e5-mistral-7b-instruct", f"Instruct: {WEB}\nQuery: ", ""),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("BAAI/bge-large-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", ""),
        ("BAAI/bge-multilingual-gemma2", f"<instruct>{WEB}\n<query>", ""),
        ("Alibaba-NLP/gte-Qwen2-1.5B-instruct", f"Instruct: {WEB}\nQuery: ", ""),
        ("Qwen/Qwen3-Embedding-0.6B", QWEN, ""),
        ("nomic-ai/nomic-embed-text-v2-moe", "search_query: ", "search_document: "),
        ("nomic-ai/modernbert-embed-base", "search_query: ", "search_document: "),
        (
            "jinaai/jina-embeddings-v3",
            "Represent the query for retrieving evidence documents: ",
            "Represent the document for retrieval: ",
        ),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: ", ""),
        ("Snowflake/snowflake-arctic-embed-m-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: "),
        ("BAAI/bge-m3", "", ""),
        ("Alibaba-NLP/gte-multilingual-base", "", ""),
        ("jinaai/jina-embeddings-v2-base-en", "", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
        ("Qwen/Qwen3-0.6B", "", ""),
        ("some-e5", "", ""),
        ("mace5-base", "", ""),
    ],
)
def test_prompts_of_known_families_are_filled_in_by_name(name, query, passage):
    """They are those of the model cards; what has none there gets none."""
    prompts = Prompts.of([name])
    assert (prompts.before_queries, prompts.passage) == (query, passage)
    assert bool(prompts.notes) == bool(query)


def test_each_family_has_a_model_above():
    """Whoever adds a family adds a model's name, with its prompts, to the test of names."""
    (mark,) = test_prompts_of_known_families_are_filled_in_by_name.pytestmark
    assert {family_of([name]) for name, *_ in mark.args[1]} == {*FAMILIES, None}


def test_a_model_s_own_prompts_come_first():
    """Whatever its name says; then nothing is filled in, and nothing is to be said."""
    prompts = Prompts.of(["intfloat/e5-base"], own=("q: ", ""))
    assert (prompts.before_queries, prompts.passage, prompts.arguments(), prompts.notes) == ("q: ", "", {}, ())


def test_prompts_that_replace_those_of_a_family_are_said():
    """What the user gives counts, and the sentence has both; the prompts of the family themselves need none."""
    prompts = Prompts.of(["intfloat/e5-base"], query="")
    assert (prompts.before_queries, prompts.passage) == ("", "passage: ")
    assert prompts.notes == (
        "By its name the model is one of E5, so that 'passage: ' before passages is filled in.",
        "By its name the model is one of E5, which was trained with 'query: ' before queries: '' before queries "
        "replaces it.",
    )
    assert Prompts.of(["intfloat/e5-base"], query="query: ", passage="passage: ").notes == ()


@pytest.mark.parametrize("own", [QWEN, ""])
def test_an_instruction_is_filled_into_the_prompt_that_has_one(own):
    """Of a model's own prompt as of a family's, and it counts among the arguments."""
    prompts = Prompts.of(["Qwen/Qwen3-Embedding-0.6B"], own=(own, "")).instructed("Find it")
    assert prompts.before_queries == "Instruct: Find it\nQuery:"
    assert prompts.arguments().items() >= {"query_prompt": "Instruct: Find it\nQuery:"}.items()
    assert "Find it" in prompts.notes[0]


def test_a_model_without_a_place_for_it_gets_no_instruction_of_a_task():
    """Its prompts stay as they are."""
    prompts = Prompts.of(["intfloat/e5-base"])
    assert prompts.instructed("Find it") is prompts


@pytest.mark.parametrize(
    ("given", "before"),
    [
        ({"instruction": "Mine"}, "Instruct: Mine\nQuery:"),
        ({"instruction": False}, ""),
        ({"query": "{instruction} > ", "instruction": "Mine"}, "Mine > "),
        ({"query": "Instruct: {instruction}\nQuery:"}, "Instruct: Find it\nQuery:"),
        ({"query": QWEN}, QWEN),
        ({"query": "Instruct: Mine\nQuery:", "instruction": "Mine"}, "Instruct: Mine\nQuery:"),
        ({"query": "", "instruction": False}, ""),
    ],
)
def test_what_the_user_says_of_the_instruction_counts_before_the_task_s(given, before):
    """A prompt without a place for it stays as it is; the arguments of a stored result give its prompts again."""
    prompts = Prompts.of(["Qwen/Qwen3-Embedding-0.6B"], **given).instructed("Find it")
    assert prompts.before_queries == before


@pytest.mark.parametrize("instruction", ["Mine", False])
def test_an_instruction_without_a_place_for_it_is_refused(instruction):
    """The sentence has the prompt that there is."""
    with pytest.raises(EncoderError, match="takes no instruction: before queries it has 'query: '"):
        Prompts.of(["intfloat/e5-base"], instruction=instruction)


@pytest.mark.parametrize("instruction", [True, 5, ["Mine"]])
def test_an_instruction_that_is_no_text_is_refused(instruction):
    """The sentence says what it is."""
    with pytest.raises(EncoderError, match="expected a sentence, or false for none"):
        Prompts.of(["Qwen/Qwen3-Embedding-0.6B"], instruction=instruction)


@pytest.fixture(scope="module")
def e5(tmp_path_factory):
    """A tiny model whose folder has the name of a family, and names no prompts."""
    with one_thread():
        yield str(make_sentence_bert(tmp_path_factory.mktemp("models") / "multilingual-e5-base"))


def test_filled_in_prompts_give_the_vectors_of_prompts_that_are_given(e5):
    """They are arguments of the model, and part of the key of its vectors."""
    filled, given = load(e5, device="cpu"), load(e5, device="cpu", arguments={"query_prompt": "query : "})
    bare = load(e5, device="cpu", arguments={"query_prompt": "", "passage_prompt": ""})
    assert filled.arguments == {"query_prompt": "query: ", "passage_prompt": "passage: "}
    assert given.arguments == {"query_prompt": "query : ", "passage_prompt": "passage: "}
    vectors = filled.encoder.encode_queries(TEXTS)
    assert (vectors == given.encoder.encode_queries(TEXTS)).all()  # The tokenizer parts words from marks.
    assert abs(vectors - bare.encoder.encode_queries(TEXTS)).max() > 0.01
    assert filled.key()["provenance"]["query_prompt"] == "query: "
    assert filled.given == {}
    assert "one of E5" in filled.notes[0]


def test_the_name_before_a_folder_was_written_counts_as_well(tmp_path):
    """As transformers wrote it into the configuration."""
    folder = make_bert(tmp_path / "mine")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"_name_or_path": "intfloat/e5-small"}))
    assert load(str(folder), arguments={"pooling": "mean"}).arguments["query_prompt"] == "query: "


def test_tasks_with_other_instructions_share_the_weights(tmp_path):
    """The model is loaded once; each task's queries have its own instruction, and passages none."""
    with one_thread():
        folder = make_sentence_bert(tmp_path / "tiny", prompts={"query": "Instruct: one\nQuery: "})
        model = load(str(folder), device="cpu")
        first, second = model.instructed("two"), model.instructed("three")
        a, b = (each.encoder.encode_queries(TEXTS) for each in (first, second))
        assert first.encoder._model is second.encoder._model
        assert (first.encoder.encode_passages(TEXTS) == second.encoder.encode_passages(TEXTS)).all()
    assert abs(a - b).max() > 0.001
    assert first.identity()["arguments"] == {"query_prompt": "Instruct: two\nQuery: "}
    assert model.identity()["arguments"] == {}
    assert first.key() != second.key()


def test_both_models_of_a_fusion_get_prompts_and_instructions(e5, tmp_path):
    """Their arguments have the letter of the model before them."""
    tiny = make_sentence_bert(tmp_path / "tiny", prompts={"query": "Instruct: one\nQuery: "})
    model = load(f"fusion:{e5}+{tiny}").instructed("two")
    assert (
        model.arguments.items()
        >= {
            "A.query_prompt": "query: ",
            "A.passage_prompt": "passage: ",
            "B.query_prompt": "Instruct: two\nQuery: ",
        }.items()
    )
