"""Tables for a paper, as LaTeX with booktabs: an overview, one row a language and column a model, rank distances."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from xlbench.comparison.comparable import check_queries, common_kinds
from xlbench.comparison.study import Study, cells_of
from xlbench.errors import ResultError
from xlbench.reports.cells import EMPTY, Cell, Table, better_of, number_cell, one_line, row
from xlbench.reports.models import Group, best_of, grouped
from xlbench.reports.tables import KIND_TITLES, languages_of
from xlbench.results import Result
from xlbench.settings import KINDS, Kind, kind_of
from xlbench.statistics import DRAWS, holm

_HEAD = r"""% Needs \usepackage{booktabs} and \usepackage{graphicx}.
% Names that are not in Latin letters need XeLaTeX or LuaLaTeX.
"""
_DISTANCE = "RankDistance"
_SUCCESS: Mapping[Kind, str] = {"mono": "R@1", "cross": "R@1", "multi": "R@10"}
_BETTER, _WORSE = "†", "‡"
_MARKS = {_BETTER: r"$^{\dagger}$", _WORSE: r"$^{\ddagger}$", "": ""}
_TASKS_ABREAST = 2
_MOST_UPRIGHT = 6
_SPECIAL = {character: rf"\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    "`": r"\textasciigrave{}",
    "†": r"\textdagger{}",
    "‡": r"\textdaggerdbl{}",
    # A row that begins with one of these would be an option of the line break before it.
    "[": "{[}",
    "*": "{*}",
}

_ALPHA = 0.05

Key = tuple[str, str, str]
"""Kind of setting, measure, and language of the queries or ``mean``."""


def latex(results: Sequence[Result]) -> str:
    """The tables of the results, for the ``input`` of a paper; the best of a row or column is bold.

    Where results have their per-query scores, those of the same task are tested against the first of them.
    """
    groups = [(group, _Marks(group)) for group in grouped(results)]
    parts = [_overview(groups[i : i + _TASKS_ABREAST]) for i in range(0, len(groups), _TASKS_ABREAST)]
    for group, marks in groups:
        headline = group.results[0].headline
        wanted: list[Mapping[Kind, str]] = [dict.fromkeys(KINDS, headline), _SUCCESS, {"multi": _DISTANCE}]
        parts += [_by_language(group, measures, marks) for measures in wanted]
    return _HEAD + "".join(f"\n{part}" for part in parts if part)


def latex_tables(tables: Sequence[Table]) -> str:
    """Any tables as LaTeX."""
    return _HEAD + "".join(f"\n{_float(table, label=table.title)}" for table in tables)


def escaped(text: str) -> str:
    """The text as LaTeX prints it, whatever characters it has."""
    found = "".join(_SPECIAL.get(character, character) for character in one_line(text))
    # Two of them in a row would be one other sign.
    return re.sub(r"([-',])(?=\1)", r"\1{}", found)


class _Marks:
    """Which figures of a group differ from those of its first model, tested question by question."""

    def __init__(self, group: Group) -> None:
        self._of: dict[tuple[int, Key], str] = {}
        self.tested, self.n_tests, self.problem = "", 0, ""
        first = group.results[0]
        others = [
            i
            for i, result in enumerate(group.results)
            if i and result.per_query and set(result.missing_languages) == set(first.missing_languages)
        ]
        if first.per_query and others:
            try:
                self._test(group, [0, *others])
            except ResultError as error:
                self.problem = f"Not tested: {error}"

    def _test(self, group: Group, rows: Sequence[int]) -> None:
        """Tests the headline measure and the rank distance of these results against the first of them.

        As ``compare`` does, but with fewer draws: a mark says only on which side of alpha p is.
        """
        results, names = [group.results[i] for i in rows], [group.labels[i] for i in rows]
        kinds, _ = common_kinds(results)
        measures = [m for m in (results[0].headline, _DISTANCE) if all(_has(r, m, kinds) for r in results)]
        cells = [cell for measure in measures for cell in cells_of(results[0], measure, kinds)]
        if not cells:
            return
        check_queries(results, names, list(dict.fromkeys(setting for cell in cells for setting in cell.settings)))
        study = Study.of(results, names, cells)
        self.n_tests = len(cells) * (len(rows) - 1)
        p = study.p_values([(0, i) for i in range(1, len(rows))], draws=max(DRAWS, 10 * round(self.n_tests / _ALPHA)))
        adjusted = holm(p.ravel()).reshape(p.shape)
        for i, (place, p_adjusted) in enumerate(zip(rows[1:], adjusted, strict=True), start=1):
            gain = study.goodness(i) - study.goodness(0)
            for k, cell in enumerate(cells):
                if p_adjusted[k] <= _ALPHA:
                    self._of[place, (cell.kind, cell.measure, cell.name)] = _BETTER if gain[k] > 0 else _WORSE
        self.tested = (
            f"{_BETTER} better and {_WORSE} worse than {group.labels[0]}: paired randomisation test over questions, "
            f"p up to {_ALPHA:g} after Holm's correction"
        )

    def on(self, cells: Sequence[Cell], key: Key) -> list[Cell]:
        """The cells of the group's models with their marks."""
        return [replace(cell, mark=self._of.get((i, key), "")) for i, cell in enumerate(cells)]


