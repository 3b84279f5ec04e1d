"""Whether the counts of a ranking can be those of any ranking at all, whatever the model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xlbench.measures.ranks import Ranking


def fault(ranking: Ranking) -> str | None:
    """Why no ranking of the passages has these counts; None if one has.

    Let ``a[i, l]`` be how many passages of language l beat the i-th of a query's relevant passages, the best first, and
    ``l(i)`` its language. Such passages exist if and only if

    - ``0 <= a[i, l]``, and ``a[i, l] + [l(i) = l] <= n[l]``, the passages of the language;
    - ``a[i + 1, l] >= a[i, l] + [l(i) = l]``: what beats a passage, and that passage itself, beats the next one too;
    - the languages of the best passages have the relevant ones at their ranks, as many of each language before them,
      and no more in all than beat those that are not among the best.
    """
    checks = (_impossible, _contradiction, _best_fault)
    return next((why for check in checks if (why := check(ranking))), None)


def _pair(ranking: Ranking, row: int) -> str:
    judged = ranking.judged
    return f"query {judged.query_ids[judged.query[row]]!r:.60} and passage {judged.passage_ids[row]!r:.60}"


def _own(ranking: Ranking) -> npt.NDArray[np.bool_]:
    """Whether each language is that of the pair's passage, ``bool[Nr, L]``."""
    own: npt.NDArray[np.bool_] = ranking.judged.passage_language[:, None] == np.arange(len(ranking.judged.languages))
    return own


def _impossible(ranking: Ranking) -> str | None:
    judged = ranking.judged
    if (judged.gain < 1).any():
        row = int((judged.gain < 1).argmax())
        return f"{_pair(ranking, row)} have the gain {judged.gain[row]}; expected at least 1"
    most = judged.n_passages - _own(ranking)
    wrong = (ranking.above < 0) | (ranking.above > most)
    if not wrong.any():
        return None
    row, language = np.argwhere(wrong)[0].tolist()
    return (
        f"{ranking.above[row, language]:,} passages in {judged.languages[language]} are said to be above "
        f"{_pair(ranking, row)}; expected 0 to {most[row, language]:,}"
    )


def _contradiction(ranking: Ranking) -> str | None:
    judged = ranking.judged
    order = np.lexsort((ranking.above.sum(axis=1, dtype=np.int64), judged.query))
    step = np.diff(ranking.above[order], axis=0) < _own(ranking)[order[:-1]]
    wrong = step.any(axis=1) & (np.diff(judged.query[order]) == 0)
    if not wrong.any():
        return None
    at = int(wrong.argmax())
    return (
        f"the ranks of {_pair(ranking, int(order[at]))} contradict those of its passage "
        f"{judged.passage_ids[order[at + 1]]!r:.60}: what is above the first must be above the second"
    )


def _best_fault(ranking: Ranking) -> str | None:
    judged, top = ranking.judged, ranking.top
    depth = min(top.shape[1], int(judged.n_passages.sum()))
    languages = range(len(judged.languages))
    wrong = (top[:, :depth] < 0).any(axis=1) | (top[:, depth:] >= 0).any(axis=1)
    if wrong.any():
        query = judged.query_ids[int(wrong.argmax())]
        return f"query {query!r:.60} does not have {depth} best passages, as many as the pool has"
    rank = 1 + ranking.above.sum(axis=1, dtype=np.int64)
    among = rank <= depth
    if depth:
        wrong = among & (top[judged.query, np.minimum(rank, depth) - 1] != judged.passage_language)
        if wrong.any():
            return f"{_pair(ranking, int(wrong.argmax()))}: the best passages have another language at its rank"
    for language in languages:
        before = np.zeros((len(top), depth + 1), np.int32)
        np.cumsum(top[:, :depth] == language, axis=1, out=before[:, 1:])
        counted, said = before[judged.query, np.minimum(rank - 1, depth)], ranking.above[:, language]
        wrong = np.where(among, counted != said, counted > said)
        if wrong.any():
            row = int(wrong.argmax())
            return (
                f"{_pair(ranking, row)}: {counted[row]:,} of the best passages before it are in "
                f"{judged.languages[language]}, but {said[row]:,} are said to be above it"
            )
        if before[:, -1].max(initial=0) > judged.n_passages[language]:
            return f"a query has more best passages in {judged.languages[language]} than there are"
    return None
