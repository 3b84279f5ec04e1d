"""Published parallel data as rows of pair files: mMARCO, translations of SQuAD, and files that agree line by line.

mMARCO (unicamp-dl/mmarco, Bonifacio et al. 2021) has the same ids in all languages; its triples name a query, a passage
that answers it and one that does not. Translations of SQuAD have the same question ids in one JSON file a language.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection as Container
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xlbench.catalogue.readers import lareqa
from xlbench.catalogue.readers.fields import decode_file, field, lines, text_of
from xlbench.catalogue.readers.lines import numbered
from xlbench.errors import DataError, UnknownNameError, shown
from xlbench.training.links import link_key

Record = dict[str, Any]
Texts = dict[str, dict[str, str]]
"""By language and id."""

MMARCO_LANGUAGES = {
    "ar": "arabic",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "id": "indonesian",
    "it": "italian",
    "ja": "japanese",
    "nl": "dutch",
    "pt": "portuguese",
    "ru": "russian",
    "vi": "vietnamese",
    "zh": "chinese",
}
_TRIPLES = "data/triples.train.ids.small.tsv"
_QUERIES = "data/google/queries/train/{}_queries.train.tsv"
_PASSAGES = "data/google/collections/{}_collection.tsv"


def from_mmarco(
    folder: Path, languages: Sequence[str], *, n_rows: int | None = None, n_negatives: int = 0
) -> Iterator[Record]:
    """The rows of a copy of the Hub's mMARCO: one for each query and passage that answers it, as the triples name them.

    Only the files of these languages are needed. The first ``n_rows`` are taken, None for all; each with its first
    ``n_negatives`` passages that do not answer. The texts of all rows are in memory.

    Raises:
        UnknownNameError: for a language that mMARCO does not have.
        DataError: if a file is not there or of another shape, or has no text of an id.

    """
    for language in languages:
        if language not in MMARCO_LANGUAGES:
            raise UnknownNameError("language", language, MMARCO_LANGUAGES, hint="mMARCO has no others.")
    pairs = _pairs(_there(folder / _TRIPLES), n_rows, n_negatives)
    asked = {query for query, _ in pairs}
    wanted = {passage for _, passage in pairs}.union(*pairs.values())
    queries, passages = (
        {language: _texts(_there(folder / path.format(MMARCO_LANGUAGES[language])), ids) for language in languages}
        for path, ids in ((_QUERIES, asked), (_PASSAGES, wanted))
    )
    for (query, passage), negatives in pairs.items():
        record = {
            "id": f"{query}-{passage}",
            "passage_id": passage,
            "queries": {language: texts[query] for language, texts in queries.items()},
            "passages": {language: texts[passage] for language, texts in passages.items()},
        }
        if negatives:
            record["negatives"] = {a: [texts[negative] for negative in negatives] for a, texts in passages.items()}
        yield record


@dataclass
class Dropped:
    """What rows had that nothing can be learnt from."""

    n_texts: int = 0
    """Queries, passages and negatives without a letter, such as translations that failed."""
    n_rows: int = 0
    """Rows that had no query or no passage left."""

    def describe(self) -> str:
        """A sentence, empty if nothing was dropped."""
        if not self.n_texts:
            return ""
        return f"Dropped texts without letters: {self.n_texts:,}; rows left without a pair: {self.n_rows:,}."


def with_letters(rows: Iterable[Record], dropped: Dropped) -> Iterator[Record]:
    """The rows without the texts that have no letters; what is dropped is counted while they are read."""
    for row in rows:
        kept: Record = dict(row)
        for role in ("queries", "passages"):
            kept[role] = {language: text for language, text in row[role].items() if link_key(text)}
            dropped.n_texts += len(row[role]) - len(kept[role])
        if "negatives" in row:
            kept["negatives"] = {a: [text for text in some if link_key(text)] for a, some in row["negatives"].items()}
            dropped.n_texts += sum(len(some) - len(kept["negatives"][a]) for a, some in row["negatives"].items())
        if kept["queries"] and kept["passages"]:
            yield kept
        else:
            dropped.n_rows += 1


def _pairs(path: Path, n_rows: int | None, n_negatives: int) -> dict[tuple[str, str], list[str]]:
    """The passages that do not answer, by query and passage that does."""
    negatives_of: dict[tuple[str, str], list[str]] = {}
    for number, line in lines(path):
        where = f"{path}, line {number:,}"
        query, passage, negative = _columns(line, 3, where, "ids of a query, a passage and one that does not answer")
        if (query, passage) not in negatives_of:
            if len(negatives_of) == n_rows:
                if not n_negatives:
                    break
                continue
            negatives_of[query, passage] = []
        negatives = negatives_of[query, passage]
        if len(negatives) < n_negatives and negative not in negatives:
            negatives.append(negative)
    return negatives_of


def _texts(path: Path, ids: Container[str]) -> dict[str, str]:
    """The texts of these ids.

    Raises:
        DataError: if the file lacks one.

    """
    texts = {}
    for number, line in lines(path):
        id_, text = _columns(line, 2, f"{path}, line {number:,}", "an id and a text")
        if id_ in ids:
            texts[id_] = text
    if len(texts) < len(ids):
        absent = next(id_ for id_ in ids if id_ not in texts)
        raise DataError(
            f"{path} has no text of {shown(absent)}, which the triples name, and lacks {len(ids) - len(texts):,} in "
            "all: is the file cut off?"
        )
    return texts


def _columns(line: bytes, n: int, where: str, expected: str) -> list[str]:
    columns = text_of(line, where).split("\t")
    if len(columns) != n:
        raise DataError(f"{where} has {len(columns)} columns; expected {n}, with tabs between: {expected}.")
    return columns


def _there(path: Path) -> Path:
    if not path.is_file():
        raise DataError(
            f"{path} was not found; expected the files of hf://datasets/unicamp-dl/mmarco in their folders, such as "
            "`hf download unicamp-dl/mmarco --repo-type dataset --include PATTERN` puts them there."
        )
    return path


def from_squad(files: Mapping[str, Path], *, sentences: bool = False) -> Iterator[Record]:
    """The rows of SQuAD-style files, one a language, with the same question ids: one for each question.

    The passage is the paragraph or, with ``sentences``, the sentence that has the answer, for which files must have
    ``sentence_breaks``, as LAReQA's. Questions that have no answer are left out.

    Raises:
        DataError: if a file is of another shape, or an id occurs twice.

    """
    queries: Texts = {}
    passages: Texts = {}
    for language, path in files.items():
        queries[language], passages[language] = (_of_sentences if sentences else _of_paragraphs)(language, path)
    for id_ in dict.fromkeys(id_ for asked in queries.values() for id_ in asked):
        answers = {language: texts[id_] for language, texts in passages.items() if id_ in texts}
        yield {
            "id": id_,
            # Many questions are about one paragraph.
            "passage_id": hashlib.sha256(repr(sorted(answers.items())).encode()).hexdigest()[:16],
            "queries": {language: texts[id_] for language, texts in queries.items() if id_ in texts},
            "passages": answers,
        }


def from_lines(files: Mapping[str, Path], *, n_rows: int | None = None) -> Iterator[Record]:
    """The rows of files that agree line by line, one a language: each sentence is a query and a passage.

    The first ``n_rows`` are taken, None for all; a line that is blank in some language is left out there.

    Raises:
        DataError: if a file is not UTF-8, or one has more lines than another.

    """
    texts = {language: numbered(path) for language, path in files.items()}
    lengths = {language: max(by_number, default=0) for language, by_number in texts.items()}
    if len(set(lengths.values())) > 1:
        (few, least), *_, (many, most) = sorted(lengths.items(), key=lambda item: item[1])
        raise DataError(
            f"{files[few]} has {least:,} lines and {files[many]} {most:,}; expected as many in each, line i of one the "
            "translation of line i of the other."
        )
    for number in range(1, min(n_rows or sys.maxsize, *lengths.values()) + 1):
        sentence = {language: by_number[number] for language, by_number in texts.items() if number in by_number}
        yield {"id": str(number), "queries": sentence, "passages": sentence}


def _of_paragraphs(language: str, path: Path) -> tuple[dict[str, str], dict[str, str]]:  # noqa: ARG001 (as below)
    """The questions and the paragraphs they are about, by the id of the question."""
    queries: dict[str, str] = {}
    passages: dict[str, str] = {}
    for a, article in enumerate(field(decode_file(path), "data", list, str(path))):
        for p, paragraph in enumerate(field(article, "paragraphs", list, f"{path}, article {a}")):
            where = f"{path}, article {a}, paragraph {p}"
            context = field(paragraph, "context", str, where)
            for q, question in enumerate(field(paragraph, "qas", list, where)):
                asked = f"{where}, question {q}"
                id_ = field(question, "id", str, asked)
                if id_ in queries:
                    raise DataError(
                        f"{asked} has the id {shown(id_)}, as one above has; expected one for each question."
                    )
                if field(question, "answers", list, asked):
                    queries[id_], passages[id_] = field(question, "question", str, asked), context
    return queries, passages


def _of_sentences(language: str, path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The questions and the sentences that answer them, by the id of the question."""
    collection = lareqa.read({language: path}, text="sentence")
    asked = [id_.partition(":")[2] for id_ in collection.queries.ids]
    pairs = zip(collection.pairs.query.tolist(), collection.pairs.passage.tolist(), strict=True)
    return (
        dict(zip(asked, collection.queries.text, strict=True)),
        {asked[query]: collection.passages.text[passage] for query, passage in pairs},
    )
