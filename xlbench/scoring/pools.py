"""The ranks of a run's relevant passages in the pool of all languages, by the language of the topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xlbench.errors import DataError, shown
from xlbench.ranks import PooledRanks, Ranks
from xlbench.readers.trec_files import Judgements, Run

NOT_RETRIEVED = 1 << 31  # As a rank: below every passage that was.


@dataclass(frozen=True)
class Languages:
    """What the ids of a run do not say."""

    passages: Mapping[str, str]
    """The language of every passage of the pool, by id."""
    topics: Mapping[str, str] | None = None
    """The language of each topic; None if its id begins with it, as in ``de:42``."""

    @property
    def names(self) -> list[str]:
        """The languages of passages and topics, sorted."""
        return sorted({*self.passages.values(), *(self.topics or {}).values()})

    def of_topics(self, topics: Sequence[str]) -> list[str]:
        """The language of each topic.

        Raises:
            DataError: if it is not known.

        """
        if self.topics is None:
            known = set(self.names)
            for topic in topics:
                language, colon, _ = topic.partition(":")
                if not colon or language not in known:
                    raise DataError(
                        f"The topic {shown(topic)} does not begin with the language of a passage and a colon, as in "
                        f"'{min(known)}:42'. Give a language map of the topics: --query-language-map."
                    )
            return [topic.partition(":")[0] for topic in topics]
        for topic in topics:
            if topic not in self.topics:
                raise DataError(f"The language map of the topics lacks {shown(topic)}; expected every judged topic.")
        return [self.topics[topic] for topic in topics]


@dataclass(frozen=True)
class Pool:
    """The topics of one language that have relevant passages, and where these rank."""

    topics: list[str]
    ranked: PooledRanks
    n_retrieved: npt.NDArray[np.int64]
    """``[m]``, how many of its relevant passages the run has for each topic; the others have ``NOT_RETRIEVED``."""
    depth: int
    """The most passages that the run has for a topic."""


@dataclass(frozen=True)
class _Topic:
    """One topic's part of the arrays of ``PooledRanks``."""

    rank: npt.NDArray[np.int64]
    gain: npt.NDArray[np.int16]
    language: npt.NDArray[np.int16]
    above_own: npt.NDArray[np.int64]
    top: npt.NDArray[np.int16]
    depth: int


def pools(run: Run, judgements: Judgements, languages: Languages, *, depth: int) -> Iterator[Pool]:
    """A pool for each language that has topics with relevant passages; ``depth`` best passages are kept for each.

    Raises:
        DataError: if the language of a topic or of a passage is not known.

    """
    index = {language: i for i, language in enumerate(languages.names)}
    code = {passage: index[language] for passage, language in languages.passages.items()}
    n_passages = np.bincount(np.fromiter(code.values(), np.int64), minlength=len(index))
    topics = [topic for topic, gains in judgements.items() if max(gains.values()) > 0]
    by_language: dict[str, list[str]] = {}
    for topic, language in zip(topics, languages.of_topics(topics), strict=True):
        by_language.setdefault(language, []).append(topic)
    for language, asked in by_language.items():
        own = index[language]
        parts = [_topic(topic, run.ranking(topic), judgements[topic], code, own=own, depth=depth) for topic in asked]
        ranks = Ranks(
            query=np.arange(len(asked), dtype=np.int32),
            starts=np.cumsum([0, *(len(part.rank) for part in parts)]),
            rank=np.concatenate([part.rank for part in parts]),
            gain=np.concatenate([part.gain for part in parts]),
            language=np.concatenate([part.language for part in parts]),
        )
        ranked = PooledRanks(
            ranks=ranks,
            asked=own,
            n_passages=n_passages,
            above_own=np.concatenate([part.above_own for part in parts]),
            top=np.stack([part.top for part in parts]),
        )
        n_retrieved = np.array([(part.rank < NOT_RETRIEVED).sum() for part in parts])
        yield Pool(asked, ranked, n_retrieved, max(part.depth for part in parts))


def _topic(
    topic: str, ranking: Sequence[str], gains: Mapping[str, int], code: Mapping[str, int], *, own: int, depth: int
) -> _Topic:
    relevant = [passage for passage, gain in gains.items() if gain > 0]
    for passage in (*ranking, *relevant):
        if passage not in code:
            raise DataError(
                f"The language map lacks the passage {shown(passage)} of topic {shown(topic)}; "
                "expected every passage of the pool."
            )
    language = np.array([code[passage] for passage in ranking], np.int16)
    place = {passage: i for i, passage in enumerate(ranking)}
    at = np.array([place.get(passage, NOT_RETRIEVED - 1) for passage in relevant])
    order = np.argsort(at, kind="stable")
    # How many passages in the topic's language stand above each place; below the last one all do.
    above = np.append(0, np.cumsum(language == own))
    top = np.full(depth, -1, np.int16)
    top[: len(ranking)] = language[:depth]
    return _Topic(
        rank=at[order] + 1,
        gain=np.array([gains[relevant[i]] for i in order], np.int16),
        language=np.array([code[relevant[i]] for i in order], np.int16),
        above_own=above[at[order].clip(max=len(ranking))],
        top=top,
        depth=len(ranking),
    )
