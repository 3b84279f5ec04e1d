"""What a reranker says of passages and hard negatives: scores for distillation, and to leave out what may answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlbench.engine.pair_scores import scores_of_texts
from xlbench.models.reranker import Reranking
from xlbench.support.progress import Progress, silent
from xlbench.training.negatives import Mined
from xlbench.training.pair_lines import PairRow
from xlbench.training.pairs import PairFile


def judged(
    pairs: PairFile, mined: Mined, reranking: Reranking, *, progress: Progress = silent
) -> dict[str, dict[str, Any]]:
    """The ``scores`` of each row that has negatives, by its id, as a pair file has them.

    A text is scored with the question in its language, or else in English, or else in the first that the row has.

    Raises:
        EncoderError: if the reranker fails or gives unusable scores.

    """
    place: dict[tuple[str, str], int] = {}
    of_row = {row.id: _asked(row, mined.negatives[row.id]) for row in pairs.rows if mined.negatives.get(row.id)}
    for asked in of_row.values():
        for by_language in asked.values():
            for some in by_language.values():
                for pair in some:
                    place.setdefault(pair, len(place))
    scores = scores_of_texts(reranking, list(place), progress=progress).tolist()
    return {
        id_: {
            "passages": {language: scores[place[some[0]]] for language, some in asked["passages"].items()},
            "negatives": {
                language: [scores[place[pair]] for pair in some] for language, some in asked["negatives"].items()
            },
        }
        for id_, asked in of_row.items()
    }


def _asked(row: PairRow, negatives: Mapping[str, Any]) -> dict[str, dict[str, list[tuple[str, str]]]]:
    """The pairs of question and text whose scores a row has."""

    def question(language: str) -> str:
        return row.queries.get(language) or row.queries.get("en") or next(iter(row.queries.values()))

    return {
        "passages": {language: [(question(language), text)] for language, text in row.passages.items()},
        "negatives": {language: [(question(language), text) for text in some] for language, some in negatives.items()},
    }
