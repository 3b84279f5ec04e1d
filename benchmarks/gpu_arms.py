"""The arms of ``gpu_training.py``: which recipe each trains with, on which pairs, and what it is evaluated on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from small_inputs import Evaluated, read_lines, rows_in

SOFTWARE, MEDICINE, NEWS = DOMAINS = ("software", "medicine", "news")
"""LibreOffice's help, TICO-19 and NTREX: a text is asked for its translation."""
HELP = "help"
"""LibreOffice's help: a heading is asked for its paragraph."""
TRAINED = ["de", "el", "en", "es", "ru", "tr", "vi", "zh"]
"""The languages of the arms that compare recipes."""
SHARED = ["en", "es", "ru", "zh"]
"""Those that all domains have."""
HELD_OUT = 5
"""Each fifth document of a domain is not trained on."""
XTREME = (
    "afr ara ben bul cmn deu ell est eus fin fra heb hin hun ind ita jav jpn kat kaz kor mal mar nld pes por rus spa "
    "swh tam tel tgl tha tur urd vie"
)
"""The languages of Tatoeba in XTREME (arXiv 2003.11080)."""


@dataclass(frozen=True)
class Arm:
    """A way to train."""

    recipe: str
    pairs: tuple[str, ...] = (HELP,)
    """Files of pairs by name; all are used alike, whatever their sizes."""
    alpha: float | None = None
    languages: tuple[str, ...] = tuple(TRAINED)

    def evaluated_on(self, name: str) -> bool:
        """Whether this arm is evaluated on the task of this name."""
        return self.pairs != (HELP,) or name not in DOMAINS


ARMS = {
    "alpha-0": Arm("hybrid", alpha=0.0),
    "alpha-0.25": Arm("hybrid", alpha=0.25),
    "alpha-0.5": Arm("hybrid", alpha=0.5),
    "alpha-0.75": Arm("hybrid", alpha=0.75),
    "alpha-1": Arm("hybrid", alpha=1.0),
    "sequential": Arm("sequential"),
    "x-x": Arm("x-x"),
    "en-en": Arm("en-en"),
    "teacher": Arm("teacher"),
    **{name: Arm("x-y", (name,), languages=tuple(SHARED)) for name in DOMAINS},
    "mixed": Arm("x-y", DOMAINS, languages=tuple(SHARED)),
}


def pairs_and_tasks(
    pairs: Path, data_dir: Path, languages: Sequence[str], tasks: Sequence[str]
) -> tuple[dict[str, list[Any]], dict[str, Evaluated]]:
    """What all arms train on and are evaluated on; domains are among the ``tasks`` if some domain is.

    ``pairs`` is the file of LibreOffice's help.
    """
    evaluated = {name.partition(":")[0]: _task(name, data_dir) for name in tasks if name not in DOMAINS}
    rows = {HELP: rows_in(pairs, languages)}
    if set(tasks) & {*DOMAINS}:
        for domain, of_domain in zip(DOMAINS, _domains(pairs, data_dir), strict=True):
            documents = sorted({document for document, _ in of_domain})
            held_out = set(documents[::HELD_OUT])
            rows[domain] = [row for document, row in of_domain if document not in held_out]
            evaluated[domain] = _translations((document, row) for document, row in of_domain if document in held_out)
    return rows, evaluated


def _task(name: str, data_dir: Path) -> Evaluated:
    from xlbench.job import Job

    task, _, named = name.partition(":")
    kinds: tuple[Any, ...] = ("mono",) if task == "xquad" else ()
    of = Evaluated.of(Job.of(task, languages=named.split(",") if named else [], kinds=kinds), data_dir)
    if task != "tatoeba":
        return of
    languages = XTREME.split()
    chosen = [f"eng-{language}" for language in languages]
    both = of.collection.in_languages(sorted([*languages, *chosen]))
    return Evaluated(both, [setting for setting in of.settings if setting.passages in chosen])


def _domains(pairs: Path, data_dir: Path) -> Iterator[list[tuple[str, Any]]]:
    """The documents and rows of each domain."""
    passages = [row | {"queries": row["passages"]} for row in read_lines(pairs)]
    yield [
        (row["id"].partition("#")[0], _row(row["id"], {language: row["passages"][language] for language in SHARED}))
        for row in passages
        if all(language in row["passages"] for language in SHARED)
    ]
    from xlbench.job import Job

    for name in ("tico-19", "ntrex"):
        collection = Job.of(name, languages=SHARED).read(data_dir=data_dir, cache_dir=data_dir)
        texts: dict[str, dict[str, str]] = {}
        documents: dict[str, str] = {}
        queries = collection.queries
        for id_, text, document in zip(queries.ids, queries.text, collection.clusters.of_query, strict=True):
            language, _, sentence = id_.partition(":")
            texts.setdefault(sentence, {})[language] = text
            documents[sentence] = document
        yield [(documents[sentence], _row(sentence, of)) for sentence, of in texts.items() if len(of) == len(SHARED)]


def _row(id_: str, texts: dict[str, str]) -> dict[str, Any]:
    return {"id": id_, "queries": texts, "passages": texts}


def _translations(rows: Iterable[tuple[str, Any]]) -> Evaluated:
    """Each text is asked for its translations."""
    from xlbench.collection import Collection
    from xlbench.settings import settings

    texts: dict[str, str] = {}
    answers: dict[str, list[str]] = {}
    clusters: dict[str, str] = {}
    for document, row in rows:
        ids = {language: f"{language}:{row['id']}" for language in SHARED}
        for language, id_ in ids.items():
            texts[id_] = row["passages"][language]
            answers[id_] = [other for other in ids.values() if other != id_]
            clusters[id_] = document
    collection = Collection.from_dicts(texts, texts, answers, clusters=clusters, unit="document")
    return Evaluated(collection, settings(("cross",), collection.languages))