def _explanation(all_marks: Sequence[_Marks]) -> str:
    """What the marks mean, once for all that mean the same."""
    of_test: dict[str, list[str]] = {}
    for marks in all_marks:
        if marks.tested:
            of_test.setdefault(marks.tested, []).append(f"{marks.n_tests}")
    found = [f"{text} for {' and '.join(counts)} tests." for text, counts in of_test.items()]
    return " ".join([*found, *(marks.problem for marks in all_marks if marks.problem)])


def _overview(groups: Sequence[tuple[Group, _Marks]]) -> str:
    """Models down; tasks and kinds of setting across: means of the headline measure."""
    models = list(dict.fromkeys(label for group, _ in groups for label in group.labels))
    columns, heads, abouts = [], [], []
    for group, marks in groups:
        measure = group.results[0].headline
        for kind in KINDS:
            cells = _cells(group, (kind, measure, "mean"), marks)
            if any(cell.text for cell in cells):
                of_model = dict(zip(group.labels, cells, strict=True))
                columns.append([of_model.get(model, EMPTY) for model in models])
                heads.append((group.title, kind))
        abouts.append(f"{_about(group)}: {measure}.")
    table = Table(
        title="Means over languages, monolingual, cross-lingual and multilingual. " + " ".join(abouts),
        header=("Model", *(kind for _, kind in heads)),
        rows=tuple(row(model, *cells) for model, *cells in zip(models, *columns, strict=True)),
        note=_explanation([marks for _, marks in groups]),
    )
    label = "overview " + " ".join(group.title for group, _ in groups)
    return _float(table, label=label, groups=("", *(title for title, _ in heads)), compared="of a column")


def _by_language(group: Group, measures: Mapping[Kind, str], marks: _Marks) -> str:
    """Languages down; kinds of setting and models across."""
    measured = [(kind, m) for kind, m in measures.items() if any(m in r.summary.get(kind, {}) for r in group.results)]
    if not measured:
        return ""
    languages = list(dict.fromkeys(language for result in group.results for language in languages_of(result)))
    rows = [
        row(name, *(cell for kind, measure in measured for cell in _cells(group, (kind, measure, name), marks)))
        for name in [*languages, "mean"]
    ]
    names = " and ".join(dict.fromkeys(m for _, m in measured))
    tested = any(cell.mark for cells in rows for cell in cells)
    table = Table(
        title=f"{names} by language of the queries. {_about(group)}.",
        header=("", *(label for _ in measured for label in group.labels)),
        rows=tuple(rows),
        note=_explanation([marks]) if tested else "",
    )
    groups = ("", *(f"{KIND_TITLES[kind]}, {measure}" for kind, measure in measured for _ in group.labels))
    lower = all(better_of(measure) == "lower" for _, measure in measured)
    among = "of a row" if len(measured) == 1 else "of a row in each kind of setting"
    return _float(
        table,
        label=f"{group.title} {names}",
        groups=groups,
        compared=f"{among}, lower is better" if lower else among,
    )


