"""BM25: the lexical baseline, over bm25s; each passage is analysed as its language asks for."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from xlbench.arrays import VectorArray
from xlbench.collection import Text
from xlbench.errors import EncoderError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Tokenizer = Literal["language", "whitespace"]
Statistics = Literal["pool", "language"]

_SNOWBALL = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "id": "indonesian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
_STOP_WORDS = {
    "da": "DANISH",
    "de": "GERMAN",
    "en": "EN",
    "es": "SPANISH",
    "fr": "FRENCH",
    "it": "ITALIAN",
    "ko": "KOREAN",
    "nl": "DUTCH",
    "no": "NORWEGIAN",
    "pt": "PORTUGUESE",
    "ru": "RUSSIAN",
    "sv": "SWEDISH",
    "tr": "TURKISH",
}
_EVERYWHERE = {"İ": "i", "\u00ad": "", "\u200d": ""}  # Folded, İ is two characters; the others are invisible in a word.
_LETTERS = {
    "az": {"I": "ı"},
    "hi": {"\u093c": "", "ँ": "ं"},  # Nukta and candrabindu are often left out; Lucene folds them too.
    "tr": {"I": "ı"},
}
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
# Marks belong to words: without them a Hindi word falls to pieces. Python's own \w leaves them out.
_TOKEN = rf"[{_UNSPACED}]+|[\p{{L}}\p{{M}}\p{{N}}--[{_UNSPACED}]]+"


class BM25Scorer:
    """Scores passages by BM25 (Robertson and Zaragoza 2009), in Lucene's form.

    ``tokenizer=language`` folds case and digits, splits at what is no letter, mark or digit, drops stop words and takes
    Snowball stems where there are any for the text's language, and takes character bigrams where a script has no
    spaces.
    ``whitespace`` splits at spaces and nothing else, as Pyserini does for languages that it does not know.

    ``statistics=language`` takes the frequency of a term and the mean length from the passages of the passage's
    language: then the scores in one language do not depend on what other languages are in the pool, and are those of
    an index of that language alone. ``statistics=pool`` takes them from the passages of all languages.
    """

    name = "bm25"
    revision = "3"

    def __init__(
        self,
        k1: float = 0.9,
        b: float = 0.4,
        tokenizer: Tokenizer = "language",
        statistics: Statistics = "language",
    ) -> None:
        for what, value, known in (
            ("tokenizer", tokenizer, get_args(Tokenizer)),
            ("statistics", statistics, get_args(Statistics)),
        ):
            if value not in known:
                raise EncoderError(f"{what} is {value!r}; expected {' or '.join(known)}.")
        if not (_is_number(k1) and k1 >= 0 and _is_number(b) and 0 <= b <= 1):
            raise EncoderError(f"k1 is {k1!r} and b is {b!r}; expected k1 >= 0 and b from 0 to 1.")
        self._k1, self._b = float(k1), float(b)
        self._tokenizer, self._statistics = tokenizer, statistics
        self._term: dict[str, int] = {}
        self._row: dict[tuple[str, str], int] = {}
        self._weights: csr_array | None = None

    def provenance(self) -> dict[str, Any]:
        """Versions of the libraries that analyse and weigh."""
        from importlib.metadata import version

        return {name: version(name) for name in ("bm25s", "PyStemmer", "regex")}

    def fit(self, passages: Sequence[Text]) -> None:
        """Weighs the terms of all passages of the pool; equal ones count as often as they occur, as in an index."""
        from scipy.sparse import csr_array

        self._row = {(text.language, text.text): row for row, text in enumerate(passages)}
        tokens = self._analysed(passages)
        self._term = {}
        for of_passage in tokens:
            for token in of_passage:
                self._term.setdefault(token, len(self._term))
        self._weights = csr_array((len(passages), max(1, len(self._term))), dtype=np.float32)
        groups: dict[str, list[int]] = {}
        for row, text in enumerate(passages):
            groups.setdefault(text.language if self._statistics == "language" else "", []).append(row)
        data, rows, terms = [], [], []
        for members in groups.values():
            if not any(tokens[row] for row in members):
                continue  # bm25s cannot weigh no terms at all.
            weights = self._weigh([tokens[row] for row in members])
            data.append(weights.data)
            rows.append(np.asarray(members)[weights.row])
            terms.append(weights.col)
        if data:
            coordinates = np.concatenate(rows), np.concatenate(terms)
            self._weights = csr_array((np.concatenate(data), coordinates), shape=self._weights.shape)

    def score(self, queries: Sequence[Text], passages: Sequence[Text]) -> VectorArray:
        """The scores of passages that the pool has, ``float32[q, p]``: a term counts as often as the query has it."""
        from scipy.sparse import csr_array

        if self._weights is None:
            raise EncoderError("bm25 scores passages of a pool: fit it first.")
        tokens = [[self._term[t] for t in of_query if t in self._term] for of_query in self._analysed(queries)]
        starts = np.cumsum([0, *map(len, tokens)])
        terms = np.array([term for of_query in tokens for term in of_query], np.int64)
        asked = csr_array(
            (np.ones(len(terms), np.float32), terms, starts), shape=(len(queries), self._weights.shape[1])
        )
        asked.sum_duplicates()
        rows = [self._row[text.language, text.text] for text in passages]
        scores: VectorArray = (asked @ self._weights[rows].T.tocsr()).toarray().astype(np.float32, copy=False)
        return scores

    def _weigh(self, tokens: Sequence[Sequence[str]]) -> Any:
        """The weight of each term in each of these passages, as a sparse matrix ``float32[p, V]`` of coordinates."""
        import bm25s
        from scipy.sparse import csc_array

        index = bm25s.BM25(k1=self._k1, b=self._b, method="lucene")
        index.index([list(of_passage) for of_passage in tokens], show_progress=False)
        parts = (index.scores["data"], index.scores["indices"], index.scores["indptr"])
        counts = csc_array(parts, shape=(len(tokens), len(index.scores["indptr"]) - 1)).tocoo()
        term = np.full(counts.shape[1], -1, np.int64)
        for token, at in index.vocab_dict.items():
            # bm25s gives a passage without any term an empty one.
            if at < len(term) and token in self._term:
                term[at] = self._term[token]
        known = term[counts.col] >= 0
        return type(counts)(
            (counts.data[known], (counts.row[known], term[counts.col[known]])), shape=(len(tokens), len(self._term))
        )

    def _analysed(self, texts: Sequence[Text]) -> list[list[str]]:
        if self._tokenizer == "whitespace":
            return [text.text.split() for text in texts]
        return [_analyser(text.language)(text.text) for text in texts]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@cache
def _analyser(language: str) -> Callable[[str], list[str]]:
    """From a text to its terms, for a language."""
    import regex
    import Stemmer
    from bm25s import stopwords

    code = language.split("-")[0].split("_")[0].lower()
    stem = Stemmer.Stemmer(_SNOWBALL[code]).stemWords if code in _SNOWBALL else list
    stop_words = getattr(stopwords, f"STOPWORDS_{_STOP_WORDS[code]}") if code in _STOP_WORDS else ()
    stop = {_folded(word, code) for word in stop_words}
    token, unspaced = regex.compile(_TOKEN, regex.V1), regex.compile(f"[{_UNSPACED}]", regex.V1)

    def analyse(text: str) -> list[str]:
        words: list[str] = []
        for word in token.findall(_folded(text, code)):
            if unspaced.match(word):
                words += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
            elif word not in stop:
                words.append(word)
        return list(stem(words))

    return analyse


def _folded(text: str, language: str) -> str:
    """The text with what spells the same in this language made the same: case, width, digits, composed letters."""
    import regex

    letters = str.maketrans(_EVERYWHERE | _LETTERS.get(language, {}))
    text = unicodedata.normalize("NFKC", text).translate(letters).casefold()
    # Folding may decompose: the Greek ΐ becomes three characters, which no stemmer knows.
    text = unicodedata.normalize("NFKC", text)
    return str(regex.sub(r"[\p{Nd}--[0-9]]", lambda digit: str(unicodedata.decimal(digit[0])), text, flags=regex.V1))
