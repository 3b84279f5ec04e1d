"""Tables of an index: how far its languages lie apart, what that does to queries, and what a person would say of it."""

from __future__ import annotations

from dataclasses import asdict

from xlbench.examination.index_check import FIRST, NEIGHBOURS, IndexCheck, LanguageLean
from xlbench.examination.own_index import UNKNOWN
from xlbench.reports.cells import EMPTY, MEAN, Cell, Table, number_cell, row
from xlbench.reports.formats import Record
from xlbench.reports.tables import sections
from xlbench.results.shown import number

_STRONG, _WEAK = 0.5, 0.1


def index_tables(checked: IndexCheck, name: str) -> list[Table]:
    """The neighbours of passages, the vectors as they are and centred, what queries find, and known passages."""
    tables = [_passages(checked, name), _lean(checked)]
    if checked.queries:
        tables.append(_queries(checked))
    if checked.result is not None:
        tables += [_known(checked), *sections(checked.result, ["multi", "bias"])]
    return tables


def _passages(checked: IndexCheck, name: str) -> Table:
    n_sampled = sum(of.n_sampled for of in checked.passages)
    rows = [
        row(of.language, of.n_passages, _share(of.own), _share(of.expected), of.n_sampled) for of in checked.passages
    ]
    rows.append(
        row(
            MEAN,
            sum(of.n_passages for of in checked.passages),
            _share(checked.plain.purity),
            _share(checked.expected.purity),
            n_sampled,
        )
    )
    index = checked.index
    said = [
        f"Of the {NEIGHBOURS} nearest passages (by cosine; equal texts count once), the share in the passage's "
        f"language: of {n_sampled:,} passages that were looked at, drawn if there are more. A language of {NEIGHBOURS} "
        "passages or fewer cannot reach 1. The mean is over passages.",
        _of_languages(checked),
    ]
    if index.n_empty:
        said.append(f"Left out: {index.n_empty:,} without text.")
    if (n := len(index.collection.passages)) < index.n_passages:
        said.append(f"Drawn: {n:,} of {index.n_passages:,} passages, so that queries find more than in the whole.")
    header = ("language", "passages", "neighbours in it", "if language did not matter", "looked at")
    return Table(f"{checked.model} on {name}: neighbours", header, tuple(rows), " ".join(said))


def _of_languages(checked: IndexCheck) -> str:
    index = checked.index
    said = (
        f"The language of {index.n_identified:,} passages was identified, and is now and then wrong."
        if index.n_identified
        else "Languages are as declared."
    )
    if UNKNOWN in index.collection.languages:
        said += f" {UNKNOWN} is what is surely in none of the others, or in a language of 1 passage in 100 or fewer."
    return said


def _lean(checked: IndexCheck) -> Table:
    rows = [
        row(about, *map(_share, (lean.variance, lean.purity, lean.first)))
        for about, lean in (
            ("vectors as they are", checked.plain),
            ("without each language's mean", checked.centred),
            ("if language did not matter", checked.expected),
        )
    ]
    return Table(
        "How far vectors lie by language",
        ("", "variance that language explains", "neighbours in one's language", f"first {FIRST} in the query's"),
        tuple(rows),
        "Means are fitted on these texts. Where languages are about other things, a part of this is due to that: only "
        "queries that a passage in another language answers tell the two apart.",
    )


def _queries(checked: IndexCheck) -> Table:
    rows = [row(of.language, of.n_queries, _share(of.own), _share(of.expected)) for of in checked.queries]
    left = checked.index.n_unknown_queries
    return Table(
        "What queries find",
        ("language", "queries", f"first {FIRST} in it", "share of the index"),
        tuple(rows),
        f"Left out: {left:,} queries whose language is not told." if left else "",
    )


def _known(checked: IndexCheck) -> Table:
    measures = list(checked.known[0].alone)
    rows = [
        row(
            "the query's" if of.own else "another",
            of.n_queries,
            *(number_cell(values[m], m) for m in measures for values in (of.alone, of.mixed)),
        )
        for of in checked.known
    ]
    header = [f"{m} {where}" for m in measures for where in ("alone", "mixed")]
    return Table(
        "Where the right passage is in the query's language, and where it is in another",
        ("its language", "queries", *header),
        tuple(rows),
        "Alone: in an index of the passage's language. Mixed: in this index. The difference is what mixing costs.",
    )


def sentences(checked: IndexCheck, name: str) -> list[str]:
    """What a person would say: how bad it is, why, and what to try."""
    plain, centred, expected = checked.plain, checked.centred, checked.expected
    how = "lie by" if checked.strength >= _STRONG else "lean to" if checked.strength >= _WEAK else ""
    said = [
        f"The vectors {how or 'hardly lie by'} language: of a passage's {NEIGHBOURS} nearest, {_text(plain.purity)} "
        f"are in its own, where {_text(expected.purity)} would be if language did not matter."
    ]
    if plain.first is not None and expected.first is not None:
        said.append(
            f"Of the first {FIRST} passages of a query {_text(plain.first)} are in its language, which has "
            f"{_text(expected.first)} of the index."
        )
    for of in checked.known:
        measure = list(of.alone)[-1]
        said.append(
            f"The right passage in {'the query' + chr(39) + 's' if of.own else 'another'} language is among the first "
            f"{FIRST} for {number(of.mixed[measure], measure)} of {of.n_queries:,} queries, and for "
            f"{number(of.alone[measure], measure)} in an index of that language alone."
        )
    if how:
        said.append(
            f"Why: language explains {_text(plain.variance)} of the variance of the vectors. Without each language's "
            f"mean, {_text(centred.purity)} of the nearest are in a passage's own language{_first(centred)}."
        )
    said.append(_to_try(checked, name, mend=bool(how)))
    return said


def _first(lean: LanguageLean) -> str:
    return "" if lean.first is None else f", and {_text(lean.first)} of the first {FIRST} in a query's"


def _to_try(checked: IndexCheck, name: str, *, mend: bool) -> str:
    if not mend and not checked.known:
        return "What to try: nothing, by these numbers."
    if checked.known:
        return (
            "What to try: the same command with --remedies sets side by side what centring, lists of single languages "
            "made one, normalised scores and bm25 do to these queries."
        )
    return (
        "What to try: `xlbench remedies` measures what centring and other remedies are worth where answers are known. "
        f"Write down queries with the passage_id in {name} that answers each, some in another language than the query, "
        "and give them with --queries and --remedies."
    )


def index_record(checked: IndexCheck, name: str) -> Record:
    """The check as it is written to JSON."""
    index, result = checked.index, checked.result
    return {
        "index": name,
        "model": checked.model,
        "n_passages": len(index.collection.passages),
        "of_passages": index.n_passages,
        "n_without_text": index.n_empty,
        "n_identified": index.n_identified,
        "n_queries": len(index.collection.queries),
        "n_queries_without_language": index.n_unknown_queries,
        "strength": checked.strength,
        **{part: asdict(getattr(checked, part)) for part in ("plain", "centred", "expected")},
        **{part: [asdict(of) for of in getattr(checked, part)] for part in ("passages", "queries", "known")},
        "values": {str(setting): dict(values) for setting, values in result.values.items()} if result else {},
        "said": sentences(checked, name),
    }


def _share(value: float | None) -> Cell:
    return EMPTY if value is None else number_cell(value, "", decimals=3)


def _text(value: float) -> str:
    return number(value, "", decimals=2)
