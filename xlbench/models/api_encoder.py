"""Encoders behind an HTTP API in OpenAI's form: OpenAI, vLLM, TEI, Infinity, llama.cpp, and others that offer it."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
import logging
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.errors import EncoderError
from xlbench.models.http_api import Connection, Spending, checked_number
from xlbench.models.kept_answers import Answers
from xlbench.models.prompts import Prompts

_LOG = logging.getLogger("xlbench")
OPENAI = "https://api.openai.com/v1"
_PROBE = (
    "Where does the river rise, and into which sea does it flow?",
    "Das Museum ist montags geschlossen; der Eintritt kostet sechs Euro.",
    "月球上没有空气，所以听不到声音。",
    "تُصنع الجبنة من الحليب منذ آلاف السنين.",
)
_STEP = 0.05
"""To which the similarities of the probe's texts are rounded: an API gives slightly other vectors each time."""
_TOKENS_A_CHARACTER = 0.25
"""Where an API does not count them."""


class _Probed(NamedTuple):
    """What a server gives for the probe."""

    dimension: int
    similarities: tuple[float, ...]
    """Of each two of its texts."""
    tokens_a_character: float


class OpenAIEncoder:
    """A model that an API calls by a name, ``POST base_url/embeddings``.

    An API has no revision. The similarities of a few texts stand for it, roughly rounded; that stored vectors are what
    it gives now is probed like those of any model.
    """

    vectors_revision = 1  # To be raised when the same model gives other vectors than before.
    changes_no_vector = ("price", "max_cost", "batch_texts", "concurrency", "timeout", "retries", "key_variable")
    """Arguments that are not part of what identifies the model."""
    _needs_price = True
    """Whether nobody else knows what a token costs."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        dimensions: int | None = None,
        query_prompt: str | None = None,
        passage_prompt: str | None = None,
        instruction: str | Literal[False] | None = None,
        query_body: Mapping[str, Any] | None = None,
        passage_body: Mapping[str, Any] | None = None,
        max_characters: int | None = None,
        price: float | None = None,
        max_cost: float | None = None,
        batch_texts: int = 32,
        concurrency: int = 4,
        timeout: float = 60,
        retries: int = 6,
        key_variable: str | None = None,
    ) -> None:
        """``model`` is the name that the server knows, at the address ``base_url``, by default OpenAI's.

        ``dimensions`` asks for shorter vectors, ``query_body`` and ``passage_body`` have more fields of a request, such
        as ``{"input_type": "query"}``, and ``max_characters`` cuts texts that are too long for the server. ``price`` is
        that of a million tokens, ``timeout`` is in seconds.
        """
        for name, value, least, whole in (
            ("dimensions", dimensions, 1, True),
            ("max_characters", max_characters, 1, True),
            ("price", price, 0, False),
            ("max_cost", max_cost, 0, False),
            ("batch_texts", batch_texts, 1, True),
            ("concurrency", concurrency, 1, True),
            ("timeout", timeout, 0.01, False),
            ("retries", retries, 0, True),
        ):
            if value is not None:
                checked_number(name, value, least=least, whole=whole)
        for name, body in (("query_body", query_body), ("passage_body", passage_body)):
            if body is not None and not isinstance(body, Mapping):
                raise EncoderError(f'{name} is {body!r}; expected fields as JSON, such as {{"input_type": "query"}}.')
        if max_cost is not None and price is None and self._needs_price:
            raise EncoderError("--max-cost needs --price, the price of a million tokens.")
        self.name = model
        self._prompts = Prompts.of([model], query=query_prompt, passage=passage_prompt, instruction=instruction)
        self._fields = {"model": model, **({} if dimensions is None else {"dimensions": dimensions})}
        self._query_body, self._passage_body = self._bodies(query_body, passage_body)
        self._max_characters, self._batch_texts = max_characters, batch_texts
        self._connection = self._connected(
            base_url,
            key_variable=key_variable,
            timeout=timeout,
            retries=retries,
            concurrency=concurrency,
            spending=Spending(price, max_cost),
        )

    def _connected(self, base_url: str | None, *, key_variable: str | None, **options: Any) -> Connection:
        """The server at an address, and how it is asked."""
        of_address = "OPENAI_API_KEY" if base_url in (None, OPENAI) else "XLBENCH_API_KEY"
        address = OPENAI if base_url is None else base_url
        return Connection(address, key_variable=key_variable or of_address, **options)

    def _bodies(
        self, query_body: Mapping[str, Any] | None, passage_body: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """More fields of the requests for queries and for passages."""
        return dict(query_body or {}), dict(passage_body or {})

    @property
    def answers(self) -> Answers:
        """What keeps each answer as it comes."""
        return self._connection.answers

    @property
    def revision(self) -> str:
        """A hash of how alike the probe's texts are; the server is asked for it once."""
        rounded = [round(similarity / _STEP) for similarity in self._probed.similarities]
        canonical = json.dumps([self._probed.dimension, *rounded])
        return f"probe:{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What was filled in, a sentence each."""
        return self._prompts.notes

    @property
    def filled(self) -> dict[str, Any]:
        """The arguments that were filled in, by the model's name or the task's instruction."""
        return self._prompts.arguments()

    def instructed(self, instruction: str) -> Self:
        """The same model with an instruction for queries, if it takes one and the user said nothing of it."""
        other = copy.copy(self)
        other._prompts = self._prompts.instructed(instruction)
        return other

    def encode_queries(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these queries, ``float32[len(texts), D]``, of length 1."""
        return self._encode(texts, self._prompts.before_queries, self._query_body)

    def encode_passages(self, texts: Sequence[str], /) -> VectorArray:
        """The vectors of these passages, ``float32[len(texts), D]``, of length 1."""
        return self._encode(texts, self._prompts.passage, self._passage_body)

    def provenance(self) -> dict[str, Any]:
        """The prompts, and that the precision is the API's."""
        prompts = {"query_prompt": self._prompts.before_queries, "passage_prompt": self._prompts.passage}
        return {"dtype": "as the API has it", **prompts}

    def usage(self) -> dict[str, Any]:
        """The day, the server, and what was asked of it."""
        spending = self._connection.spending
        cost = spending.cost(spending.n_tokens)
        return {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "host": self._connection.host,
            "n_requests": spending.n_requests,
            "n_tokens": spending.n_tokens,
            **({} if cost is None else {"price_per_million": spending.price, "cost": cost}),
            **({"prices_of": spending.source} if spending.source else {}),
        }

    def expect(self, *, n_queries: int, n_passages: int, n_characters: int) -> None:
        """Says how much is to be encoded, and about what it costs.

        Raises:
            EncoderError: if that is more than it may.

        """
        if not n_queries + n_passages:
            return
        n_characters += n_queries * len(self._prompts.before_queries) + n_passages * len(self._prompts.passage)
        spending, rate = self._connection.spending, self._probed.tokens_a_character
        n_tokens = round(n_characters * rate)
        n_requests = sum(math.ceil(n / self._batch_texts) for n in (n_queries, n_passages))
        cost = spending.cost(n_tokens)
        source = f" (the price in {spending.source})" if spending.source else ""
        about = "" if cost is None else f", about {cost:.4g} at {spending.price:g} a million{source}"
        _LOG.warning(
            f"{self.name} at {self._connection.host}: {n_queries + n_passages:,} texts, about {n_tokens:,} tokens "
            f"(estimated: {n_characters:,} characters with {rate:.2f} tokens each, as in the probe), "
            f"{n_requests:,} requests{about}"
        )
        if cost is not None and spending.most is not None and cost > spending.most:
            raise EncoderError(
                f"That is more than --max-cost {spending.most:g}: nothing was encoded. Raise it, or take a part of the "
                "task with --language or --limit."
            )

    @cached_property
    def _probed(self) -> _Probed:
        """What the server gives for the probe; asked for once, before anything else."""
        vectors = self._encode(_PROBE, "", self._passage_body).astype(np.float64)
        similarities = (vectors @ vectors.T)[np.triu_indices(len(_PROBE), 1)]
        if not np.isfinite(similarities).all():
            raise EncoderError(f"The API at {self._connection.host} gave NaN or infinity for a text of the probe.")
        rate = self._connection.spending.n_tokens / sum(map(len, _PROBE))
        return _Probed(vectors.shape[1], tuple(similarities.tolist()), rate or _TOKENS_A_CHARACTER)

    def _encode(self, texts: Sequence[str], prompt: str, fields: Mapping[str, Any]) -> VectorArray:
        inputs = [f"{prompt}{text}"[: self._max_characters] for text in texts]
        starts = range(0, len(inputs), self._batch_texts)
        batches = [inputs[start : start + self._batch_texts] for start in starts]
        bodies = [{**self._fields, **fields, "input": batch} for batch in batches]
        parts = self._connection.post("/embeddings", bodies, lambda answer, i: self._vectors(answer, len(batches[i])))
        vectors = np.concatenate(parts)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: VectorArray = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
        return unit

    def _vectors(self, answer: Any, n: int) -> VectorArray:
        """The vectors in an answer in the order of the texts, ``float32[n, D]``.

        Raises:
            EncoderError: if there is not one for each text, or they have another dimension than before.

        """
        where = f"The API at {self._connection.host}"
        items = answer.get("data") if isinstance(answer, Mapping) else None
        try:
            by_index = {item.get("index", place): item["embedding"] for place, item in enumerate(items or ())}
            vectors = np.asarray([by_index[i] for i in range(n)], np.float32)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
            by_index, vectors = {}, np.zeros(0, np.float32)
        if vectors.ndim != 2 or len(by_index) != n:
            count = f"{len(items)} vectors" if isinstance(items, list) else "no list 'data'"
            raise EncoderError(
                f"{where} gave {count} for {n} texts; expected one a text, as "
                '{"data": [{"index": 0, "embedding": [...]}, ...]}. What was encoded before is kept.'
            )
        known = self.__dict__.get("_probed")
        if known is not None and vectors.shape[1] != known.dimension:
            raise EncoderError(
                f"{where} gave vectors of {vectors.shape[1]} dimensions, and of {known.dimension} before: expected one "
                "dimension for all texts. Another model may have taken its place; what was encoded before is kept."
            )
        return vectors
