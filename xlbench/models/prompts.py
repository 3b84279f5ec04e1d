"""Prompts: what is put before queries and passages, and where that is known from.

A model that is run without the prompts it was trained with gives plausible numbers that are wrong. Its own prompts come
first; those of well-known families are filled in by name where a model has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from xlbench.errors import EncoderError

INSTRUCTION = "{instruction}"
"""What stands for the instruction in a prompt of queries."""
_WEB_SEARCH = "Given a web search query, retrieve relevant passages that answer the query"
"""The instruction of the model cards of E5, GTE and Qwen3, which is taken where nobody gives another."""


@dataclass(frozen=True)
class PromptFamily:
    """Models that were trained with the same prompts."""

    name: str
    pattern: str
    """Occurs in the names of its models, whatever their case."""
    query: str
    passage: str = ""


# Prompts as the model cards on the Hub have them, and as embeddings-benchmark/mteb applies them (e5_models.py,
# e5_instruct.py, bge_models.py, nomic_models.py, jina_models.py, arctic_models.py in mteb/models). The first that
# matches counts. BGE-M3, GTE without instructions and Jina v2 have no prompts, and are not here.
FAMILIES = (
    # intfloat/multilingual-e5-large-instruct, intfloat/e5-mistral-7b-instruct
    PromptFamily("E5 instruct", r"e5-(small|base|large|mistral).*instruct", f"Instruct: {INSTRUCTION}\nQuery: "),
    # intfloat/e5-base-v2, intfloat/multilingual-e5-small
    PromptFamily("E5", r"(^|[^a-z])e5-(small|base|large)", "query: ", "passage: "),
    # BAAI/bge-small-en-v1.5, and its Chinese version: FlagOpen/FlagEmbedding
    PromptFamily("BGE", r"bge-(small|base|large)-en", "Represent this sentence for searching relevant passages: "),
    PromptFamily("BGE", r"bge-(small|base|large)-zh", "为这个句子生成表示以用于检索相关文章："),
    # BAAI/bge-multilingual-gemma2, BAAI/bge-en-icl: query_instruction_format of FlagEmbedding
    PromptFamily("BGE", r"bge-(multilingual-gemma2|en-icl)", f"<instruct>{INSTRUCTION}\n<query>"),
    # Alibaba-NLP/gte-Qwen2-1.5B-instruct
    PromptFamily("GTE", r"gte-qwen.*instruct", f"Instruct: {INSTRUCTION}\nQuery: "),
    # Qwen/Qwen3-Embedding-0.6B: no space after the last colon
    PromptFamily("Qwen3-Embedding", r"qwen3-embedding", f"Instruct: {INSTRUCTION}\nQuery:"),
    # nomic-ai/nomic-embed-text-v1.5, nomic-ai/nomic-embed-text-v2-moe, nomic-ai/modernbert-embed-base
    PromptFamily("Nomic", r"nomic-embed-text|modernbert-embed", "search_query: ", "search_document: "),
    # jinaai/jina-embeddings-v3, whose own configuration has them as retrieval.query and retrieval.passage
    PromptFamily(
        "Jina",
        r"jina-embeddings-v3",
        "Represent the query for retrieving evidence documents: ",
        "Represent the document for retrieval: ",
    ),
    # Snowflake/snowflake-arctic-embed-l-v2.0, Snowflake/snowflake-arctic-embed-m-v1.5
    PromptFamily("Snowflake Arctic", r"arctic-embed-[a-z]+-v2", "query: "),
    PromptFamily("Snowflake Arctic", r"arctic-embed", "Represent this sentence for searching relevant passages: "),
    # google/embeddinggemma-300m
    PromptFamily("EmbeddingGemma", r"embeddinggemma", "task: search result | query: ", "title: none | text: "),
)
_TEMPLATES = (
    re.compile(r"(?P<before>Instruct(ion)?: *)(?P<instruction>\S[^\n]*?)(?P<after> *\nQuery: *)"),
    re.compile(r"(?P<before><instruct>)(?P<instruction>[^\n]+)(?P<after>\n<query>)"),
)
"""Prompts of queries that have an instruction in them."""


@dataclass(frozen=True)
class Prompts:
    """What is put before queries and passages."""

    query: str
    """May have ``{instruction}`` in it."""
    passage: str
    instruction: str = _WEB_SEARCH
    """What stands in its place."""
    is_open: bool = False
    """Whether it takes an instruction, and the user said nothing of it, so that a task's may be filled in."""
    filled: tuple[str, ...] = ()
    """Which are neither the user's nor the model's own: ``query_prompt``, ``passage_prompt``."""
    family: PromptFamily | None = None
    """The one that the model's name is of, if it has no prompts of its own."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of them, a sentence each."""
        if self.family:
            return tuple(_notes(self, self.family))
        return (f"The instruction is filled in: {self.before_queries!r} before queries.",) if self.filled else ()

    @property
    def before_queries(self) -> str:
        """What is put before each query."""
        return self.query.replace(INSTRUCTION, self.instruction)

    def arguments(self) -> dict[str, str]:
        """Those that were filled in, as the user could have given them."""
        values = {"query_prompt": self.before_queries, "passage_prompt": self.passage}
        return {name: values[name] for name in self.filled}

    def instructed(self, instruction: str) -> Prompts:
        """These with an instruction, if it is open which one they have."""
        if not self.is_open:
            return self
        return replace(self, instruction=instruction, filled=tuple({"query_prompt": None} | dict.fromkeys(self.filled)))

    @classmethod
    def of(
        cls,
        names: Iterable[str],
        *,
        own: tuple[str, str] = ("", ""),
        query: str | None = None,
        passage: str | None = None,
        instruction: str | Literal[False] | None = None,
    ) -> Prompts:
        """The prompts of a model: the user's before its ``own``, and these before those of a family of its name.

        ``instruction`` is the user's, or False for none: then nothing is put before queries.

        Raises:
            EncoderError: if a prompt is no text, or there is no place for an instruction.

        """
        for name, prompt in (("query_prompt", query), ("passage_prompt", passage)):
            if prompt is not None and not isinstance(prompt, str):
                raise EncoderError(
                    f"{name} is {prompt!r}; expected text, in quotes if it looks like a number: '\"5\"'."
                )
        family = None if any(own) else family_of(names)
        of_model = (family.query, family.passage) if family else own
        template, own_instruction = _template(of_model[0])
        filled = {"query_prompt": query, "passage_prompt": passage} if family else {}
        prompts = cls(
            template if query is None else query,
            of_model[1] if passage is None else passage,
            own_instruction or _WEB_SEARCH,
            filled=tuple(name for name, given in filled.items() if given is None),
            family=family,
        )
        return prompts._with_instruction(instruction)

    def _with_instruction(self, instruction: str | Literal[False] | None) -> Prompts:
        """These with what the user said of the instruction; None if nothing."""
        takes_one = INSTRUCTION in self.query
        if instruction is None:
            return replace(self, is_open=takes_one)
        if instruction is not False and not isinstance(instruction, str):
            raise EncoderError(f"instruction is {instruction!r}; expected a sentence, or false for none.")
        # As a stored result has it, whose prompt is the one that was made of the instruction.
        is_in_it = self.query == "" if instruction is False else instruction in self.query
        if not takes_one and not is_in_it:
            raise EncoderError(
                f"The model takes no instruction: before queries it has {self.query!r}. Give "
                f"query_prompt with {INSTRUCTION} in it, or leave the instruction out."
            )
        filled = tuple({"query_prompt": None} | dict.fromkeys(self.filled))
        if instruction is False:
            return replace(self, query="", filled=filled)
        return replace(self, instruction=instruction, filled=filled if takes_one else self.filled)


