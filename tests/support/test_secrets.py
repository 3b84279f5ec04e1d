"""What looks like a secret is refused as a model's argument, and what does not is not."""

from __future__ import annotations

import pytest

from xlbench.errors import UsageError
from xlbench.support.secrets import is_secret, private_part, refuse_secrets, without_folders

CANARY = "sk-" + "canary0123456789abcd"


@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": "x"},
        {"API-Key": "x"},
        {"token": "x"},
        {"hf_token": "x"},
        {"password": "x"},
        {"client_secret": "x"},
        {"A.api_key": "x"},
        {"endpoint": CANARY},
        {"headers": {"x": f"Bearer {CANARY}"}},
        {"keys": ["hf_" + "a1B2c3D4e5F6g7H8i9J0k"]},
        {"salt": "pQ9" + "xL2vBn7RtYw4Zc8Km3Hd6Fj1"},
    ],
)
def test_a_secret_is_refused_by_name_form_or_randomness(arguments):
    """The error names the argument, says to use the environment, and never has the value."""
    with pytest.raises(UsageError, match=r"looks like a secret.*set it in the environment") as caught:
        refuse_secrets(arguments)
    assert CANARY not in str(caught.value)


def test_usual_arguments_are_no_secrets():
    """Prompts, revisions, paths, numbers and names of tokens of text are taken."""
    refuse_secrets(
        {
            "query_prompt": "Instruct: Given a web search query, retrieve relevant passages that answer it\nQuery: ",
            "revision": "354d67d1cd066854cdfbf5ad0e6105528976141d",
            "batch_tokens": 2048,
            "add_eos_token": True,
            "pooling": "mean",
            "tokenizer": "whitespace",
            "path": "/models/multilingual-e5-small-4bit/Checkpoint-500",
            "max_length": None,
        }
    )
    assert not is_secret("sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2")


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("/home/ann/models/e5", "e5"),
        ("~/models/mine.py:Class", "mine.py:Class"),
        ("fusion:bm25+/home/ann/e5", "fusion:bm25+e5"),
        ("C:\\Users\\ann\\e5", "e5"),
        ("owner/name", "owner/name"),
        ("de>*", "de>*"),
        ("results/e5", "results/e5"),
    ],
)
def test_absolute_paths_are_shown_by_name(word, shown):
    """A published command says nothing of a machine's folders."""
    assert without_folders(word) == shown


def test_a_record_is_searched_for_what_should_not_be_public():
    """Keys and paths below a home are found at any depth, and named."""
    assert private_part({"model": {"arguments": {"url": f"https://x/?key={CANARY}"}}}) == "model.arguments.url"
    assert private_part({"environment": {"encoder": {"path": "/home/ann/e5"}}}) == "environment.encoder.path"
    assert private_part({"model": {"name": "e5", "revision": "sha256:0123456789abcdef"}}) is None
