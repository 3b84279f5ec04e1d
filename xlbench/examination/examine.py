"""examine: from a collection to what is odd about it; the one place that knows all that is examined."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from xlbench import models
from xlbench.collection import Collection
from xlbench.engine.model_scores import score_collection
from xlbench.engine.search import rank
from xlbench.examination import WEIGHTS, Examination, Verdict
from xlbench.examination.chance import ChanceStanding, pairs_of_languages, sample, standings
from xlbench.examination.copies import copies
from xlbench.examination.languages import in_another_language
from xlbench.examination.odd_texts import facts, odd_texts
from xlbench.examination.sizes import sizes
from xlbench.examination.verdicts import flagged, is_open, verdicts
from xlbench.models.protocols import Model
from xlbench.settings import Kind
from xlbench.support.progress import Progress

_LEXICAL = "hash"


class Show(Protocol):
    """Makes a display of progress."""

    def __call__(self, what: str, /) -> Progress:
        """For what is being done."""
        ...


def examine(
    collection: Collection, *, kinds: Iterable[Kind], model: Model | None, cache_dir: Path | None, show: Show
) -> Examination:
    """What is odd about a collection, and whether its settings of these kinds are better than chance.

    ``model``, which should know the languages, is asked where comparing letters cannot tell.

    Raises:
        DataError: if an id occurs twice.
        EncoderError: if the model cannot be loaded or gives unusable vectors.

    """
    languages = collection.languages
    # Sorting the ids finds those that occur twice, which nobody has looked for yet in a collection on disk.
    n_texts = len(collection.queries.tie_order) + len(collection.passages.tie_order)
    with show("examining")("reading", n_texts=n_texts, n_characters=n_texts) as advance:
        queries, passages = (facts(texts, languages, advance) for texts in (collection.queries, collection.passages))
    verdicts = _chance_level(collection, kinds, model, cache_dir=cache_dir, show=show)
    findings = [
        *flagged(verdicts, model.name if model else None),
        *in_another_language(collection.queries, collection.passages, languages),
        *copies(collection, queries, passages),
        *odd_texts(collection, queries, passages),
    ]
    return Examination(
        sizes=tuple(sizes(collection, queries, passages)),
        verdicts=tuple(verdicts),
        findings=tuple(sorted(findings, key=lambda finding: WEIGHTS.index(finding.weight))),
    )


def _chance_level(
    collection: Collection, kinds: Iterable[Kind], model: Model | None, *, cache_dir: Path | None, show: Show
) -> list[Verdict]:
    drawn, wanted = sample(collection), pairs_of_languages(kinds, collection.languages)

    def stand(asked: Model) -> list[ChanceStanding]:
        progress = show(f"chance-level test by {asked.name}")
        scores = score_collection(drawn, asked, cache_dir=cache_dir, progress=progress)
        return standings(rank(drawn, scores), wanted, asked.name)

    lexical = stand(models.load(_LEXICAL))
    return verdicts(lexical, stand(model) if model and is_open(lexical) else [])