def _notes(prompts: Prompts, family: PromptFamily) -> Iterator[str]:
    """A sentence on what was filled in, and one on what is not as the family has it."""
    whose = f"By its name the model is one of {family.name}"
    before = {"queries": prompts.before_queries, "passages": prompts.passage}
    is_filled = {"queries": "query_prompt" in prompts.filled, "passages": "passage_prompt" in prompts.filled}
    if said := _said({what: prompt for what, prompt in before.items() if is_filled[what]}):
        yield f"{whose}, so that {said} is filled in."
    usual = {"queries": family.query.replace(INSTRUCTION, prompts.instruction), "passages": family.passage}
    if other := {what: prompt for what, prompt in before.items() if prompt != usual[what]}:
        expected = _said({what: usual[what] for what in other}) or "no prompt"
        yield f"{whose}, which was trained with {expected}: {_said(other, empty=True)} replaces it."


def _said(prompts: Mapping[str, str], *, empty: bool = False) -> str:
    return " and ".join(f"{prompt!r} before {what}" for what, prompt in prompts.items() if prompt or empty)


def family_of(names: Iterable[str]) -> PromptFamily | None:
    """The family that has one of these names of a model; None if none has."""
    for name in names:
        for family in FAMILIES:
            if re.search(family.pattern, name, re.IGNORECASE):
                return family
    return None


def _template(prompt: str) -> tuple[str, str]:
    """A prompt with ``{instruction}`` for the instruction in it, and that; as it is and an empty one if it has none."""
    for template in _TEMPLATES:
        if INSTRUCTION not in prompt and (match := template.fullmatch(prompt)):
            return f"{match['before']}{INSTRUCTION}{match['after']}", match["instruction"]
    return prompt, ""