def _has(result: Result, measure: str, kinds: Sequence[Kind]) -> bool:
    return any(measure in result.summary[kind] for kind in kinds)


def _cells(group: Group, key: Key, marks: _Marks) -> list[Cell]:
    """The cell of each model for a language or the mean, the best marked, and those that differ from the first."""
    measure = key[1]
    cells = [number_cell(_value(result, key), measure) for result in group.results]
    return marks.on(best_of(group, cells, measure), key)


def _value(result: Result, key: Key) -> float | None:
    """The measure's macro mean in a kind of setting, of all languages or of the settings that ask in one."""
    kind, measure, name = key
    if name == "mean":
        return result.summary.get(kind, {}).get(measure)
    found = [
        values[measure]
        for setting, values in result.scores.items()
        if setting.partition(">")[0] == name and kind_of(setting) == kind and measure in values
    ]
    return sum(found) / len(found) if found else None


def _about(group: Group) -> str:
    result = group.results[0]
    kind = next(iter(result.summary), "mono")
    n_queries = sum(n for name, n in result.queries.items() if kind_of(name) == kind)
    return f"{group.title}, n = {n_queries:,} queries in {len(languages_of(result))} languages"


def _float(table: Table, *, label: str, groups: Sequence[str] = (), compared: str = "of those compared") -> str:
    """A table environment; wider ones span the columns of the page and are scaled down to it."""
    caption = [table.title.rstrip("."), table.note.rstrip(".")]
    if any(cell.best for cells in table.rows for cell in cells):
        caption.insert(1, f"Bold: the best {compared}")
    star = "*" if len(table.header) > _MOST_UPRIGHT else ""
    align = "".join("r" if table.is_numeric(i) else "l" for i in range(len(table.header)))
    lines = [
        rf"\begin{{table{star}}}[t]",
        r"\centering",
        rf"\caption{{{'. '.join(escaped(part) for part in caption if part)}.}}",
        rf"\label{{tab:{re.sub('[^a-z0-9]+', '-', label.lower()).strip('-')}}}",
        r"\medskip",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{align}}}",
        r"\toprule",
        *_group_lines(groups),
        _line(_heads(table, turned=len(table.header) > _MOST_UPRIGHT and len(groups) > 0)),
        r"\midrule",
    ]
    for cells in table.rows:
        lines += [r"\midrule"] if cells[0].text == "mean" and cells is table.rows[-1] else []
        lines.append(_line([_cell(cell) for cell in cells]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}}", rf"\end{{table{star}}}", ""])


def _group_lines(groups: Sequence[str]) -> list[str]:
    """The line of names above groups of columns, and the rules below them."""
    if len(set(groups)) < 2:
        return []
    entries, rules, column = [], [], 1
    for name, of_group in groupby(groups):
        n_columns = len(list(of_group))
        entries.append(rf"\multicolumn{{{n_columns}}}{{c}}{{{escaped(name)}}}")
        rules += [rf"\cmidrule(lr){{{column}-{column + n_columns - 1}}}"] if name else []
        column += n_columns
    return [_line(entries), "".join(rules)]


def _heads(table: Table, *, turned: bool) -> list[str]:
    names = [escaped(name) for name in table.header]
    long = max(map(len, table.header[1:]), default=0) > len("multi")
    return [rf"\rotatebox{{90}}{{{name}}}" if name and i and turned and long else name for i, name in enumerate(names)]


def _line(entries: Sequence[str]) -> str:
    return " & ".join(entries) + r" \\"


def _cell(cell: Cell) -> str:
    text = cell.text.replace("-", "$-$") if cell.value is not None else escaped(cell.text)
    bold = rf"\textbf{{{text}}}" if cell.best else text
    return bold + _MARKS.get(cell.mark, escaped(cell.mark))
